//! Turns vectors into calls of the engine and takes its requests apart.

use std::collections::BTreeMap;

use onetap::{
    kernel::{
        email::EmailAddress,
        http::{HttpReply, HttpRequest},
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{carrier::Carrier, platform::Platform},
    providers::{self, Account, Answer, Call, Capability, Credential, Document, Inquiry, Mail, find},
};
use serde_json::{Map, Value, json};

const ALL: &str = include_str!("providers.json");

/// 2026-11-20T04:00:00.123Z, noon in China.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_147_200_123);

pub(crate) fn names() -> Vec<String> {
    object(serde_json::from_str(ALL).unwrap()).into_iter().map(|(name, _)| name).collect()
}

pub(crate) fn vector(name: &str) -> Value {
    serde_json::from_str::<Value>(ALL).unwrap()[name].take()
}

pub(crate) fn published(name: &str) -> Value {
    let vector = vector(name);
    assert_eq!(vector["published"], true, "{name}");
    vector
}

pub(crate) fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"))
}

pub(crate) fn credential(fields: &Value) -> Credential {
    let fields = fields.as_object().unwrap();
    fields
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value.as_str().unwrap().to_owned())))
        .collect()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn nonce(hex: &str) -> [u8; 16] {
    u128::from_str_radix(hex, 16).unwrap().to_be_bytes()
}

/// Everything that a vector fixes about a call of a built-in provider.
pub(crate) struct Case {
    pub(crate) document: Document,
    pub(crate) capability: Capability,
    pub(crate) settings: Value,
    pub(crate) credential: Value,
    pub(crate) address: &'static str,
    pub(crate) request_id: &'static str,
    pub(crate) nonce: [u8; 16],
    pub(crate) now: Timestamp,
    pub(crate) message: Option<Message>,
    pub(crate) inquiry: Option<Inquiry<'static>>,
}

/// An SMS, or an e-mail with address and subject.
pub(crate) struct Message {
    pub(crate) text: &'static str,
    pub(crate) template: Option<&'static str>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) mail: Option<(EmailAddress, &'static str)>,
}

impl Case {
    pub(crate) fn new(provider: &'static str, settings: Value, credential: Value) -> Self {
        Self {
            document: find(provider).unwrap().clone(),
            capability: Capability::OneTap,
            settings,
            credential,
            address: "203.0.113.7",
            request_id: "order-0001",
            nonce: [0; 16],
            now: NOON,
            message: None,
            inquiry: None,
        }
    }

    fn with<T>(&self, use_call: impl FnOnce(&Call<'_>) -> T) -> T {
        let document = &self.document;
        let phone = PhoneNumber::parse("13800138000").unwrap();
        let has_phone = self.capability != Capability::OneTap;
        use_call(&Call {
            document,
            capability: self.capability,
            account: &Account::new(document, "default", object(self.settings.clone())).unwrap(),
            credential: &credential(&self.credential),
            phone: has_phone.then_some(&phone),
            message: self.message.as_ref().map(|Message { text, template, params, mail }| {
                providers::Message {
                    text,
                    code: "123456",
                    template: *template,
                    params,
                    mail: mail.as_ref().map(|(to, subject)| Mail { to, subject }),
                }
            }),
            inquiry: self.inquiry,
            platform: Platform::Ios,
            address: self.address,
            request_id: self.request_id,
            now: self.now,
            nonce: self.nonce,
            base_url: None,
        })
    }

    pub(crate) fn request(&self) -> HttpRequest {
        self.with(|call| call.request().unwrap())
    }

    pub(crate) fn read(&self, body: Value) -> Answer {
        self.with(|call| call.read(&HttpReply { status: 200, body: body.to_string().into_bytes() }))
    }
}

pub(crate) fn form(request: &HttpRequest) -> BTreeMap<String, String> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

pub(crate) fn json_body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

pub(crate) fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()).unwrap()
}

pub(crate) fn number(phone: &str, carrier: Option<Carrier>, charged: Option<bool>) -> Answer {
    Answer::Number { phone: PhoneNumber::parse(phone).unwrap(), carrier, charged }
}

/// The request of a document that sends just these parameters, signed so.
pub(crate) fn request_of_a_new_document(
    params: &Value,
    key: &str,
    request: Value,
    sign: Value,
) -> HttpRequest {
    let names: Vec<&String> = params.as_object().unwrap().keys().collect();
    let fields: BTreeMap<&String, String> = names.iter().map(|name| (*name, format!("{{{name}}}"))).collect();
    let document = json!({
        "id": "new", "name": "New", "certainty": "assumed", "sources": [],
        "settings": {"ourKey": {"secret": true}},
        "one_tap": {
            "credential": names, "token": names[0], "request": request, "fields": fields, "sign": sign,
            "reply": {"code": ["/code"], "value": ["/phone"]},
            "outcome": {"ok": ["0"], "rejected": [], "unavailable": [], "account": []}
        }
    });
    let document = Document::from_json(&document.to_string()).unwrap();
    let account = Account::new(&document, "default", object(json!({"ourKey": key}))).unwrap();
    Call {
        document: &document,
        capability: Capability::OneTap,
        account: &account,
        credential: &credential(params),
        phone: None,
        message: None,
        inquiry: None,
        platform: Platform::Ios,
        address: "",
        request_id: "",
        now: NOON,
        nonce: [0; 16],
        base_url: None,
    }
    .request()
    .unwrap()
}

pub(crate) fn post(url: &str, encoding: &str) -> Value {
    json!({"method": "POST", "url": url, "encoding": encoding, "timeout_ms": 2000})
}

pub(crate) fn mac(of: &str, mac: &str, key: &str, output: &str, field: &str) -> Value {
    json!({"scheme": "mac", "of": of, "mac": mac, "key": key, "output": output, "into": {"field": field}})
}
