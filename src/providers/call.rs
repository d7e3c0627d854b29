//! One call of a provider: from a client's credential to the HTTP request.

use std::{fmt, time::Duration};

use crate::{
    kernel::{
        email::EmailAddress,
        http::{HttpReply, HttpRequest},
        order::in_order,
        phone::PhoneNumber,
        table::Table,
        time::Timestamp,
    },
    model::platform::Platform,
};

use super::{
    account::Account,
    answer::Answer,
    credential::Credential,
    document::{Capability, Document},
    encode,
    operation::{Encoding, Method, Operation, Place, SORTED, SORTED_PARTS, Sign},
    reply,
    sign::{self, Signed},
    template::Template,
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
    /// What the client's SDK handed out. Empty for SMS, e-mail and risk.
    pub credential: &'a Credential,
    /// The number to compare with, to send to, or to judge.
    pub phone: Option<&'a PhoneNumber>,
    /// What to send; SMS and e-mail only.
    pub message: Option<Message<'a>>,
    /// What to ask about the number; questions about a number only.
    pub inquiry: Option<Inquiry<'a>>,
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

/// A message with a code. Neither printed nor logged.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The whole message, for documents that send text.
    pub text: &'a str,
    /// The code in it.
    pub code: &'a str,
    /// The vendor's id of the registered template, for documents that send templates.
    pub template: Option<&'a str>,
    /// Names and values of the template's parameters, in the template's order.
    pub params: &'a [(String, String)],
    /// E-mail only.
    pub mail: Option<Mail<'a>>,
}

/// What only an e-mail has.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// Where it goes.
    pub to: &'a EmailAddress,
    /// What it is about.
    pub subject: &'a str,
}

/// What a carrier or a register is asked about a number. Neither printed nor logged.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
    /// What happened since then?
    pub since: Timestamp,
    /// Is it in this name? Two factors only.
    pub name: Option<&'a str>,
}

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The credential was issued for another app than the account's. Holds the field.
    WrongApp(String),
    /// A credential field is missing or has a value that the document does not know. Holds the field.
    Credential(String),
    /// No number, or one that this provider does not know what to do with.
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
        let mut fields = self.fields(operation, &values)?;
        let mut headers = filled(&operation.request.headers, &values)?;

        if let Some(Sign::Mac { of, mac, key, output, into, parts }) = &operation.sign {
            let parts = parts.iter().map(|part| values.fill(part)).collect::<Result<Vec<_>, _>>()?;
            values.set(SORTED_PARTS, in_order(parts, |one, other| one <= other).concat());
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

        let mut query = filled(&operation.request.query, &values)?;
        let (body, content_type) = match operation.request.encoding {
            Encoding::Form => (encode::form(&fields), Some("application/x-www-form-urlencoded")),
            Encoding::Json => (encode::json(&fields, &operation.raw), Some("application/json")),
            Encoding::Query => {
                query.append(&mut fields);
                (String::new(), None)
            }
        };
        let query = encode::query(&in_order(query, |one, other| one <= other));
        let is_said = headers.iter().any(|(name, _)| name == "content-type");
        let content_type = content_type.filter(|_| !is_said);
        headers.extend(content_type.map(|value| ("content-type".to_owned(), value.to_owned())));
        let url = values.fill(&operation.request.url)?;
        let method = match operation.request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let (host, path) = host_and_path(&url);
        let signed = Signed { method, host, path, query: &query, headers: &headers, body: body.as_bytes() };
        match &operation.sign {
            Some(Sign::Acs3 { key_id, key }) => {
                let added = signed.acs3(&values.fill(key_id)?, &values.fill(key)?);
                headers.extend(added);
            }
            Some(Sign::Tc3 { key_id, key, service, headers: names }) => {
                let added = signed.tc3(self.now, service, names, &values.fill(key_id)?, &values.fill(key)?);
                headers.push(added);
            }
            Some(Sign::Mac { .. }) | None => {}
        }

        let mut url = relayed(self.base_url.or(self.account.base_url.as_deref()), url);
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

    /// The fields to send, sorted by name. One that rests on an absent optional value is left out.
    fn fields(&self, operation: &Operation, values: &Values) -> Result<Vec<(String, String)>, CallError> {
        let is_optional = |name: &str| {
            self.document.settings.get(name).is_some_and(|setting| setting.optional)
                || operation.credential.iter().any(|field| field.optional && field.name == name)
        };
        let is_absent = |name: &str| values.get(name).is_none() && is_optional(name);
        let is_sent = |template: &Template| !template.holes().any(|hole| is_absent(&hole.name));
        let fields = operation.fields.iter().filter(|(_, template)| is_sent(template));
        fields.map(|(name, template)| Ok((name.clone(), values.fill(template)?))).collect()
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
            Self::Phone => f.write_str("the number is none for this provider"),
            Self::Setting(name) => write!(f, "setting {name} is missing or too short"),
            Self::NotOffered => f.write_str("the provider does not offer this"),
        }
    }
}

fn filled(templates: &Table<String, Template>, values: &Values) -> Result<Vec<(String, String)>, CallError> {
    templates.iter().map(|(name, template)| Ok((name.clone(), values.fill(template)?))).collect()
}

/// A URL behind a relay, which keeps path, query and headers: only scheme and host are replaced.
pub(super) fn relayed(base_url: Option<&str>, url: String) -> String {
    match base_url {
        Some(base) => format!("{}{}", base.trim_end_matches('/'), host_and_path(&url).1),
        None => url,
    }
}

/// `https://host/path` in two; the path begins with a slash.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}
