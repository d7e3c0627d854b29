//! What a client hands in: the fields of `credential` that a document asks for.

use std::collections::BTreeMap;

use crate::kernel::secret::Secret;

use super::document::{Capability, Derived, Document};

/// Credential fields by name. Fields that the document does not ask for are ignored.
pub type Credential = BTreeMap<String, Secret<String>>;

/// Longest value of a credential field.
pub const MAX_FIELD_BYTES: usize = 4096;

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
                    if field.name == operation.token && !value.bytes().all(|b| b.is_ascii_graphic()) =>
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
        fields.get(&self.operation(capability)?.token)
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
    fn mapped_fields_know_their_values() {
        let map = ["accessToken", "appId", "device", "randoms", "sign", "timestamp", "version"];
        let mut fields = credential(&map.map(|name| (name, "x")));
        fields.insert("telecom".into(), Secret::new("CBN".into()));
        let problems = find("flash_v1").unwrap().credential_problems(Capability::OneTap, &fields);
        assert_eq!(problems, [("telecom".to_owned(), "is not one of CMCC, CTCC, CUCC".to_owned())]);
    }
}
