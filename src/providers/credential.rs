//! What a client hands in: the fields of `credential` that a document asks for.

use serde_json::Value;

use crate::kernel::{secret::Secret, table::Table};

use super::{
    document::{Capability, Document},
    operation::Derived,
};

/// Credential fields by name. Fields that the document does not ask for are ignored.
pub type Credential = Table<String, Secret<String>>;

/// Longest value of a credential field.
pub const MAX_FIELD_BYTES: usize = 4096;

/// The credential of a bot check, which clients hand in as one text: the text members of a JSON object, or the
/// field `token`.
pub fn bot_check_credential(text: &str) -> Credential {
    match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::Object(members)) => members
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, Secret::new(text))),
                _ => None,
            })
            .collect(),
        _ => std::iter::once(("token".to_owned(), Secret::new(text.to_owned()))).collect(),
    }
}

impl Document {
    /// What a client must put right: field and problem, one for each field at fault. Empty for a credential
    /// that can be sent.
    pub fn credential_problems(&self, capability: Capability, fields: &Credential) -> Vec<(String, String)> {
        let Some(operation) = self.operation(capability) else {
            return vec![("provider".to_owned(), format!("does not offer {}", capability.name()))];
        };
        let mut problems = Vec::new();
        for field in &operation.credential {
            let allowed = operation.derive.values().find_map(|derived| match derived {
                Derived::Map(map) if map.of == field.name => Some(&map.map),
                _ => None,
            });
            let problem = match fields.get(&field.name).map(Secret::expose) {
                None if field.optional => continue,
                None => "is missing".to_owned(),
                Some(value) if value.is_empty() => "is empty".to_owned(),
                Some(value) if value.len() > MAX_FIELD_BYTES => {
                    format!("is longer than {MAX_FIELD_BYTES} bytes")
                }
                // A token respelt (with a space, say) would be another token to us and perhaps not to the vendor.
                Some(value)
                    if operation.token.as_ref() == Some(&field.name)
                        && !value.bytes().all(|b| b.is_ascii_graphic()) =>
                {
                    "must be visible ASCII".to_owned()
                }
                Some(value) if value.contains(char::is_control) => {
                    "must not contain control characters".to_owned()
                }
                Some(value) => match allowed {
                    Some(map) if !map.contains_key(value) => {
                        let names: Vec<&str> = map.keys().map(String::as_str).collect();
                        format!("is not one of {}", names.join(", "))
                    }
                    _ => continue,
                },
            };
            problems.push((field.name.clone(), problem));
        }
        problems
    }

    /// The value that makes the credential single-use: what a claim is named after.
    pub fn primary<'c>(&self, capability: Capability, fields: &'c Credential) -> Option<&'c Secret<String>> {
        fields.get(self.operation(capability)?.token.as_ref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn credential(fields: &[(&str, &str)]) -> Credential {
        fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned()))).collect()
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let mobtech = find("mobtech").unwrap();
        let long = "x".repeat(MAX_FIELD_BYTES + 1);
        let fields = credential(&[("token", ""), ("opToken", &long)]);
        let problems = mobtech.credential_problems(Capability::OneTap, &fields);
        let names: Vec<&str> = problems.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["token", "opToken", "operator"]);

        let check = mobtech.credential_problems(Capability::NumberCheck, &fields);
        assert_eq!(check.first().unwrap().0, "provider");
    }

    #[test]
    fn optional_and_unknown_fields_are_no_problem() {
        let fields = credential(&[("token", "t"), ("opToken", "o"), ("operator", "CMCC"), ("extra", "")]);
        let mobtech = find("mobtech").unwrap();
        assert_eq!(mobtech.credential_problems(Capability::OneTap, &fields), []);
        assert_eq!(mobtech.primary(Capability::OneTap, &fields).unwrap().expose(), "t");
    }

    #[test]
    fn a_bot_check_hands_in_one_text() {
        assert_eq!(bot_check_credential("0.abc"), credential(&[("token", "0.abc")]));
        assert_eq!(bot_check_credential("[1]"), credential(&[("token", "[1]")]));
        let text = r#"{"lot_number": "l", "gen_time": "1", "n": 1, "o": {"a": "b"}}"#;
        assert_eq!(bot_check_credential(text), credential(&[("gen_time", "1"), ("lot_number", "l")]));
    }

    #[test]
    fn mapped_fields_know_their_values() {
        let map = ["accessToken", "appId", "device", "randoms", "sign", "timestamp", "version"];
        let mut fields = credential(&map.map(|name| (name, "x")));
        fields.insert("telecom".into(), Secret::new("CBN".into()));
        let problems = find("flash_v1").unwrap().credential_problems(Capability::OneTap, &fields);
        assert_eq!(problems, [("telecom".to_owned(), "is not one of CMCC, CTCC, CUCC".to_owned())]);
    }
}
