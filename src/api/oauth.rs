//! `/oauth/...`: introspection (RFC 7662) and revocation (RFC 7009), for backends with an API key.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    Reply, backend, body,
    http::{HttpIn, HttpOut, form_value},
    login,
    problem::Problem,
};
use crate::{
    journeys::{Service, introspection::Introspected, session::StepUpClaim},
    kernel::id::{AccountId, DeviceId, SessionId, TokenId},
    model::{
        api_key::Scope,
        login::Method,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// Longest token looked at, bytes; ours are shorter.
pub const MAX_TOKEN: usize = 4096;

/// `POST /oauth/introspect`
pub(super) async fn introspect<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Inactive {
        active: bool,
    }
    /// The members of RFC 7662, section 2.2, and what our access tokens say besides.
    #[derive(Serialize)]
    struct Active<'a> {
        active: bool,
        client_id: &'a str,
        token_type: &'static str,
        exp: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        iat: Option<i64>,
        sub: AccountId,
        aud: &'a str,
        iss: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        jti: Option<TokenId>,
        sid: SessionId,
        did: DeviceId,
        amr: Cow<'a, [Method]>,
        auth_time: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        step_up: Option<&'a StepUpClaim>,
    }
    let backend = backend::admit(service, request, Scope::TokenIntrospect).await?;
    let token = token(request)?;
    let iss = &service.settings.issuer;
    match service.introspect(&token, &backend).await? {
        None => login::json(&Inactive { active: false }),
        Some(Introspected::Access(claims)) => login::json(&Active {
            active: true,
            client_id: &claims.aud,
            token_type: "Bearer",
            exp: claims.exp,
            iat: Some(claims.iat),
            sub: claims.sub,
            aud: &claims.aud,
            iss,
            jti: Some(claims.jti),
            sid: claims.sid,
            did: claims.did,
            amr: Cow::Borrowed(&claims.amr),
            auth_time: claims.auth_time,
            step_up: claims.step_up.as_ref(),
        }),
        Some(Introspected::Refresh { token, session, expires }) => login::json(&Active {
            active: true,
            client_id: &session.app,
            token_type: "refresh_token",
            exp: expires,
            iat: None,
            sub: token.account,
            aud: &session.app,
            iss,
            jti: None,
            sid: session.id,
            did: session.device,
            amr: Cow::Owned(session.methods()),
            auth_time: session.created_at.secs(),
            step_up: None,
        }),
    }
}

/// `POST /oauth/revoke`
pub(super) async fn revoke<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::TokenRevoke).await?;
    let token = token(request)?;
    // The token may still count, and the backend shall try again (RFC 7009, section 2.2.1).
    service.revoke(&token, &backend).await.map_err(|failure| Problem::not_revoked(failure.into()))?;
    Ok(Reply::Ready(HttpOut { status: 200, headers: Vec::new(), body: Vec::new() }))
}

/// The `token` of a form. `token_type_hint` is not needed: a token tells what it is.
fn token(request: &HttpIn) -> Result<Cow<'_, str>, Problem> {
    let bytes = body::bytes_of_type(request, "application/x-www-form-urlencoded")?;
    let form = std::str::from_utf8(bytes).map_err(|_| Problem::of(Code::InvalidRequest))?;
    match form_value(form, "token") {
        None => Err(Refusal::field("token", "is missing").into()),
        Some(token) if token.len() > MAX_TOKEN => {
            Err(Refusal::field("token", "is longer than any of ours").into())
        }
        Some(token) => Ok(token),
    }
}
