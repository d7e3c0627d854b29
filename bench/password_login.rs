//! Whether others are answered while passwords are hashed: 30 people sign in with their passwords, again and again, and
//! somebody else asks `GET /v1/session` all the time.
//!
//! Needs a running `make dev`. Prints how long both take with and without each other, and the memory of workerd.
//! `ONETAP` and `SANDBOX` name other addresses than the usual, `SECONDS` another time than 10.
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
    env, fs,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// People who sign in at once.
const PEOPLE: usize = 30;
const PASSWORD: &str = "tnrkx-qumbelhof";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let seconds: u64 = env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let time = Duration::from_secs(seconds);
    let bench = Bench { client: Client::builder().no_proxy().build().unwrap() };
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(bench.person().await);
    }
    let (_, bearer) = people[0].clone();
    let before = memory();
    print("GET /v1/session alone", bench.ask_on(&bearer, Instant::now() + time).await);
    print("one password login alone", bench.log_in_on(&people[0].0, Instant::now() + time).await);
    let until = Instant::now() + time;
    let logins = join_all(people.iter().map(|(phone, _)| bench.log_in_on(phone, until)));
    let (asked, logins) = join(bench.ask_on(&bearer, until), logins).await;
    print(&format!("GET /v1/session beside {PEOPLE} password logins"), asked);
    print(&format!("password logins, {PEOPLE} at once"), logins.concat());
    println!("memory of workerd: {before} MB before, {} MB after", memory());
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    println!(
        "{what}: {} answers, p50 {:.1?}, p99 {:.1?}, slowest {:.1?}",
        took.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// Resident memory of all workerd processes, MB.
fn memory() -> u64 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let status = processes.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    let kilobytes = status.filter(|status| status.starts_with("Name:\tworkerd")).filter_map(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.to_owned();
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    kilobytes.sum::<u64>() / 1000
}

struct Bench {
    client: Client,
}

impl Bench {
    /// Somebody with a password: number and access token.
    async fn person(&self) -> (String, String) {
        let digits: Vec<u8> = (0..8).map(|_| b'0' + random() % 10).collect();
        let phone = format!("+86136{}", String::from_utf8(digits).unwrap());
        let sandbox = base("SANDBOX", "http://127.0.0.1:8788");
        let order = json!({"phone": phone, "provider": "flash_v2"});
        let minted = self.call(Method::POST, &format!("{sandbox}/sandbox/credentials"), None, &order).await;
        let login = json!({"credential": minted["credential"], "device": device()});
        let login = self.call(Method::POST, &service("/v1/one-tap/login"), None, &login).await;
        let bearer = login["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{login}")).to_owned();
        let set = json!({"newPassword": PASSWORD});
        self.call(Method::PUT, &service("/v1/account/password"), Some(&bearer), &set).await;
        (phone, bearer)
    }

    async fn log_in_on(&self, phone: &str, until: Instant) -> Vec<Duration> {
        let body = json!({"identifier": phone, "password": PASSWORD, "device": device()});
        let mut took = Vec::new();
        while Instant::now() < until || took.is_empty() {
            let began = Instant::now();
            let login = self.call(Method::POST, &service("/v1/password/login"), None, &body).await;
            assert_eq!(login["status"], "signed_in", "{login}");
            took.push(began.elapsed());
        }
        took
    }

    async fn ask_on(&self, bearer: &str, until: Instant) -> Vec<Duration> {
        let mut took = Vec::new();
        while Instant::now() < until {
            let began = Instant::now();
            let me = self.call(Method::GET, &service("/v1/session"), Some(bearer), &Value::Null).await;
            assert!(me["account"].is_object(), "{me}");
            took.push(began.elapsed());
        }
        took
    }

    async fn call(&self, method: Method, url: &str, bearer: Option<&str>, body: &Value) -> Value {
        let [a, b, c] = [random(), random(), random()];
        // Each from an address of its own: it is not the caps that are measured.
        let mut request =
            self.client.request(method, url).header("cf-connecting-ip", format!("10.{a}.{b}.{c}"));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn device() -> Value {
    json!({"name": "bench", "platform": "android"})
}

fn service(path: &str) -> String {
    format!("{}{path}", base("ONETAP", "http://127.0.0.1:8787"))
}

fn base(name: &str, usual: &str) -> String {
    env::var(name).unwrap_or_else(|_| usual.to_owned())
}

fn random() -> u8 {
    let mut byte = [0];
    getrandom::fill(&mut byte).unwrap();
    byte[0]
}
