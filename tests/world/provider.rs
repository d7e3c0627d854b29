//! Providers as the service sees them: three wire protocols, single-use tokens, and replies on request.
//!
//! Written from the providers' descriptions, not from our documents. Signatures are the sandbox's business.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
};

use aes::Aes128;
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use data_encoding::{HEXLOWER, HEXUPPER};
use onetap::kernel::http::{HttpFailure, HttpReply, HttpRequest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    configuration::{CMCC_APP_KEY, FLASH_APP_KEY},
    locked,
};

/// Text of a vendor that no client may ever see.
pub(crate) const VENDOR_TEXT: &str = "内部错误 vendor-says-so";

/// What a provider does with a token.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Vouches for this number (eleven digits), or compares with it.
    Vouches(String),
    /// Answers just this.
    Says(u16, String),
    /// Does not answer.
    Fails(HttpFailure),
    /// Vouches, but only after [`Providers::release`]; until then the request hangs.
    Held(String),
}

/// All providers.
#[derive(Default)]
pub(crate) struct Providers {
    scripts: Mutex<BTreeMap<String, Script>>,
    seen: Mutex<BTreeMap<String, usize>>,
    issued: AtomicUsize,
    released: AtomicBool,
}

impl Providers {
    /// A fresh token that vouches for a number (eleven digits).
    pub(crate) fn token(&self, phone: &str) -> String {
        self.token_that(Script::Vouches(phone.to_owned()))
    }

    /// A fresh token with a script.
    pub(crate) fn token_that(&self, script: Script) -> String {
        let nth = self.issued.fetch_add(1, Ordering::SeqCst);
        // China Unicom's by its prefix, for the provider that says so.
        let token = format!("A2-{}", HEXLOWER.encode(&Sha256::digest(format!("token {nth}"))[..20]));
        locked(&self.scripts).insert(token.clone(), script);
        token
    }

    /// Requests that hang go on.
    pub(crate) fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
    }

    /// How often a token arrived.
    pub(crate) fn times_seen(&self, token: &str) -> usize {
        locked(&self.seen).get(token).copied().unwrap_or_default()
    }

    /// All tokens issued.
    pub(crate) fn tokens(&self) -> Vec<String> {
        locked(&self.scripts).keys().cloned().collect()
    }

    pub(super) async fn answer(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let wire = Wire::of(request);
        let script = locked(&self.scripts).get(&wire.token).cloned();
        let times = {
            let mut seen = locked(&self.seen);
            let times = seen.entry(wire.token.clone()).or_default();
            *times += 1;
            *times
        };
        match script {
            Some(Script::Says(status, body)) => Ok(HttpReply { status, body: body.into_bytes() }),
            Some(Script::Fails(failure)) => Err(failure),
            Some(Script::Vouches(phone)) if times == 1 => Ok(wire.vouch(&phone)),
            Some(Script::Held(phone)) if times == 1 => {
                let released = || self.released.load(Ordering::SeqCst);
                poll_fn(|_| if released() { Poll::Ready(()) } else { Poll::Pending }).await;
                Ok(wire.vouch(&phone))
            }
            _ => Ok(wire.used()),
        }
    }
}

/// One request, as far as a provider looks at it.
struct Wire {
    protocol: Protocol,
    token: String,
    fields: Value,
}

#[derive(Clone, Copy)]
enum Protocol {
    Cmcc,
    CmccCheck,
    Aliyun,
    AliyunCheck,
    FlashV2,
    FlashV2Check,
}

