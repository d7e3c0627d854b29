//! The sandbox's control API: credentials as an SDK would hand them out, and what the carriers saw.

use serde_json::{Value, json};

use crate::{client::http, leaks, stack::Stack};

/// All providers, in the order of the documentation.
pub(crate) const PROVIDERS: [&str; 5] = ["flash_v2", "flash_v1", "cmcc", "aliyun", "mobtech"];

/// The providers that also compare a typed number.
pub(crate) const CHECKING: [&str; 3] = ["flash_v2", "cmcc", "aliyun"];

/// Words that stand in the sandbox's failure pages and nowhere else.
pub(crate) const UPSTREAM_TEXT: &str = "SANDBOX-UPSTREAM-FAILURE";

/// An order for a credential.
pub(crate) struct Order(Value);

impl Order {
    /// A one-tap credential of a SIM that holds `phone`.
    pub(crate) fn new(provider: &str, phone: &str) -> Self {
        Self(json!({ "provider": provider, "phone": phone }))
    }

    /// For a number check instead.
    pub(crate) fn check(self) -> Self {
        self.with("purpose", "check")
    }

    /// Given by this carrier.
    pub(crate) fn carrier(self, carrier: &str) -> Self {
        self.with("carrier", carrier)
    }

    /// With which the provider misbehaves.
    pub(crate) fn behaviour(self, behaviour: &str) -> Self {
        self.with("behaviour", behaviour)
    }

    /// The credential, as the client sends it.
    pub(crate) async fn mint(self, stack: &Stack) -> Value {
        let url = format!("{}/sandbox/credentials", stack.sandbox);
        let request = http().post(url).header("content-type", "application/json").body(self.0.to_string());
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let credential = answer["credential"].clone();
        assert!(credential.is_object(), "the sandbox minted nothing: {answer}");
        leaks::note("credential", token(&credential));
        for name in ["opToken", "sign"] {
            if let Some(text) = credential[name].as_str() {
                leaks::note("credential", text);
            }
        }
        credential
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.0[name] = json!(value);
        self
    }
}

/// How often the provider of a credential was asked about it.
pub(crate) async fn times_seen(stack: &Stack, credential: &Value) -> u64 {
    let provider = credential["provider"].as_str().unwrap();
    let calls = calls(stack, provider).await;
    calls["tokens"][token(credential)].as_u64().unwrap_or(0)
}

/// How often a provider was asked at all.
pub(crate) async fn calls(stack: &Stack, provider: &str) -> Value {
    let url = format!("{}/sandbox/calls?provider={provider}", stack.sandbox);
    http().get(url).send().await.unwrap().json().await.unwrap()
}

/// The single-use part of a credential.
pub(crate) fn token(credential: &Value) -> &str {
    credential["token"].as_str().or(credential["accessToken"].as_str()).unwrap()
}
