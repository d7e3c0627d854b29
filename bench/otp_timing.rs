//! Whether time tells if a number has an account: sends and wrong guesses for numbers with and without one, in turn.
//!
//! Needs a running `make dev`. Prints medians and their ratio; near 1 nothing is told. `ONETAP` and `SANDBOX` name
//! other addresses than the usual, `PAIRS` another number of pairs than 100.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark: it reads the clock, prints, and stops at the first surprise"
)]

use std::{
    env,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let pairs: usize = env::var("PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let bench = Bench { client: Client::builder().no_proxy().build().unwrap() };
    let mut sends = [Vec::new(), Vec::new()];
    let mut guesses = [Vec::new(), Vec::new()];
    for pair in 0..pairs {
        let known = phone();
        bench.one_tap(&known).await;
        let numbers = [known, phone()];
        // Which one goes first changes from pair to pair.
        for nth in [pair % 2, (pair + 1) % 2] {
            let body = json!({"phone": numbers[nth], "device": device()});
            let (took, sent) = bench.post("/v1/otp/send", &body).await;
            let challenge = sent["challengeId"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned();
            sends[nth].push(took);
            let guess = json!({"challengeId": challenge, "code": "abcdef", "device": device()});
            let (took, refused) = bench.post("/v1/otp/login", &guess).await;
            assert_eq!(refused["code"], "otp_incorrect");
            guesses[nth].push(took);
        }
    }
    for (what, [known, unknown]) in [("send", sends), ("wrong guess", guesses)] {
        let (known, unknown) = (median(known), median(unknown));
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        println!("{what}: median {known:.2?} with an account, {unknown:.2?} without, ratio {ratio:.3}");
    }
}

struct Bench {
    client: Client,
}

impl Bench {
    /// Makes the account of a number.
    async fn one_tap(&self, phone: &str) {
        let url = format!("{}/sandbox/credentials", address("SANDBOX", 8788));
        let order = json!({"phone": phone, "provider": "cmcc"}).to_string();
        let minted =
            self.client.post(url).header("content-type", "application/json").body(order).send().await;
        let minted: Value = minted.unwrap().json().await.unwrap();
        let login = json!({"credential": minted["credential"], "device": device()});
        let (_, answer) = self.post("/v1/one-tap/login", &login).await;
        assert_eq!(answer["status"], "signed_in", "{answer}");
    }

    async fn post(&self, path: &str, body: &Value) -> (Duration, Value) {
        let [a, b, c] = random::<3>();
        let request = self
            .client
            .post(format!("{}{path}", address("ONETAP", 8787)))
            .header("content-type", "application/json")
            .header("cf-connecting-ip", format!("10.{a}.{b}.{c}"))
            .body(body.to_string());
        let began = Instant::now();
        let bytes = request.send().await.unwrap().bytes().await.unwrap();
        (began.elapsed(), serde_json::from_slice(&bytes).unwrap())
    }
}

fn address(name: &str, port: u16) -> String {
    env::var(name).unwrap_or_else(|_| format!("http://127.0.0.1:{port}"))
}

fn device() -> Value {
    json!({"name": "bench", "platform": "android"})
}

fn phone() -> String {
    format!("+86138{:08}", u32::from_le_bytes(random()) % 100_000_000)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
