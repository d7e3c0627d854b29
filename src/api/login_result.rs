//! The LoginResult: somebody is in, or their sign-in waits.

use serde::Serialize;

use super::{
    Reply,
    cookie::{self, Transport},
    login::json,
    problem::Problem,
    step_up_required::step_up_required,
};
use crate::{
    journeys::{
        Failure,
        otp::Challenged,
        session::Tokens,
        sign_in::{Entry, Need, SignedIn},
        spent::Spent,
    },
    kernel::{phone::PhoneNumber, secret::Secret},
};

/// The LoginResult, for a device that came with this token.
///
/// # Errors
/// An internal problem when it does not serialise.
pub fn login_result(
    entry: &Entry,
    transport: Transport,
    presented: Option<&Secret<String>>,
) -> Result<Reply, Problem> {
    with_challenge(entry, None, transport, presented)
}

/// The same, or why not, with what the request has spent.
pub(super) fn login_reply(
    entry: Result<Entry, Failure>,
    transport: Transport,
    presented: Option<&Secret<String>>,
    spent: Spent,
) -> Reply {
    let entry = entry.map_err(Problem::from);
    Reply::from(entry.and_then(|entry| login_result(&entry, transport, presented))).after(spent)
}

/// The same, with the code that was sent to a trusted phone.
///
/// # Errors
/// As [`login_result`].
pub fn with_challenge(
    entry: &Entry,
    challenged: Option<&Challenged>,
    transport: Transport,
    presented: Option<&Secret<String>>,
) -> Result<Reply, Problem> {
    match entry {
        Entry::SignedIn(entry) => signed_in(entry, transport, presented),
        Entry::StepUp(step_up) => step_up_required(step_up, challenged, transport),
    }
}

/// `session` of answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    refresh_expires_in: u64,
}

impl<'a> SessionBody<'a> {
    /// With the tokens, unless cookies carry them.
    pub(super) fn new(tokens: &'a Tokens, transport: Transport) -> Self {
        let shown = (transport == Transport::Body).then_some(tokens);
        Self {
            id: tokens.session.to_string(),
            access_token: shown.map(|tokens| tokens.access.expose().as_str()),
            token_type: shown.map(|_| "Bearer"),
            expires_in: tokens.access_expires_in,
            refresh_token: shown.map(|tokens| tokens.refresh.expose().as_str()),
            refresh_expires_in: tokens.refresh_expires_in,
        }
    }
}

fn signed_in(
    signed_in: &SignedIn,
    transport: Transport,
    presented: Option<&Secret<String>>,
) -> Result<Reply, Problem> {
    let issued = signed_in.device_token.as_ref();
    let result = LoginResult {
        status: "signed_in",
        account: AccountBody {
            id: signed_in.account.to_string(),
            is_new: signed_in.is_new,
            display_name: signed_in.display_name.as_deref(),
            avatar_url: signed_in.avatar_url.as_deref(),
            phone: signed_in.phone.as_ref().map(PhoneNumber::masked),
            real_name: signed_in.real_name.name(),
        },
        session: SessionBody::new(&signed_in.session, transport),
        device: DeviceBody {
            id: signed_in.device.to_string(),
            trust: signed_in.trust.name(),
            token: issued.filter(|_| transport == Transport::Body).map(|token| token.expose().as_str()),
        },
        needs: signed_in.needs.map(|need| match need {
            Need::Phone => ["phone"],
            Need::NewPhone => ["new_phone"],
        }),
    };
    let reply = json(&result)?;
    if transport == Transport::Body {
        return Ok(reply);
    }
    let mut cookies = cookie::of_session(&signed_in.session);
    // Set again at every sign-in: a device in use stays known for longer than a browser keeps a cookie.
    cookies.extend(issued.or(presented).and_then(|token| cookie::of_device(token.expose())));
    Ok(reply.with_cookies(cookies))
}

#[derive(Serialize)]
struct LoginResult<'a> {
    status: &'static str,
    account: AccountBody<'a>,
    session: SessionBody<'a>,
    device: DeviceBody<'a>,
    /// What the app shall ask for next.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody<'a> {
    id: String,
    is_new: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    real_name: &'static str,
}

#[derive(Serialize)]
struct DeviceBody<'a> {
    id: String,
    trust: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}
