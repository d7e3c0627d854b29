//! Bodies and signatures of webhooks, as Standard Webhooks has them (<https://www.standardwebhooks.com>, scheme `v1`).

use serde_json::{Map, Value};

use super::{
    digest::hmac_sha256,
    encoding::{base64, from_base64},
    json,
    secret::Secret,
    time::Timestamp,
};

/// A secret that a receiver shares with us: 24 to 64 bytes.
#[derive(Debug, Clone)]
pub struct WebhookSecret(Secret<Vec<u8>>);

impl WebhookSecret {
    /// Reads `whsec_` and Base64; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = from_base64(text.strip_prefix("whsec_")?)?;
        (24..=64).contains(&bytes.len()).then(|| Self(Secret::new(bytes)))
    }
}

/// The body: JSON that says what happened when, and to what.
pub fn payload(id: &str, kind: &str, at: Timestamp, data: &[(&str, Option<String>)]) -> String {
    let mut of = Map::new();
    for (name, value) in data {
        if let Some(value) = value {
            of.insert((*name).to_owned(), Value::String(value.clone()));
        }
    }
    let mut body = Map::new();
    for (name, value) in [("id", id), ("type", kind), ("timestamp", &at.rfc3339())] {
        body.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    body.insert("data".to_owned(), Value::Object(of));
    json::text(&Value::Object(body))
}

/// The header `webhook-signature`: one signature for each secret. `timestamp` is that of this attempt, in seconds.
pub fn signatures(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let sign = |WebhookSecret(secret): &WebhookSecret| {
        format!("v1,{}", base64(&hmac_sha256(secret.expose(), signed.as_bytes())))
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_reference_libraries_do() {
        // The vector of the tests of the reference libraries; recomputed with Python's hmac.
        let one = WebhookSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, at, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let first = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signatures(std::slice::from_ref(&one), id, at, body), first);
        // Python: hmac.new(bytes(range(32)), b"msg_p5j....1614265330.{...}", "sha256").
        let other = WebhookSecret::read("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        assert_eq!(
            signatures(&[one, other], id, at, body),
            format!("{first} v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI=")
        );
    }

    #[test]
    fn short_and_foreign_secrets_are_refused() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==",
            "whsec_?",
        ] {
            assert!(WebhookSecret::read(text).is_none(), "{text}");
        }
    }
}
