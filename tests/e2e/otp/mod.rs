//! Codes by SMS over HTTP: sent by the sandbox's vendors, read where they arrive, typed by good and bad people.

mod budgets;
mod configuration;
mod fallback;
mod faults;
mod guesses;
pub(crate) mod objects;
mod providers;
mod pumping;
mod refusals;
mod repeats;
mod screening;
pub(crate) mod stacks;
mod vanish;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, http, post},
    leaks,
    stack::Stack,
};

const SEND: &str = "/v1/otp/send";
const LOGIN: &str = "/v1/otp/login";

/// In the order of their waits: what `vanish` looks for has had time to go.
pub(crate) fn stories() -> Vec<Trial> {
    let stories = [
        pumping::stories(),
        refusals::stories(),
        guesses::stories(),
        providers::stories(),
        budgets::stories(),
        screening::stories(),
        fallback::stories(),
        repeats::stories(),
        faults::stories(),
        configuration::stories(),
    ];
    stories.into_iter().flatten().collect()
}

/// What is told last of all.
pub(crate) fn last_stories() -> Vec<Trial> {
    [pumping::last_stories(), vanish::stories()].into_iter().flatten().collect()
}

/// A code that arrived, and the challenge it answers.
struct Sent {
    challenge: String,
    code: String,
}

/// Asks for a code for a fresh device without a token.
fn ask(stack: &Stack, phone: &str) -> Request {
    post(stack, SEND, &send_body(phone))
}

fn send_body(phone: &str) -> Value {
    json!({ "phone": phone, "device": fresh_device() })
}

fn login_body(challenge: &str, code: &str) -> Value {
    json!({ "challengeId": challenge, "code": code, "device": fresh_device() })
}

/// Asks for a code and reads it where it arrived.
async fn send(stack: &Stack, phone: &str) -> Sent {
    let challenge = ask(stack, phone).send().await.challenge();
    Sent { challenge, code: newest_code(stack, phone).await }
}

/// A code for a number, for another purpose than signing in: its challenge, and the code.
pub(crate) async fn code_for(stack: &Stack, phone: &str, purpose: &str) -> (String, String) {
    let mut body = send_body(phone);
    body["purpose"] = json!(purpose);
    let challenge = post(stack, SEND, &body).send().await.challenge();
    (challenge, newest_code(stack, phone).await)
}

/// A code for a number that nobody used before.
async fn send_to_somebody(stack: &Stack) -> Sent {
    send(stack, &fresh_phone("135")).await
}

/// Types a code.
async fn type_in(stack: &Stack, challenge: &str, code: &str) -> Answer {
    post(stack, LOGIN, &login_body(challenge, code)).send().await
}

/// All messages with a code that arrived at a number, oldest first: one that signs in again on a new device is told too.
async fn messages(stack: &Stack, phone: &str) -> Vec<Value> {
    let url = format!("{}/sandbox/sms?to={}", stack.sandbox, phone.replace('+', "%2B"));
    let list: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    let messages = list.as_array().unwrap().iter();
    messages.filter(|message| digits_in(message["text"].as_str().unwrap()).is_some()).cloned().collect()
}

/// The code in the last message to a number.
pub(crate) async fn newest_code(stack: &Stack, phone: &str) -> String {
    let messages = messages(stack, phone).await;
    let text = messages.last().expect("no message arrived")["text"].as_str().unwrap();
    let code = code_in(text);
    if code.len() == 8 && !looks_like_time(&code) {
        leaks::note("code", &code);
    }
    code
}

/// The digits of the first number that is long enough for a code.
fn code_in(text: &str) -> String {
    digits_in(text).expect("no code in the message").to_owned()
}

fn digits_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() >= 6)
}

/// Another code of the same length.
fn not(code: &str) -> String {
    let first = if code.starts_with('0') { "1" } else { "0" };
    format!("{first}{}", "0".repeat(code.len() - 1))
}

/// Tells the sandbox something; its answer.
async fn tell_sandbox(stack: &Stack, path: &str, body: &Value) -> Value {
    let request = http().post(format!("{}{path}", stack.sandbox)).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Makes a vendor fail for one number from now on.
async fn fault(stack: &Stack, provider: &str, kind: &str, to: &str) {
    let fault = json!({ "provider": provider, "rate": 1, "kind": kind, "to": to });
    tell_sandbox(stack, "/sandbox/faults", &fault).await;
}

/// Makes a vendor well again for one number.
async fn mend(stack: &Stack, provider: &str, to: &str) {
    let fault = json!({ "provider": provider, "rate": 0, "kind": "hang", "to": to });
    tell_sandbox(stack, "/sandbox/faults", &fault).await;
}

/// Eight digits of a millisecond of these hours stand in every log and are no leak.
fn looks_like_time(code: &str) -> bool {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().to_string();
    (0..6).any(|at| code.starts_with(&now[at..6]))
}

impl Answer {
    /// The challenge of a 202, which must be as the contract says.
    fn challenge(&self) -> String {
        assert_eq!(self.status, 202, "{}", self.summary());
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["challengeId", "codeLength", "expiresIn", "resendIn"]);
        body["challengeId"].as_str().unwrap().to_owned()
    }

    fn signed_in(&self) -> Value {
        let body = self.ok();
        assert_eq!(body["status"], "signed_in");
        body
    }
}
