//! Third-party login 第三方登录, its end: from a code to a person that the third party knows.
//!
//! A code and a state are good once. What account the person has is not decided here.

use std::fmt;

use super::{
    Failure, Service,
    claim::Attempt,
    identity::unavailable,
    own_profile::{MAX_AVATAR_URL, MAX_DISPLAY_NAME},
    provider::{Caller, Choice, Tender},
    spent::Spent,
};
use crate::{
    kernel::{encoding::base64url, secret::Secret, time::Timestamp},
    model::{
        identity_state::{BrowserDigest, IdentityState, RedirectName},
        refusal::{Code, FieldProblem, Refusal},
    },
    ports::World,
    providers::{Answer, Capability, Credential, Issuer},
};

/// A code that a third party gave to a client.
#[derive(Debug, Clone, Copy)]
pub struct IdentityCode<'a> {
    /// Which third party, as clients call it.
    pub kind: &'a str,
    /// The code.
    pub code: &'a Secret<String>,
    /// What came back with the browser; `None`: the code is an SDK's, in an app.
    pub state: Option<&'a str>,
    /// Where the browser came back to. With a state it is known, and only compared.
    pub redirect_uri: Option<&'a str>,
    /// What only this browser or device knows.
    pub binding: Option<&'a Secret<String>>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
}

/// Somebody whom a third party knows.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenIdentity {
    /// Which third party, as clients call it.
    pub kind: String,
    /// The names under which it knows them, the widest first; together with `kind` each leads to one account at most. The
    /// last one is always there. With WeChat and QQ it is this app's own, and one before it is shared by all apps of one developer.
    ///
    /// To find the account, ask from the last to the first: who was known to this app stays the same person when the app
    /// later shares names with others. To bind, claim from the first to the last: where two apps sign the same person
    /// up at once, the shared name decides.
    pub subjects: Vec<String>,
    /// What they call themselves there.
    pub display_name: Option<String>,
    /// Their picture, https.
    pub avatar_url: Option<String>,
}

