//! Values in vendors' JSON.

use serde_json::Value;

/// The first of several places that holds a value. Vendors write the same one as text here, as a number there.
pub(super) fn first_text(json: &Value, pointers: &[String]) -> Option<String> {
    pointers.iter().find_map(|pointer| json.pointer(pointer).and_then(text))
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The vendor's id of an SMS, if it can be one.
pub(super) fn message_id(text: String) -> Option<String> {
    (text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic())).then_some(text)
}
