//! Signatures that the platform checks: Web Cryptography, which every Worker has.

use worker::{
    js_sys::{Array, Uint8Array, global},
    wasm_bindgen::JsValue,
};

use super::{js, world::EdgeWorld};
use crate::{kernel::fault::Fault, ports::Signatures};

impl Signatures for EdgeWorld {
    async fn verify_p256(&self, key: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> Result<bool, Fault> {
        let algorithm = named(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")])?;
        verify("raw", bytes(key), algorithm, message, signature).await
    }

    async fn verify_rsa(
        &self,
        modulus: &str,
        exponent: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        let algorithm = named(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")])?;
        let key = named(&[("kty", "RSA"), ("n", modulus), ("e", exponent)])?;
        verify("jwk", key, algorithm, message, signature).await
    }
}

async fn verify(
    format: &str,
    key: JsValue,
    algorithm: JsValue,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Fault> {
    let subtle = js::get(&global(), "crypto").and_then(|crypto| js::get(&crypto, "subtle"));
    let subtle = subtle.ok_or(NOT_ASKED)?;
    let usages = Array::of1(&"verify".into());
    let import: [JsValue; 5] = [format.into(), key, algorithm.clone(), JsValue::FALSE, usages.into()];
    // What is no key, such as a point that is not on the curve, is refused here.
    let Some(key) = js::ask(&subtle, "importKey", &import).await else { return Ok(false) };
    let verify = [algorithm, key, bytes(signature), bytes(message)];
    let verdict = js::ask(&subtle, "verify", &verify).await.ok_or(NOT_ASKED)?;
    Ok(verdict.is_truthy())
}

fn named(members: &[(&str, &str)]) -> Result<JsValue, Fault> {
    let members: Vec<(&str, JsValue)> =
        members.iter().map(|(name, value)| (*name, (*value).into())).collect();
    js::object(&members).ok_or(NOT_ASKED)
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

const NOT_ASKED: Fault = Fault::new("signature_not_checked");
