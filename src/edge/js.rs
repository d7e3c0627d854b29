//! The platform's JavaScript, by name. `worker` wraps most of it, but turns options and answers by way of
//! `serde_wasm_bindgen`, which is 40 kB of code for a handful of texts.
//!
//! `None` is whatever JavaScript throws or rejects with: nobody reads it, and it could quote what is secret.

use worker::{
    js_sys::{Array, Function, Object, Promise, Reflect},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
};

/// A member of an object.
pub(super) fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok()
}

/// An object with these members.
pub(super) fn object(members: &[(&str, JsValue)]) -> Option<JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), value).ok()?;
    }
    Some(object.into())
}

/// Calls a method.
pub(super) fn call(of: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let function: Function = get(of, method)?.dyn_into().ok()?;
    function.apply(of, &arguments.iter().collect::<Array>()).ok()
}

/// Calls a method that answers later.
pub(super) async fn ask(of: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    JsFuture::from(Promise::resolve(&call(of, method, arguments)?)).await.ok()
}

/// A whole number as JavaScript has it, exact up to 53 bits.
#[allow(clippy::cast_precision_loss, reason = "milliseconds are below 2^53 until the year 287396")]
pub(super) fn number(number: i64) -> JsValue {
    JsValue::from_f64(number as f64)
}
