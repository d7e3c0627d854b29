//! Who is told of what happened: backends that listen to webhooks, and the vendor of push messages; and an operator's
//! verifier of attestations.
//!
//! Written from their descriptions, not from our code.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Mutex,
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use onetap::kernel::http::{HttpFailure, HttpReply, HttpRequest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{locked, provider::VENDOR_TEXT};

/// Where the world's backend listens.
pub(crate) const HOOK: &str = "https://backend.example/hooks?key=0a1b2c3d4e5f";

/// What it shares with us.
pub(crate) const HOOK_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Where the world's verifier of attestations listens.
pub(crate) const VERIFIER: &str = "https://verifier.example/attest";

/// One delivery, as a backend sees it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// One push message, as its device shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) event: String,
    pub(crate) notice: String,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Receivers {
    deliveries: Mutex<Vec<Delivery>>,
    /// What the backend answers next; 200 when nothing is planned.
    pub(crate) answers: Mutex<VecDeque<Result<u16, HttpFailure>>>,
    pushes: Mutex<Vec<Push>>,
    /// Push tokens whose app was removed.
    pub(crate) gone: Mutex<BTreeSet<String>>,
    /// What the vendor of pushes answers instead of taking them.
    pub(crate) push_trouble: Mutex<Option<Result<u16, HttpFailure>>>,
}

impl Receivers {
    /// What the backend was sent, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        locked(&self.deliveries).clone()
    }

    /// The push messages that were shown.
    pub(crate) fn pushes(&self) -> Vec<Push> {
        locked(&self.pushes).clone()
    }

    pub(super) fn answer(&self, request: &HttpRequest) -> Option<Result<HttpReply, HttpFailure>> {
        if request.url == HOOK {
            return Some(self.hook(request));
        }
        if request.url == VERIFIER {
            return Some(Self::verifier(request));
        }
        (request.url == "https://api.jpush.cn/v3/push").then(|| self.jpush(request))
    }

    fn hook(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let text = String::from_utf8(request.body.clone()).unwrap();
        let body = serde_json::from_str(&text).unwrap();
        let headers = request.headers.iter().cloned().collect();
        locked(&self.deliveries).push(Delivery { headers, text, body });
        let status = locked(&self.answers).pop_front().unwrap_or(Ok(200))?;
        Ok(HttpReply { status, body: b"whatever".to_vec() })
    }

    /// A token names the credential for which it was made; of others only what they say is known.
    fn verifier(request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let [token, nonce] = ["token", "nonce"].map(|name| body[name].as_str().unwrap());
        let says = |status, body: Value| Ok(HttpReply { status, body: body.to_string().into_bytes() });
        match token {
            "hangs" => Err(HttpFailure::TimedOut),
            "breaks" => says(500, json!({"genuine": true})),
            "says nothing" => says(200, json!({})),
            token => {
                let made_for = token.strip_prefix("genuine for ").map(Sha256::digest);
                let is_genuine = made_for.is_some_and(|digest| BASE64URL_NOPAD.encode(&digest) == nonce);
                says(200, json!({"genuine": is_genuine && body["platform"] == "ios"}))
            }
        }
    }

    fn jpush(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let basic = format!("Basic {}", BASE64.encode(b"pushKey:pushSecret"));
        assert!(request.headers.contains(&("authorization".to_owned(), basic)));
        let says = |status, body: Value| Ok(HttpReply { status, body: body.to_string().into_bytes() });
        let refuses = |status, code| says(status, json!({"error": {"code": code, "message": VENDOR_TEXT}}));
        match *locked(&self.push_trouble) {
            Some(Ok(401)) => return refuses(401, 1004),
            Some(Ok(status)) => return refuses(status, 1000),
            Some(Err(failure)) => return Err(failure),
            None => {}
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = |pointer: &str| body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let to = text("/audience/registration_id/0");
        if locked(&self.gone).contains(&to) {
            return refuses(400, 1011);
        }
        assert_eq!(text("/notification/ios/alert"), text("/notification/android/alert"));
        locked(&self.pushes).push(Push {
            to,
            text: text("/notification/ios/alert"),
            event: text("/notification/ios/extras/event"),
            notice: text("/notification/ios/extras/notice"),
        });
        says(200, json!({"sendno": "0", "msg_id": "18100287008546"}))
    }
}
