//! One call of a provider: from a client's credential to the HTTP request.

use std::{fmt, time::Duration};

use crate::{
    kernel::{
        http::{HttpReply, HttpRequest},
        phone::PhoneNumber,
        time::Timestamp,
    },
    model::platform::Platform,
};

use super::{
    account::Account,
    credential::Credential,
    document::{Capability, Document, Encoding, Method, Operation, Place, SORTED, Sign},
    encode,
    reply::{self, Answer},
    sign::{self, Acs3},
    values::Values,
};

/// Everything that a request to a provider is made of. The same call reads the reply, which may be encrypted
/// under a key of the account.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// How the provider speaks.
    pub document: &'a Document,
    /// What is asked.
    pub capability: Capability,
    /// Our account with the provider.
    pub account: &'a Account,
    /// What the client's SDK handed out.
    pub credential: &'a Credential,
    /// The number to compare with; number check only.
    pub phone: Option<&'a PhoneNumber>,
    /// What the client runs on.
    pub platform: Platform,
    /// The client's address.
    pub address: &'a str,
    /// The id of the client's request.
    pub request_id: &'a str,
    /// Service time.
    pub now: Timestamp,
    /// Fresh entropy.
    pub nonce: [u8; 16],
    /// Development only: where all requests go instead, before the account's own base URL.
    pub base_url: Option<&'a str>,
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The credential was issued for another app than the account's. Holds the field.
    WrongApp(String),
    /// A credential field is missing or has a value that the document does not know. Holds the field.
    Credential(String),
    /// No number, or one that this provider cannot compare with.
    Phone,
    /// The account lacks a setting, or has one too short. Holds its name.
    Setting(String),
    /// The provider does not offer this.
    NotOffered,
}

impl Call<'_> {
    /// The request to send, once.
    ///
    /// # Errors
    /// [`CallError`]; then nothing must be sent.
    pub fn request(&self) -> Result<HttpRequest, CallError> {
        let operation = self.document.operation(self.capability).ok_or(CallError::NotOffered)?;
        self.check_same(operation)?;
        let mut values = Values::of(self, operation)?;
        let mut fields = fields(operation, &values)?;
        let mut headers = operation
            .request
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), values.fill(value)?)))
            .collect::<Result<Vec<_>, CallError>>()?;

        if let Some(Sign::Mac { of, mac, key, output, into }) = &operation.sign {
            for (name, value) in SORTED.into_iter().zip(sign::sorted(&fields)) {
                values.set(name, value);
            }
            let key = key.as_ref().map(|key| values.fill(key)).transpose()?;
            let signature = sign::mac(*mac, key.as_deref(), &values.fill(of)?, *output);
            match into {
                Place::Field(name) => fields.push((name.clone(), signature)),
                Place::Header(name) => headers.push((name.clone(), signature)),
            }
        }

        let (query, body, content_type) = match operation.request.encoding {
            Encoding::Form => {
                (String::new(), encode::form(&fields), Some("application/x-www-form-urlencoded"))
            }
            Encoding::Json => (String::new(), encode::json(&fields), Some("application/json")),
            Encoding::Query => {
                fields.sort();
                (encode::query(&fields), String::new(), None)
            }
        };
        headers.extend(content_type.map(|value| ("content-type".to_owned(), value.to_owned())));
        let url = values.fill(&operation.request.url)?;
        let method = match operation.request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        if let Some(Sign::Acs3 { key_id, key }) = &operation.sign {
            let (host, path) = host_and_path(&url);
            let (query, headers_now, body) = (query.as_str(), headers.as_slice(), body.as_bytes());
            let signed = Acs3 { method, host, path, query, headers: headers_now, body }
                .sign(&values.fill(key_id)?, &values.fill(key)?);
            headers.extend(signed);
        }

        let mut url = self.relayed(url);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        let timeout = Duration::from_millis(operation.request.timeout_ms);
        Ok(HttpRequest { method, url, headers, body: body.into_bytes(), timeout })
    }

    /// What the reply says. Anything that is not clearly an answer is [`Answer::Unavailable`].
    pub fn read(&self, reply: &HttpReply) -> Answer {
        reply::read(self, reply)
    }

    /// The vendor's own words, for an operator who tries a document out. Never for clients, and never for
    /// logs: it may hold anything.
    pub fn message(&self, reply: &HttpReply) -> Option<String> {
        reply::message(self, reply)
    }

    fn check_same(&self, operation: &Operation) -> Result<(), CallError> {
        for name in &operation.same {
            let ours = self.account.settings().get(name).ok_or_else(|| CallError::Setting(name.clone()))?;
            let given = self.credential.get(name).ok_or_else(|| CallError::Credential(name.clone()))?;
            if ours != given {
                return Err(CallError::WrongApp(name.clone()));
            }
        }
        Ok(())
    }

    // A relay keeps path, query and headers, so only scheme and host are replaced.
    fn relayed(&self, url: String) -> String {
        match self.base_url.or(self.account.base_url.as_deref()) {
            Some(base) => format!("{}{}", base.trim_end_matches('/'), host_and_path(&url).1),
            None => url,
        }
    }
}

impl CallError {
    /// The answer that the client of the call gets, as if the provider had given it.
    pub fn answer(&self) -> Answer {
        match self {
            Self::WrongApp(_) => Answer::Rejected { code: "wrong_app".to_owned() },
            Self::Credential(_) => Answer::Rejected { code: "credential".to_owned() },
            Self::Phone => Answer::Rejected { code: "phone".to_owned() },
            Self::Setting(_) => Answer::AccountFault { code: "setting".to_owned() },
            Self::NotOffered => Answer::AccountFault { code: "not_offered".to_owned() },
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongApp(field) => write!(f, "credential is of another app ({field})"),
            Self::Credential(field) => write!(f, "credential field {field} is unusable"),
            Self::Phone => f.write_str("the number cannot be compared"),
            Self::Setting(name) => write!(f, "setting {name} is missing or too short"),
            Self::NotOffered => f.write_str("the provider does not offer this"),
        }
    }
}

/// The fields to send, sorted by name. One that rests on an absent optional credential field is left out.
fn fields(operation: &Operation, values: &Values) -> Result<Vec<(String, String)>, CallError> {
    let absent = |name: &str| {
        values.get(name).is_none()
            && operation.credential.iter().any(|field| field.optional && field.name == name)
    };
    operation
        .fields
        .iter()
        .filter(|(_, template)| !template.holes().any(|hole| absent(&hole.name)))
        .map(|(name, template)| Ok((name.clone(), values.fill(template)?)))
        .collect()
}

/// `https://host/path` in two; the path begins with a slash.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}
