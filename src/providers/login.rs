//! What only documents of third-party logins can do: send a browser away, take values out of replies, and name a
//! person.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kernel::secret::Secret;

use super::{
    account::Account,
    call::relayed,
    credential::{Credential, MAX_FIELD_BYTES},
    document::{Capability, Document},
    encode,
    json::first_text,
    template::Template,
};

impl Document {
    /// Where to send a browser: the document's page, or the issuer's `endpoint`. Besides the settings, `values` fill the
    /// parameters; one that rests on an absent value is left out. `base_url` replaces scheme and host, in development.
    ///
    /// `None`: there is no such page.
    pub fn redirect_url(
        &self,
        account: &Account,
        base_url: Option<&str>,
        values: &BTreeMap<&str, String>,
    ) -> Option<String> {
        let redirect = self.redirect.as_ref()?;
        let value = |name: &str| match values.get(name) {
            Some(value) => Some(value.as_str()),
            None => account.settings().get(name).map(|value| value.expose().as_str()),
        };
        let render = |template: &Template| template.render(value).ok();
        let fields = redirect.fields.iter();
        let fields: Vec<_> = fields.filter_map(|(name, of)| Some((name.clone(), render(of)?))).collect();
        let page = relayed(base_url, render(&redirect.url)?);
        // An issuer's endpoint may have a query of its own, which is kept (RFC 6749, section 3.1).
        let mark = if page.contains('?') { '&' } else { '?' };
        let fragment = redirect.fragment.as_ref().map(|fragment| format!("#{fragment}")).unwrap_or_default();
        Some(format!("{page}{mark}{}{fragment}", encode::query(&fields)))
    }

    /// The names under which the vendor knows a person, the widest first, of what its replies told. The last one is
    /// always there.
    pub fn subjects(&self, account: &Account, taken: &Credential) -> Vec<String> {
        let value = |name: &str| {
            let value = taken.get(name).or_else(|| account.settings().get(name));
            value.map(|value| value.expose().as_str())
        };
        self.subjects.iter().filter_map(|subject| subject.render(value).ok()).collect()
    }

    /// Takes out of a JSON text what the document wants of the reply to a call. `None`: something that must be there is
    /// missing.
    pub fn take(&self, capability: Capability, json: &[u8]) -> Option<Credential> {
        self.take_from(capability, &serde_json::from_slice(json).ok()?)
    }

    pub(super) fn take_from(&self, capability: Capability, json: &Value) -> Option<Credential> {
        let mut taken = Credential::new();
        for (name, optional, places) in self.operation(capability)?.reply.taken() {
            match first_text(json, places).filter(|text| text.len() <= MAX_FIELD_BYTES) {
                Some(text) => {
                    taken.insert(name.to_owned(), Secret::new(text));
                }
                None if optional => {}
                None => return None,
            }
        }
        Some(taken)
    }
}