impl<W: World> Service<'_, W> {
    /// Exchanges a code for whoever it stands for. With a state, the platform is that for which the login was begun.
    ///
    /// # Errors
    /// `invalid_credentials` for a code or state that is not good, whatever is wrong with it; `identity_unavailable`;
    /// `not_found` for a login that the app does not have; what repeats lead to.
    pub async fn prove_identity(
        &self,
        code: &IdentityCode<'_>,
        caller: &Caller<'_>,
        spent: &mut Spent,
    ) -> Result<ProvenIdentity, Failure> {
        // 1. The state: one of ours, for this browser. Nothing is spent yet.
        let (exchange, begun) = self.prepare(code, caller)?;
        // 2. The code is claimed; a repeat ends here.
        let subject = format!("identity {} {}", code.kind, code.code.expose());
        spent.claims.push(self.claim(&subject, &code.attempt).await.map_err(as_identity)?);
        // 3. So is the state; then the third party is asked. Whatever comes of it is the reply to every repeat.
        self.redeem(begun).await?;
        self.exchange_code(exchange, begun, self.identity_deadline()).await
    }

    fn prepare<'s>(
        &'s self,
        code: &IdentityCode<'s>,
        caller: &Caller<'s>,
    ) -> Result<(Exchange<'s>, Option<IdentityState>), Failure> {
        let IdentityCode { kind, redirect_uri, .. } = *code;
        let begun = match code.state {
            Some(text) => Some(
                IdentityState::read(&self.settings.sealing, kind, caller.app, text)
                    .filter(|state| {
                        code.binding.is_some_and(|own| BrowserDigest::of(own.expose()) == state.binding)
                    })
                    .filter(|state| redirect_uri.is_none_or(|uri| RedirectName::of(uri) == state.redirect))
                    .ok_or(Code::InvalidCredentials)?,
            ),
            None => None,
        };
        let platform = begun.map_or(caller.platform, |state| state.platform);
        let caller = Caller { platform, ..caller.clone() };
        let choice = self.identity_choice(kind, &caller)?;
        let redirect_uri = match begun {
            Some(state) => {
                Some(self.settings.redirects.find(state.redirect).ok_or(Code::InvalidCredentials)?)
            }
            // An account whose codes come by browser takes none that somebody brings along.
            None if !choice.account.native => {
                return Err(Refusal::field("state", "is missing: this login begins in a browser").into());
            }
            None => redirect_uri,
        };
        if redirect_uri.is_some_and(|uri| !self.settings.redirects.allow(uri)) {
            return Err(Refusal::field("redirectUri", "is not in IDENTITY_REDIRECTS").into());
        }
        let mut credential = Credential::from_iter([("code".to_owned(), code.code.clone())]);
        let mut add = |name: &str, value| credential.insert(name.to_owned(), Secret::new(value));
        if let Some(uri) = redirect_uri {
            add("redirect_uri", uri.to_owned());
        }
        if let Some(state) = begun {
            add("code_verifier", state.code_verifier());
        }
        // Filled in when the issuer has told them.
        for endpoint in Issuer::ENDPOINTS.into_iter().filter(|_| choice.document.is_openid()) {
            add(endpoint, "?".to_owned());
        }
        let problems = choice.document.credential_problems(Capability::Identity, &credential);
        if !problems.is_empty() {
            let fields = problems.into_iter().map(|(name, problem)| FieldProblem { name, problem });
            return Err(Refusal { fields: fields.collect(), ..Refusal::new(Code::InvalidRequest) }.into());
        }
        Ok((Exchange { choice, caller, credential }, begun))
    }

    /// A state is good once, and not for ever.
    async fn redeem(&self, begun: Option<IdentityState>) -> Result<(), Failure> {
        let Some(state) = begun else { return Ok(()) };
        if self.world.now() >= state.until {
            return Err(Code::InvalidCredentials.into());
        }
        let name = format!("identity state {}", base64url(&state.id));
        self.claim(&name, &Attempt::ONCE).await.map(|_| ()).map_err(as_identity)
    }

    async fn exchange_code(
        &self,
        mut exchange: Exchange<'_>,
        begun: Option<IdentityState>,
        deadline: Timestamp,
    ) -> Result<ProvenIdentity, Failure> {
        let choice = exchange.choice;
        let issuer = match choice.document.is_openid() {
            true => Some(self.issuer(choice, &exchange.caller, deadline).await?),
            false => None,
        };
        if let Some(issuer) = &issuer {
            exchange.tell_endpoints(issuer);
        }
        // 1. Code to token, and who it is.
        let known = self.ask_identity(&exchange, Capability::Identity, deadline).await?;
        exchange.credential.append(known);
        if choice.document.offers(Capability::IdentitySubject) {
            let subject = self.ask_identity(&exchange, Capability::IdentitySubject, deadline).await?;
            exchange.credential.append(subject);
        }
        if let Some(issuer) = &issuer {
            let nonce = begun.map(|state| state.nonce());
            let token = exchange.text("id_token").unwrap_or_default();
            let token = (token.as_str(), nonce.as_deref());
            let claims = self.identified(choice, &exchange.caller, issuer, token, deadline).await?;
            exchange.credential.append(claims);
        }
        let subjects = choice.document.subjects(choice.account, &exchange.credential);
        // 2. The profile, if it is there: nobody is kept out because a picture is missing.
        if exchange.text("nickname").is_none()
            && exchange.may_ask_for_profile()
            && let Ok(profile) = self.ask_identity(&exchange, Capability::IdentityProfile, deadline).await
            && profile.get("sub") == exchange.credential.get("sub")
        {
            exchange.credential.append(profile);
        }
        Ok(ProvenIdentity {
            kind: choice.account.kind.clone(),
            subjects,
            display_name: exchange.text("nickname").and_then(|name| display_name(&name)),
            avatar_url: exchange.text("avatar").and_then(|url| avatar_url(&url)),
        })
    }

    async fn ask_identity(
        &self,
        exchange: &Exchange<'_>,
        capability: Capability,
        deadline: Timestamp,
    ) -> Result<Credential, Failure> {
        let limit = self.settings.limits.identity_timeout_ms;
        let timeout = self.time_for(limit, deadline).ok_or_else(unavailable)?;
        let tender = Tender::of(exchange.choice, &exchange.caller, capability, limit);
        match self.offer(&Tender { credential: &exchange.credential, timeout, ..tender }).await? {
            Answer::Taken(taken) => Ok(taken),
            Answer::Rejected { .. } => Err(Code::InvalidCredentials.into()),
            _ => Err(unavailable()),
        }
    }
}

/// An exchange under way, and what is known by now.
struct Exchange<'s> {
    choice: Choice<'s>,
    caller: Caller<'s>,
    credential: Credential,
}

impl Exchange<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.credential.get(name).map(|value| value.expose().clone())
    }

    fn tell_endpoints(&mut self, issuer: &Issuer) {
        let urls = [Some(&issuer.token_endpoint), issuer.userinfo_endpoint.as_ref()];
        for (name, url) in Issuer::ENDPOINTS.into_iter().zip(urls) {
            match url {
                Some(url) => self.credential.insert(name.to_owned(), Secret::new(url.clone())),
                None => self.credential.remove(name),
            }
        }
    }

    /// Whether all that the question needs is there: an issuer may have no profiles, or give no token for them.
    fn may_ask_for_profile(&self) -> bool {
        let document = self.choice.document;
        document.offers(Capability::IdentityProfile)
            && document.credential_problems(Capability::IdentityProfile, &self.credential).is_empty()
    }
}

/// A claim speaks of one-tap; the client did not.
fn as_identity(failure: Failure) -> Failure {
    match failure {
        Failure::Refusal(Refusal { code: Code::OneTapRejected, .. }) => Code::InvalidCredentials.into(),
        Failure::Refusal(Refusal { code: Code::OneTapUnavailable, .. }) => unavailable(),
        other => other,
    }
}

/// A name fit to be shown: without control characters, cut to its length.
fn display_name(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| !c.is_control()).take(MAX_DISPLAY_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The address of a picture that a page may show. Some vendors still write http for what they serve over https too.
fn avatar_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let is_sane = rest.len() < MAX_AVATAR_URL && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    (is_sane && !rest.is_empty()).then(|| format!("https://{rest}"))
}

// Names of people.
impl fmt::Debug for ProvenIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenIdentity({}, {} subjects)", self.kind, self.subjects.len())
    }
}
