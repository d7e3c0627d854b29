//! Signatures that the platform checks: Web Cryptography, which every Worker has.

use worker::{
    js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, global},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
};

use super::world::EdgeWorld;
use crate::{kernel::fault::Fault, ports::Signatures};

impl Signatures for EdgeWorld {
    async fn verify_p256(&self, key: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> Result<bool, Fault> {
        let algorithm = named(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")])?;
        let usages = Array::of1(&"verify".into());
        let import: [JsValue; 5] =
            ["raw".into(), bytes(key), algorithm.clone(), JsValue::FALSE, usages.into()];
        // A point that is not on the curve is refused here.
        let Ok(key) = subtle("importKey", &import)?.await else { return Ok(false) };
        let verify = [algorithm, key, bytes(signature), bytes(message)];
        let verdict = subtle("verify", &verify)?.await.map_err(|_| NOT_ASKED)?;
        Ok(verdict.is_truthy())
    }
}

/// Calls a method of `crypto.subtle`.
fn subtle(method: &str, arguments: &[JsValue]) -> Result<JsFuture, Fault> {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).map_err(|_| NOT_ASKED);
    let subtle = get(&get(&global(), "crypto")?, "subtle")?;
    let function: Function = get(&subtle, method)?.dyn_into().map_err(|_| NOT_ASKED)?;
    let promise = function.apply(&subtle, &arguments.iter().collect()).map_err(|_| NOT_ASKED)?;
    Ok(promise.dyn_into::<Promise>().map_err(|_| NOT_ASKED)?.into())
}

fn named(members: &[(&str, &str)]) -> Result<JsValue, Fault> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), &(*value).into()).map_err(|_| NOT_ASKED)?;
    }
    Ok(object.into())
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

const NOT_ASKED: Fault = Fault::new("signature_not_checked");
