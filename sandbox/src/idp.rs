//! Third-party logins: people who agreed to sign in with an app, the codes they got, and the tokens made of them.
//!
//! Invariants: a code is used up by the first request whose secret was right; it is worth something only to the client, the
//! redirect_uri and the PKCE verifier that it was asked for with.

use std::collections::BTreeMap;

use openssl::{error::ErrorStack, sha::sha256};
use serde::Deserialize;

use crate::{
    crypto,
    reply::Answer,
    state::World,
    tokens::{self, Provider},
};

/// How long a code counts, in milliseconds. QQ and WeChat document 10 minutes; assumed for the others.
const LIFETIME_MS: i64 = 600_000;

/// How the third party behaves when it is asked about a code, and about the tokens made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// The right answer.
    #[default]
    Ok,
    /// As if the code had been used before.
    ReusedCode,
    /// As if the client's secret were wrong.
    WrongSecret,
    /// The ID token has another nonce.
    NonceMismatch,
    /// The ID token ended an hour ago.
    ExpiredIdToken,
    /// The ID token is of another issuer.
    WrongIssuer,
    /// The ID token is not signed.
    AlgNone,
    /// Who it is can be asked, their name and picture cannot.
    ProfileFailing,
    /// HTTP 500 with an HTML page.
    #[serde(rename = "http_500")]
    Http500,
    /// No answer for 30 s.
    Hang,
    /// HTTP 200 with bytes that are no JSON.
    Garbage,
}

impl Behaviour {
    /// How its answers leave the house.
    pub(crate) fn of_line(self) -> tokens::Behaviour {
        match self {
            Behaviour::Http500 => tokens::Behaviour::Http500,
            Behaviour::Hang => tokens::Behaviour::Hang,
            Behaviour::Garbage => tokens::Behaviour::Garbage,
            _ => tokens::Behaviour::Ok,
        }
    }

    /// The same for questions about name and picture.
    pub(crate) fn of_profile(self) -> tokens::Behaviour {
        if self == Behaviour::ProfileFailing { tokens::Behaviour::Http500 } else { self.of_line() }
    }
}

/// Somebody who agreed.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) unionid: Option<String>,
    pub(crate) nickname: String,
    pub(crate) avatar: String,
}

impl Person {
    /// What one application calls them: 28 characters, as WeChat and QQ write it.
    pub(crate) fn openid(&self, client: &str) -> String {
        let digest = crypto::base64_url(&sha256(format!("{client} {}", self.subject).as_bytes()));
        format!("o{}", digest.get(..27).unwrap_or_default())
    }
}

/// What somebody agreed to.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) person: Person,
    /// Only where it was asked for with one.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) behaviour: Behaviour,
}

/// Codes and tokens.
#[derive(Default)]
pub(crate) struct Logins {
    codes: BTreeMap<(Provider, String), Code>,
    tokens: BTreeMap<(Provider, String), Grant>,
}

struct Code {
    grant: Grant,
    expires_ms: i64,
    used: bool,
}

/// A question about a code.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) client: &'a str,
    /// Whether the client's secret is right.
    pub(crate) is_client: bool,
    /// `None`: this vendor does not ask for it.
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) code_verifier: &'a str,
}

/// Why a code is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Client,
    Used,
    Unknown,
    RedirectUri,
}

/// An access token and what it stands for; or why there is none, and how to say it.
pub(crate) type Exchanged = Result<(String, Grant), (Refusal, tokens::Behaviour)>;

impl World {
    /// Somebody agrees: the code.
    pub(crate) fn agree(&self, provider: Provider, grant: Grant) -> Result<String, ErrorStack> {
        let code = crypto::random_hex()?;
        let expires_ms = self.now_ms().saturating_add(LIFETIME_MS);
        self.ledger().logins.codes.insert((provider, code.clone()), Code { grant, expires_ms, used: false });
        Ok(code)
    }

    /// Uses a code up and makes a token of it. While a fault of the vendor lasts, that is how the answer is given.
    pub(crate) fn exchange_code(
        &self,
        provider: Provider,
        exchange: &Exchange<'_>,
    ) -> Result<Exchanged, ErrorStack> {
        let token = crypto::random_hex()?;
        let now = self.now_ms();
        let mut ledger = self.ledger();
        let fault = ledger.fault(provider, None)?;
        let Some(code) = ledger.logins.codes.get_mut(&(provider, exchange.code.to_owned())) else {
            let refusal = if exchange.is_client { Refusal::Unknown } else { Refusal::Client };
            return Ok(Err((refusal, fault.unwrap_or_default())));
        };
        let behaviour = code.grant.behaviour;
        let line = fault.unwrap_or_else(|| behaviour.of_line());
        let refuse = |refusal| Ok(Err((refusal, line)));
        if !exchange.is_client
            || behaviour == Behaviour::WrongSecret
            || line == tokens::Behaviour::AccountFault
        {
            return refuse(Refusal::Client);
        }
        let used = std::mem::replace(&mut code.used, true);
        let grant = code.grant.clone();
        let challenge = crypto::base64_url(&sha256(exchange.code_verifier.as_bytes()));
        if used || behaviour == Behaviour::ReusedCode {
            return refuse(Refusal::Used);
        }
        if now >= code.expires_ms
            || grant.client != exchange.client
            || grant.code_challenge.as_ref().is_some_and(|wanted| *wanted != challenge)
        {
            return refuse(Refusal::Unknown);
        }
        if exchange.redirect_uri.is_some_and(|uri| uri != grant.redirect_uri.as_deref().unwrap_or_default()) {
            return refuse(Refusal::RedirectUri);
        }
        ledger.logins.tokens.insert((provider, token.clone()), grant.clone());
        Ok(Ok((token, grant)))
    }

    /// What an access token stands for.
    pub(crate) fn granted(&self, provider: Provider, token: &str) -> Option<Grant> {
        self.ledger().logins.tokens.get(&(provider, token.to_owned())).cloned()
    }
}

/// An answer given as the line behaves.
pub(crate) fn given(answer: Answer, behaviour: tokens::Behaviour) -> Answer {
    Answer { behaviour, ..answer }
}
