//! Settings that are JSON.

use serde::de::DeserializeOwned;

/// Reads a setting that is no secret.
///
/// # Errors
/// What is wrong and where, to stand after the setting's name. The sentence may quote the setting, so secrets
/// have readers of their own.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_slice(text.as_bytes()).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_error_says_what_and_where() {
        let read = from_json::<BTreeMap<String, u8>>;
        assert_eq!(read(r#"{"a":1}"#).unwrap()["a"], 1);
        let problem = read("{\"a\":1,\n\"b\":\"x\"}").unwrap_err();
        assert!(problem.contains("\"x\"") && problem.contains("line 2"), "{problem}");
    }
}
