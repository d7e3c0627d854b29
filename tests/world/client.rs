//! A client of the service: requests in JSON, answers in JSON.

use std::{
    collections::BTreeMap,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use onetap::{
    api::{
        self,
        http::{Body, HttpIn},
    },
    kernel::{digest::sha256, table::Table},
    model::{
        api_key::{self, ApiKey, Mode},
        login_history::Place,
    },
};
use serde_json::{Value, json};

use super::{World, locked};

/// Name of everybody's device.
pub(crate) const DEVICE_NAME: &str = "小明的手机 Xiaoming";

/// Where everybody's push messages go.
pub(crate) const PUSH_TOKEN: &str = "c0ffee11c0ffee22c0ffee33c0ffee44";

/// A request being made.
pub(crate) struct Ask<'w> {
    world: &'w World,
    http: HttpIn,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<&'static str, String>,
    /// Every `Set-Cookie`, in order.
    pub(crate) cookies: Vec<String>,
    pub(crate) body: Value,
    /// The code in the log line.
    pub(crate) logged: &'static str,
}

impl World {
    /// `POST` with a body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        let mut ask = self.ask("POST", path, Body::Read(body.to_string().into_bytes()));
        ask.http.headers.insert("content-type".to_owned(), "application/json".to_owned());
        ask
    }

    /// `PATCH` with a body.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Ask<'_> {
        let mut ask = self.post(path, body);
        "PATCH".clone_into(&mut ask.http.method);
        ask
    }

    /// `PUT` with a body.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Ask<'_> {
        let mut ask = self.post(path, body);
        "PUT".clone_into(&mut ask.http.method);
        ask
    }

    /// `DELETE`.
    pub(crate) fn delete(&self, path: &str) -> Ask<'_> {
        self.ask("DELETE", path, Body::Read(Vec::new()))
    }

    /// `OPTIONS`.
    pub(crate) fn options(&self, path: &str) -> Ask<'_> {
        self.ask("OPTIONS", path, Body::Read(Vec::new()))
    }

    /// `POST` of a form.
    pub(crate) fn form(&self, path: &str, form: &str) -> Ask<'_> {
        let ask = self.ask("POST", path, Body::Read(form.as_bytes().to_vec()));
        ask.header("content-type", "application/x-www-form-urlencoded")
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", path, Body::Read(Vec::new()))
    }

    /// A one-tap login with China Mobile for a number on a new device.
    pub(crate) fn login(&self, phone: &str) -> Answer {
        self.log_in_with(&self.providers.token(phone)).send()
    }

    /// Asks for a code to sign in with.
    pub(crate) fn send_otp(&self, phone: &str) -> Ask<'_> {
        self.post("/v1/otp/send", &json!({"phone": phone, "device": device()}))
    }

    /// Signs in with a code.
    pub(crate) fn otp_login(&self, challenge: &str, code: &str) -> Ask<'_> {
        self.post("/v1/otp/login", &otp_login_body(challenge, code))
    }

    /// A one-tap login with China Mobile with a token, on a new device.
    pub(crate) fn log_in_with(&self, token: &str) -> Ask<'_> {
        self.post("/v1/one-tap/login", &login_body("cmcc", token))
    }

    /// Stores an API key with scopes and returns its text.
    pub(crate) fn api_key(&self, name: &str, scopes: &[&str]) -> String {
        self.api_key_of(name, scopes, Mode::Live, [None, None])
    }

    /// Stores an API key in test mode.
    pub(crate) fn test_key(&self, name: &str, scopes: &[&str]) -> String {
        self.api_key_of(name, scopes, Mode::Test, [None, None])
    }

    /// Stores an API key with limits of its own: calls in a minute, calls in a month.
    pub(crate) fn api_key_of(
        &self,
        name: &str,
        scopes: &[&str],
        mode: Mode,
        [calls_per_minute, calls_per_month]: [Option<u32>; 2],
    ) -> String {
        let random = data_encoding::BASE64URL_NOPAD.encode(&sha256(name.as_bytes()));
        let text = match mode {
            Mode::Live => format!("oak_{random}"),
            Mode::Test => format!("oak_test_{random}"),
        };
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (name, apps) = (name.to_owned(), None);
        let key = ApiKey { name, mode, calls_per_minute, calls_per_month, apps, scopes };
        self.back_office().api_keys.insert(api_key::digest(&text).unwrap(), key);
        text
    }

    fn ask(&self, method: &str, path: &str, body: Body) -> Ask<'_> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let http = HttpIn {
            method: method.to_owned(),
            is_head: false,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Table::new(),
            body,
            address: "203.0.113.7".to_owned(),
            place: Place { country: Some("CN".to_owned()), city: Some("Shanghai".to_owned()) },
            id: String::new(),
        };
        Ask { world: self, http }
    }
}

