//! A client of the service: builds requests, sends them, and holds every answer against the rules all answers share.

use std::{
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use crate::{
    leaks,
    stack::{Stack, lock},
};

/// Longer than anything the service may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often a story tries to see a time kept. A busy machine only ever adds to one, so the quickest try is the service's.
const TRIES: usize = 3;

static ANSWERED: Mutex<Vec<(std::path::PathBuf, String)>> = Mutex::new(Vec::new());

/// A request being made.
pub(crate) struct Request {
    stack: &'static str,
    inner: reqwest::RequestBuilder,
    id: String,
    log: std::path::PathBuf,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
    /// The `X-Request-Id` that was sent.
    pub(crate) request_id: String,
}

/// Log file and request id of every request that was answered with the id it was sent with.
pub(crate) fn answered() -> Vec<(std::path::PathBuf, String)> {
    lock(&ANSWERED).clone()
}

/// Does something until it has taken less than it may, a few times at most. Every answer is held against all else.
pub(crate) async fn within<T>(limit: Duration, mut attempt: impl AsyncFnMut() -> (Duration, T)) -> T {
    let mut slower = Vec::new();
    for _ in 0..TRIES {
        let (took, done) = attempt().await;
        if took < limit {
            return done;
        }
        slower.push(took);
    }
    panic!("never within {limit:?}: {slower:?}");
}

/// `GET` a path of the service.
pub(crate) fn get(stack: &Stack, path: &str) -> Request {
    Request::new(stack, Method::GET, path)
}

/// `POST` a JSON body to a path of the service.
pub(crate) fn post(stack: &Stack, path: &str, body: &Value) -> Request {
    Request::new(stack, Method::POST, path).json(body)
}

impl Request {
    /// A request with an id and a client address of its own.
    pub(crate) fn new(stack: &Stack, method: Method, path: &str) -> Self {
        // Letters only: an id with a run of digits could be a number, and would be replaced.
        let id = format!(
            "e2e-{}",
            random::<16>().map(|byte| char::from(b'a' + byte % 26)).iter().collect::<String>()
        );
        let [a, b, c] = random::<3>();
        let inner = http()
            .request(method, format!("{}{path}", stack.service))
            .timeout(PATIENCE)
            .header("cf-connecting-ip", format!("10.{a}.{b}.{c}"))
            .header("x-request-id", &id);
        Self { stack: "service", inner, id, log: stack.log.clone() }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string().into()).header("content-type", "application/json")
    }

    pub(crate) fn body(self, body: reqwest::Body) -> Self {
        Self { inner: self.inner.body(body), ..self }
    }

    /// Sets a header; any bytes that HTTP can carry.
    pub(crate) fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let mut one = HeaderMap::new();
        one.insert(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        Self { inner: self.inner.headers(one), ..self }
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends an `Idempotency-Key`.
    pub(crate) fn key(self, key: &str) -> Self {
        leaks::note("idempotency key", key);
        self.header("idempotency-key", key)
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(self) -> Answer {
        let what = self.stack;
        self.try_send().await.unwrap_or_else(|error| panic!("no answer from the {what}: {error}"))
    }

    /// Sends it and drops the connection after a while, as a phone in a tunnel does. Nothing may be answered before.
    pub(crate) async fn send_and_hang_up(self, after: Duration) {
        let sent = Self { inner: self.inner.timeout(after), ..self }.try_send().await;
        assert!(sent.is_err_and(|error| error.is_timeout()), "answered before the connection was dropped");
    }

    /// Sends it; the connection may break or time out.
    pub(crate) async fn try_send(self) -> reqwest::Result<Answer> {
        let began = Instant::now();
        let response = self.inner.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        if headers.get("x-request-id").is_some_and(|id| id == self.id.as_str()) {
            lock(&ANSWERED).push((self.log, self.id.clone()));
        }
        let answer = Answer { status, headers, body, took: began.elapsed(), request_id: self.id };
        leaks::note_answer(&answer.json());
        Ok(answer)
    }

    /// Gives up sooner than others.
    pub(crate) fn patience(self, patience: Duration) -> Self {
        Self { inner: self.inner.timeout(patience), ..self }
    }
}

impl Answer {
    /// The body; null when it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("not text"))
    }

    /// The body of a 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.summary());
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }

    /// The body of a problem, which must be as the contract says of all problems.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.summary());
        assert_eq!(self.header("content-type"), "application/problem+json", "{code}");
        let body = self.json();
        assert_eq!(body["type"], format!("/problems/{code}"));
        assert_eq!(body["status"], status);
        assert_eq!(body["requestId"], self.header("x-request-id"), "{code}");
        for text in ["title", "detail"] {
            assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{code} has no {text}");
        }
        match body["retryAfter"].as_u64() {
            Some(seconds) => assert_eq!(self.header("retry-after"), seconds.to_string()),
            None => assert_eq!(self.header("retry-after"), ""),
        }
        body
    }

    /// The code of a problem; empty for anything else.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What may be shown of it: a success can hold tokens and numbers.
    pub(crate) fn summary(&self) -> String {
        let body = if self.status < 400 { "...".to_owned() } else { self.text() };
        format!("{} after {:?}: {body}", self.status, self.took)
    }
}

/// What the runner and every client live on.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    })
}

/// The one connection pool.
pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| reqwest::Client::builder().no_proxy().build().unwrap())
}

/// Fresh entropy.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// `bytes` random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> String {
    data_encoding::HEXLOWER.encode(&random::<32>()[..bytes])
}

/// An `Idempotency-Key` as a client should make it.
pub(crate) fn fresh_key() -> String {
    data_encoding::BASE64URL_NOPAD.encode(&random::<16>())
}

/// A mobile number that this run has not used, of China Mobile unless a prefix of another carrier is asked for.
pub(crate) fn fresh_phone(prefix: &str) -> String {
    loop {
        let digits = u64::from_le_bytes(random()) % 100_000_000;
        let national = format!("{prefix}{digits:08}");
        if leaks::note("number", &national) {
            return format!("+86{national}");
        }
    }
}

/// What an app says about a device that has no token yet.
pub(crate) fn fresh_device() -> Value {
    let (name, push_token) = (format!("小明的手机 {}", random_hex(4)), random_hex(32));
    leaks::note("device name", &name);
    leaks::note("push token", &push_token);
    json!({ "name": name, "platform": "android", "model": "Pixel 9", "os": "Android 16",
            "appVersion": "1.2.3", "pushToken": push_token })
}

/// The body of a one-tap login on a fresh device.
pub(crate) fn login_body(credential: &Value) -> Value {
    json!({ "credential": credential, "device": fresh_device() })
}
