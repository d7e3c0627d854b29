//! Floor 2: what the outside world speaks.
//!
//! A provider is a document (`providers/*.toml`): where requests go, how they are signed, what the codes of the
//! reply mean. One engine turns a [`Call`] into an HTTP request and the reply into an [`Answer`]. Nothing here
//! does I/O, reads a clock or draws entropy, and nothing a provider or a client sends can make it panic.
//!
//! The built-in documents are checked by the build script and read when they are first asked for, so a cold
//! start pays for none of them. [`Document::from_json`] takes others at run time, under the same rules.

use std::sync::OnceLock;

use crate::kernel;

mod account;
mod accounts;
mod answer;
mod attestation;
mod call;
mod check_login;
mod countries;
mod credential;
mod document;
mod encode;
mod issuer;
mod json;
mod login;
mod names;
mod operation;
mod receipt;
mod reply;
mod sign;
mod template;
mod validate;
mod values;
mod written;

pub use account::{Account, NOTICE};
pub use accounts::accounts_from_json;
pub use answer::{Answer, RiskLevel};
pub use attestation::{Attested, is_genuine};
pub use call::{Call, CallError, Inquiry, Mail, Message};
pub use credential::{Credential, MAX_FIELD_BYTES, bot_check_credential};
pub use document::{Capability, Certainty, Document};
pub use issuer::Issuer;
pub use receipt::Receipt;

/// The built-in document of an id.
pub fn find(id: &str) -> Option<&'static Document> {
    BUILT_IN.iter().find(|built_in| built_in.id == id)?.document()
}

/// The built-in documents, by id.
pub fn all() -> impl Iterator<Item = &'static Document> {
    BUILT_IN.iter().filter_map(BuiltIn::document)
}

impl Document {
    /// Reads and checks a document in its JSON form.
    ///
    /// # Errors
    /// Every problem, each with its place.
    pub fn from_json(json: &str) -> Result<Self, Vec<String>> {
        let document: Self =
            serde_json::from_slice(json.as_bytes()).map_err(|error| vec![error.to_string()])?;
        let problems = validate::problems(&document);
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }
}

struct BuiltIn {
    id: &'static str,
    json: &'static str,
    document: OnceLock<Option<Document>>,
}

impl BuiltIn {
    const fn new(id: &'static str, json: &'static str) -> Self {
        Self { id, json, document: OnceLock::new() }
    }

    // Always there: the build script has read the same text with the same code.
    fn document(&self) -> Option<&Document> {
        self.document.get_or_init(|| kernel::json::read(self.json.as_bytes())).as_ref()
    }
}

// `BUILT_IN`, made by the build script.
include!(concat!(env!("OUT_DIR"), "/providers.rs"));

#[cfg(test)]
mod tests;