impl<'w> Ask<'w> {
    /// With an `Idempotency-Key`.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// From another address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        address.clone_into(&mut self.http.address);
        self
    }

    /// With `Authorization: Bearer`.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.http.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The request itself.
    pub(crate) fn into_http(self) -> HttpIn {
        self.http
    }

    /// With another body.
    pub(crate) fn set_body(&mut self, body: &[u8]) {
        self.http.body = Body::Read(body.to_vec());
    }

    /// Sends it and waits for the answer, and for the work after it.
    pub(crate) fn send(self) -> Answer {
        at_once(self.run()).expect("the service hangs")
    }

    /// Asks for the head alone.
    pub(crate) fn head_only(mut self) -> Self {
        "GET".clone_into(&mut self.http.method);
        self.http.is_head = true;
        self
    }

    /// Sends it and looks at nothing but the status: not everybody is answered in JSON.
    pub(crate) fn send_raw(self) -> u16 {
        let service = self.world.service();
        let served = at_once(api::serve(service, self.http)).expect("the service hangs");
        served.out.status
    }

    /// Sends it; `None` when the service dies in the middle.
    pub(crate) fn try_send(self) -> Option<Answer> {
        at_once(self.run())
    }

    /// Sends it; the service dies when it has answered.
    pub(crate) fn send_and_die(self) -> Answer {
        let served = at_once(api::serve(self.world.service(), self.http)).expect("the service hangs");
        Answer::of(self.world, &served)
    }

    /// The whole of it, as a future.
    pub(crate) async fn run(self) -> Answer {
        let service = self.world.service();
        let served = api::serve(service, self.http).await;
        let answer = Answer::of(self.world, &served);
        for after in served.after {
            // As at the edge: the answer has left, a fault is only logged.
            let _ = api::finish(service, after).await;
        }
        answer
    }
}

impl Answer {
    /// The value at a pointer, as text.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no text at {pointer} in {}", self.body))
    }

    /// Claims that it is a login, and returns it.
    #[track_caller]
    pub(crate) fn signed_in(self) -> Self {
        assert_eq!((self.status, &self.body["status"]), (200, &json!("signed_in")), "{}", self.body);
        self
    }

    /// Claims that a code is on its way, and returns its challenge.
    #[track_caller]
    pub(crate) fn challenge(&self) -> String {
        assert_eq!(self.status, 202, "{}", self.body);
        self.text("/challengeId").to_owned()
    }

    /// Claims that it is a problem of a code with its status.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{}", self.body);
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["requestId"], self.headers["x-request-id"]);
    }

    /// Claims that it is such a problem and offers the code by SMS.
    #[track_caller]
    pub(crate) fn falls_back(&self, status: u16, code: &str) {
        self.is_problem(status, code);
        assert_eq!(self.body["fallback"], json!(["otp"]));
    }

    fn of(world: &World, served: &api::Served) -> Self {
        locked(&world.log).push(format!("{:?}", served.log));
        Self {
            status: served.out.status,
            headers: served.out.headers.iter().cloned().collect(),
            cookies: served
                .out
                .headers
                .iter()
                .filter(|(name, _)| *name == "set-cookie")
                .map(|(_, cookie)| cookie.clone())
                .collect(),
            body: match served.out.body.as_slice() {
                [] => Value::Null,
                json => serde_json::from_slice(json).unwrap(),
            },
            logged: served.log.code,
        }
    }
}

/// What a device says about itself.
pub(crate) fn device() -> Value {
    json!({"name": DEVICE_NAME, "platform": "ios", "model": "iPhone18,1", "os": "iOS 26.1",
        "appVersion": "3.2.1", "pushToken": PUSH_TOKEN})
}

/// A device that presents the token issued to it.
pub(crate) fn device_with(token: &str) -> Value {
    let mut device = device();
    device["token"] = json!(token);
    device
}

/// The body of a one-tap login.
pub(crate) fn login_body(provider: &str, token: &str) -> Value {
    json!({"credential": {"provider": provider, "token": token}, "device": device()})
}

/// The body of a login with a code.
pub(crate) fn otp_login_body(challenge: &str, code: &str) -> Value {
    json!({"challengeId": challenge, "code": code, "device": device()})
}

/// Nothing in the world makes a future wait, except what is held or dead: one poll is enough.
pub(crate) fn at_once<F: Future>(future: F) -> Option<F::Output> {
    poll_once(pin!(future))
}

/// Polls a future; `None` while it waits.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
