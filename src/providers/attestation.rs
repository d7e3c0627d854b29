//! What the operator's verifier is asked about a client that says it is the operator's own app on a device that nobody has
//! tampered with, and what it answers. Whoever attests that (Play Integrity, App Attest, 极验, ...) stands behind it.

use serde::Serialize;
use serde_json::Value;

use crate::{
    kernel::{
        digest::sha256,
        encoding::base64url,
        fault::Fault,
        http::{HttpReply, HttpRequest},
        json,
        secret::Secret,
    },
    model::platform::Platform,
};

/// What a client brought in `device.attestation`, for one request.
#[derive(Debug, Clone, Copy)]
pub struct Attested<'a> {
    /// Kind of client.
    pub platform: Platform,
    /// What attests it, as the client got it.
    pub token: &'a Secret<String>,
    /// The single-use part of the credential that came with it.
    pub credential: &'a str,
}

impl Attested<'_> {
    /// The question: `{"platform", "token", "nonce"}`. The nonce is the SHA-256 of the credential, in base64url: what was
    /// attested for another one is worth nothing here. Without a time: whoever sends it gives one.
    ///
    /// # Errors
    /// [`Fault`] when it does not serialise.
    pub fn question(&self, url: &str) -> Result<HttpRequest, Fault> {
        #[derive(Serialize)]
        struct Body<'a> {
            platform: &'static str,
            token: &'a str,
            nonce: String,
        }
        let nonce = base64url(&sha256(self.credential.as_bytes()));
        let body = Body { platform: self.platform.name(), token: self.token.expose(), nonce };
        Ok(HttpRequest {
            method: "POST",
            url: url.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: json::write(&body)?.into_bytes(),
            timeout: std::time::Duration::ZERO,
        })
    }
}

/// The answer, `{"genuine": true}` or `false`; `None` for anything else.
pub fn is_genuine(reply: &HttpReply) -> Option<bool> {
    let body: Value = serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200)?;
    body.get("genuine")?.as_bool()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_binds_it_to_one_credential() {
        let token = Secret::new("attested".to_owned());
        // NIST FIPS 180-2, appendix B.1: SHA-256 of "abc".
        let attested = Attested { platform: Platform::Android, token: &token, credential: "abc" };
        let question = attested.question("https://verifier.example/attest").unwrap();
        let body: Value = serde_json::from_slice(&question.body).unwrap();
        let nonce = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        let expected = serde_json::json!({"platform": "android", "token": "attested", "nonce": nonce});
        assert_eq!((question.method, body), ("POST", expected));
    }

    #[test]
    fn only_a_clear_word_is_one() {
        let says = |status, body: &str| is_genuine(&HttpReply { status, body: body.as_bytes().to_vec() });
        assert_eq!(
            (says(200, r#"{"genuine":true}"#), says(200, r#"{"genuine":false}"#)),
            (Some(true), Some(false))
        );
        for (status, body) in
            [(200, ""), (200, "{}"), (200, r#"{"genuine":"true"}"#), (500, r#"{"genuine":true}"#)]
        {
            assert_eq!(says(status, body), None, "{status} {body}");
        }
    }
}