impl Wire {
    fn of(request: &HttpRequest) -> Self {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let form = |text: &[u8]| -> Value {
            form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), json!(value))).collect()
        };
        let (protocol, fields, token) = match path {
            "https://www.cmpassport.com/unisdk/rsapi/loginTokenValidate" => {
                (Protocol::Cmcc, serde_json::from_slice(&request.body).unwrap(), "/token")
            }
            "https://www.cmpassport.com/openapi/rs/tokenValidate" => {
                (Protocol::CmccCheck, serde_json::from_slice(&request.body).unwrap(), "/body/token")
            }
            "https://dypnsapi.aliyuncs.com/" if query.contains("AccessCode=") => {
                (Protocol::AliyunCheck, form(query.as_bytes()), "/AccessCode")
            }
            "https://dypnsapi.aliyuncs.com/" => (Protocol::Aliyun, form(query.as_bytes()), "/AccessToken"),
            "https://api.253.com/open/flashsdk/mobile-query" => {
                (Protocol::FlashV2, form(&request.body), "/token")
            }
            "https://api.253.com/open/flashsdk/mobile-validate" => {
                (Protocol::FlashV2Check, form(&request.body), "/token")
            }
            other => panic!("no provider at {other}"),
        };
        let token = fields.pointer(token).unwrap().as_str().unwrap().to_owned();
        Self { protocol, token, fields }
    }

    fn vouch(&self, phone: &str) -> HttpReply {
        let ok = |body: Value| HttpReply { status: 200, body: body.to_string().into_bytes() };
        match self.protocol {
            Protocol::Cmcc => ok(json!({"resultCode": "103000", "msisdn": phone, "taskId": "1"})),
            Protocol::CmccCheck => {
                let dated = format!("{phone}{CMCC_APP_KEY}{}", self.text("/header/timestamp"));
                let same = HEXUPPER.encode(&Sha256::digest(dated)) == self.text("/body/phoneNum");
                let code = if same { "000" } else { "001" };
                ok(json!({"header": {"resultCode": code}, "body": {"resultDesc": VENDOR_TEXT}}))
            }
            Protocol::Aliyun => {
                ok(json!({"Code": "OK", "Message": VENDOR_TEXT, "GetMobileResultDTO": {"Mobile": phone}}))
            }
            Protocol::AliyunCheck => {
                let verdict = if self.text("/PhoneNumber") == phone { "PASS" } else { "REJECT" };
                ok(json!({"Code": "OK", "GateVerifyResultDTO": {"VerifyResult": verdict}}))
            }
            Protocol::FlashV2 => {
                ok(json!({"code": "200000", "chargeStatus": 1, "data": {"mobileName": flash_cipher(phone)}}))
            }
            Protocol::FlashV2Check => {
                let verdict = if self.text("/mobile") == phone { "1" } else { "0" };
                ok(json!({"code": "200000", "chargeStatus": 1, "data": {"isVerify": verdict}}))
            }
        }
    }

    fn used(&self) -> HttpReply {
        let (status, body) = match self.protocol {
            Protocol::Cmcc => (200, json!({"resultCode": "104201", "resultDesc": VENDOR_TEXT})),
            Protocol::CmccCheck => (200, json!({"header": {"resultCode": "606"}})),
            Protocol::Aliyun | Protocol::AliyunCheck => {
                (400, json!({"Code": "isv.TOKEN_INVALID", "Message": VENDOR_TEXT}))
            }
            Protocol::FlashV2 | Protocol::FlashV2Check => {
                (200, json!({"code": "403000", "message": VENDOR_TEXT}))
            }
        };
        HttpReply { status, body: body.to_string().into_bytes() }
    }

    fn text(&self, pointer: &str) -> &str {
        self.fields.pointer(pointer).unwrap().as_str().unwrap()
    }
}

/// AES-128-CBC under the halves of the hex MD5 of the key, as the vendor's demo does it.
fn flash_cipher(phone: &str) -> String {
    let hex = HEXLOWER.encode(&md5::Md5::digest(FLASH_APP_KEY));
    let (key, iv) = hex.as_bytes().split_at(16);
    let cipher = Encryptor::<Aes128>::new_from_slices(key, iv).unwrap();
    HEXLOWER.encode(&cipher.encrypt_padded_vec::<Pkcs7>(phone.as_bytes()))
}
