//! The values that a call's templates can name.

use serde_json::{Map, Value};

use crate::kernel::{
    encoding::{base64, hex},
    json,
    secret::Secret,
    table::Table,
};

use super::{
    call::{Call, CallError, Message},
    operation::{Derived, Operation},
    sign,
    template::{Template, Unfilled},
};

/// Names and values of one call. Wiped when dropped.
pub(super) struct Values(Table<String, Secret<String>>);

impl Values {
    /// Built-ins, settings, credential fields, then what is derived from them.
    pub(super) fn of(call: &Call<'_>, operation: &Operation) -> Result<Self, CallError> {
        let mut values = Self(Table::new());
        let built_ins = [
            ("address", call.address.to_owned()),
            ("now_compact17", call.now.compact17()),
            ("now_iso", call.now.rfc3339()),
            ("now_ms", call.now.millis().to_string()),
            ("now_s", call.now.secs().to_string()),
            ("nonce", hex(&call.nonce)),
            ("platform", call.platform.name().to_owned()),
            ("request_id", call.request_id.to_owned()),
        ];
        for (name, value) in built_ins {
            values.set(name, value);
        }
        if let Some(phone) = call.phone {
            values.set("phone", phone.e164().to_owned());
            values.set("phone_digits", phone.e164().trim_start_matches('+').to_owned());
            if let Some(national) = phone.chinese_national() {
                values.set("phone_national", national.to_owned());
            }
        }
        if let Some(message) = &call.message {
            values.set_message(message);
        }
        if let Some(inquiry) = &call.inquiry {
            values.set("since_compact17", inquiry.since.compact17());
            values.set("since_iso", inquiry.since.rfc3339());
            if let Some(name) = inquiry.name {
                values.set("name", name.to_owned());
            }
        }
        for (name, value) in call.account.settings() {
            values.0.insert(name.clone(), value.clone());
        }
        for field in &operation.credential {
            match call.credential.get(&field.name) {
                Some(value) => {
                    values.0.insert(field.name.clone(), value.clone());
                }
                None if field.optional => {}
                None => return Err(CallError::Credential(field.name.clone())),
            }
        }
        values.derive(operation)?;
        Ok(values)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.expose().as_str())
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), Secret::new(value));
    }

    /// Fills a template that must have everything it names.
    pub(super) fn fill(&self, template: &Template) -> Result<String, CallError> {
        template.render(|name| self.get(name)).map_err(|Unfilled(name)| match name.as_str() {
            "phone" | "phone_digits" | "phone_national" => CallError::Phone,
            _ => CallError::Setting(name),
        })
    }

    fn set_message(&mut self, message: &Message<'_>) {
        let object = |name: &dyn Fn(usize, &str) -> String| {
            let mut members = Map::new();
            for (at, (given, value)) in message.params.iter().enumerate() {
                members.insert(name(at, given), Value::from(value.as_str()));
            }
            json::text(&Value::Object(members))
        };
        let list = message.params.iter().map(|(_, value)| Value::from(value.as_str())).collect();
        self.set("text", message.text.to_owned());
        self.set("code", message.code.to_owned());
        if let Some(mail) = message.mail {
            self.set("email", mail.to.as_str().to_owned());
            self.set("subject", mail.subject.to_owned());
        }
        if let Some(template) = message.template {
            self.set("template", template.to_owned());
        }
        self.set("params_list", json::text(&Value::Array(list)));
        self.set("params_object", object(&|_, given| given.to_owned()));
        self.set("params_numbered", object(&|at, _| format!("param{}", at.saturating_add(1))));
    }

    fn derive(&mut self, operation: &Operation) -> Result<(), CallError> {
        for (name, derived) in &operation.derive {
            let value = match derived {
                Derived::Digest(digest) => {
                    let key = digest.key.as_ref().map(|key| self.fill(key)).transpose()?;
                    sign::mac(digest.digest, key.as_deref(), &self.fill(&digest.of)?, digest.output)
                }
                Derived::Base64(text) => base64(self.fill(&text.base64)?.as_bytes()),
                Derived::Map(map) => self
                    .get(&map.of)
                    .and_then(|value| map.map.get(value))
                    .cloned()
                    .ok_or_else(|| CallError::Credential(map.of.clone()))?,
            };
            self.set(name, value);
        }
        Ok(())
    }
}
