//! Which request goes where.

use super::{
    Reply, accounts, approvals, backend, devices, http::HttpIn, login_history, meta, oauth, one_tap, otp,
    receipts, session, sessions, step_up,
};
use crate::{
    journeys::Service,
    kernel::id::{AccountId, ApprovalId, DeviceId, SessionId},
    ports::World,
};

/// A route with what its path carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`
    Health,
    /// `GET /.well-known/jwks.json`
    Jwks,
    /// `POST /v1/one-tap/login`
    OneTapLogin,
    /// `POST /v1/one-tap/failures`
    OneTapFailures,
    /// `POST /v1/one-tap/check`
    OneTapCheck,
    /// `POST /v1/one-tap/exchange`
    OneTapExchange,
    /// `POST /v1/otp/send`
    OtpSend,
    /// `POST /v1/otp/login`
    OtpLogin,
    /// `GET /v1/client-config`
    ClientConfig,
    /// `GET` or `POST /v1/receipts/{provider}/{token}`
    Receipts,
    /// `POST /v1/session/refresh`
    SessionRefresh,
    /// `GET /v1/session`
    Session,
    /// `DELETE /v1/session`
    SessionEnd,
    /// `GET /v1/sessions`
    Sessions,
    /// `DELETE /v1/sessions`
    SessionsEndOthers,
    /// `DELETE /v1/sessions/{id}`
    SessionsEndOne(SessionId),
    /// `GET /v1/devices`
    Devices,
    /// `PATCH /v1/devices/{id}`
    DeviceChange(DeviceId),
    /// `DELETE /v1/devices/{id}`
    DeviceRemove(DeviceId),
    /// `GET /v1/login-history`
    LoginHistory,
    /// `POST /oauth/introspect`
    Introspect,
    /// `POST /oauth/revoke`
    Revoke,
    /// `GET /v1/approvals`
    Approvals,
    /// `POST /v1/approvals/{id}`
    ApprovalAnswer(ApprovalId),
    /// `GET /v1/account/login-protection`
    LoginProtection,
    /// `PUT /v1/account/login-protection`
    LoginProtectionChange,
    /// `POST /v1/step-up/state`
    StepUpState,
    /// `POST /v1/step-up/start`
    StepUpStart,
    /// `POST /v1/step-up/complete`
    StepUpComplete,
    /// `GET /v1/accounts/{id}/phone`
    AccountPhone(AccountId),
    /// `PUT /v1/accounts/{id}/freeze`
    AccountFreeze(AccountId),
    /// `PUT /v1/accounts/{id}/login-protection`
    AccountProtect(AccountId),
    /// `GET /v1/api-key`
    ApiKey,
}

/// What a method and path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A route.
    Route(Route),
    /// The path exists, with these methods.
    OtherMethods(&'static str),
    /// No such path.
    Nothing,
}

impl Found {
    /// Method and pattern for the log, never the path.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Route(route) => route.name(),
            Self::OtherMethods(_) => "other method",
            Self::Nothing => "no route",
        }
    }

    /// Whether it is one of the endpoints whose clients know OAuth.
    pub const fn is_oauth(&self) -> bool {
        matches!(self, Self::Route(Route::Introspect | Route::Revoke))
    }

    /// Whether one-tap is what the client is trying.
    pub const fn is_one_tap(&self) -> bool {
        matches!(
            self,
            Self::Route(
                Route::OneTapLogin | Route::OneTapFailures | Route::OneTapCheck | Route::OneTapExchange
            )
        )
    }
}

impl Route {
    const fn name(self) -> &'static str {
        match self {
            Self::Health => "GET /healthz",
            Self::Jwks => "GET /.well-known/jwks.json",
            Self::OneTapLogin => "POST /v1/one-tap/login",
            Self::OneTapFailures => "POST /v1/one-tap/failures",
            Self::OneTapCheck => "POST /v1/one-tap/check",
            Self::OneTapExchange => "POST /v1/one-tap/exchange",
            Self::OtpSend => "POST /v1/otp/send",
            Self::OtpLogin => "POST /v1/otp/login",
            Self::ClientConfig => "GET /v1/client-config",
            Self::Receipts => "POST /v1/receipts/{provider}/{token}",
            Self::SessionRefresh => "POST /v1/session/refresh",
            Self::Session => "GET /v1/session",
            Self::SessionEnd => "DELETE /v1/session",
            Self::Sessions => "GET /v1/sessions",
            Self::SessionsEndOthers => "DELETE /v1/sessions",
            Self::SessionsEndOne(_) => "DELETE /v1/sessions/{id}",
            Self::Devices => "GET /v1/devices",
            Self::DeviceChange(_) => "PATCH /v1/devices/{id}",
            Self::DeviceRemove(_) => "DELETE /v1/devices/{id}",
            Self::LoginHistory => "GET /v1/login-history",
            Self::Introspect => "POST /oauth/introspect",
            Self::Revoke => "POST /oauth/revoke",
            Self::Approvals => "GET /v1/approvals",
            Self::ApprovalAnswer(_) => "POST /v1/approvals/{id}",
            Self::LoginProtection => "GET /v1/account/login-protection",
            Self::LoginProtectionChange => "PUT /v1/account/login-protection",
            Self::StepUpState => "POST /v1/step-up/state",
            Self::StepUpStart => "POST /v1/step-up/start",
            Self::StepUpComplete => "POST /v1/step-up/complete",
            Self::AccountPhone(_) => "GET /v1/accounts/{id}/phone",
            Self::AccountFreeze(_) => "PUT /v1/accounts/{id}/freeze",
            Self::AccountProtect(_) => "PUT /v1/accounts/{id}/login-protection",
            Self::ApiKey => "GET /v1/api-key",
        }
    }
}

/// Finds the route of a request.
pub fn find(method: &str, path: &str) -> Found {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    let (allow, route) = match segments.as_slice() {
        ["healthz"] => get(method, Route::Health),
        [".well-known", "jwks.json"] => get(method, Route::Jwks),
        ["oauth", "introspect"] => post(method, Route::Introspect),
        ["oauth", "revoke"] => post(method, Route::Revoke),
        ["v1", "one-tap", "login"] => post(method, Route::OneTapLogin),
        ["v1", "one-tap", "failures"] => post(method, Route::OneTapFailures),
        ["v1", "one-tap", "check"] => post(method, Route::OneTapCheck),
        ["v1", "one-tap", "exchange"] => post(method, Route::OneTapExchange),
        ["v1", "otp", "send"] => post(method, Route::OtpSend),
        ["v1", "otp", "login"] => post(method, Route::OtpLogin),
        ["v1", "client-config"] => get(method, Route::ClientConfig),
        // Vendors push as they please.
        ["v1", "receipts", _, _] => {
            ("GET, POST", ["GET", "POST"].contains(&method).then_some(Route::Receipts))
        }
        ["v1", "session", "refresh"] => post(method, Route::SessionRefresh),
        ["v1", "session"] => one_of(method, "GET, HEAD, DELETE", Route::Session, Route::SessionEnd),
        ["v1", "sessions"] => one_of(method, "GET, HEAD, DELETE", Route::Sessions, Route::SessionsEndOthers),
        ["v1", "sessions", id] => match id.parse() {
            Ok(id) => ("DELETE", (method == "DELETE").then_some(Route::SessionsEndOne(id))),
            Err(_) => return Found::Nothing,
        },
        ["v1", "devices"] => get(method, Route::Devices),
        ["v1", "devices", id] => match id.parse() {
            Ok(id) => {
                let route = match method {
                    "PATCH" => Some(Route::DeviceChange(id)),
                    "DELETE" => Some(Route::DeviceRemove(id)),
                    _ => None,
                };
                ("PATCH, DELETE", route)
            }
            Err(_) => return Found::Nothing,
        },
        ["v1", "login-history"] => get(method, Route::LoginHistory),
        ["v1", "approvals"] => get(method, Route::Approvals),
        ["v1", "approvals", id] => match id.parse() {
            Ok(id) => post(method, Route::ApprovalAnswer(id)),
            Err(_) => return Found::Nothing,
        },
        ["v1", "account", "login-protection"] => {
            let change = (method == "PUT").then_some(Route::LoginProtectionChange);
            ("GET, HEAD, PUT", change.or_else(|| (method == "GET").then_some(Route::LoginProtection)))
        }
        ["v1", "step-up", "state"] => post(method, Route::StepUpState),
        ["v1", "step-up", "start"] => post(method, Route::StepUpStart),
        ["v1", "step-up", "complete"] => post(method, Route::StepUpComplete),
        ["v1", "api-key"] => get(method, Route::ApiKey),
        ["v1", "accounts", id, "phone"] => match id.parse() {
            Ok(id) => get(method, Route::AccountPhone(id)),
            Err(_) => return Found::Nothing,
        },
        ["v1", "accounts", id, "login-protection"] => match id.parse() {
            Ok(id) => ("PUT", (method == "PUT").then_some(Route::AccountProtect(id))),
            Err(_) => return Found::Nothing,
        },
        ["v1", "accounts", id, "freeze"] => match id.parse() {
            Ok(id) => ("PUT", (method == "PUT").then_some(Route::AccountFreeze(id))),
            Err(_) => return Found::Nothing,
        },
        _ => return Found::Nothing,
    };
    route.map_or(Found::OtherMethods(allow), Found::Route)
}

type Methods = (&'static str, Option<Route>);

fn get(method: &str, route: Route) -> Methods {
    ("GET, HEAD", (method == "GET").then_some(route))
}

fn post(method: &str, route: Route) -> Methods {
    ("POST", (method == "POST").then_some(route))
}

/// To be read, or to be ended.
fn one_of(method: &str, allow: &'static str, read: Route, end: Route) -> Methods {
    let route = match method {
        "GET" => Some(read),
        "DELETE" => Some(end),
        _ => None,
    };
    (allow, route)
}

/// Runs a route.
pub(super) async fn run<W: World>(service: Service<'_, W>, route: &Route, request: &HttpIn) -> Reply {
    let result = match route {
        Route::Health => Ok(meta::health()),
        Route::Jwks => meta::jwks(service),
        Route::OneTapLogin => one_tap::login(service, request).await,
        Route::OneTapFailures => one_tap::failures(service, request).await,
        Route::OneTapCheck => one_tap::check(service, request).await,
        Route::OneTapExchange => one_tap::exchange(service, request).await,
        Route::OtpSend => otp::send(service, request).await,
        Route::OtpLogin => otp::login(service, request).await,
        Route::ClientConfig => meta::client_config(service, request),
        Route::Receipts => receipts::receive(service, request).await,
        Route::SessionRefresh => session::refresh(service, request).await,
        Route::Session => session::who_am_i(service, request).await,
        Route::SessionEnd => sessions::sign_out(service, request).await,
        Route::Sessions => sessions::list(service, request).await,
        Route::SessionsEndOthers => sessions::end_others(service, request).await,
        Route::SessionsEndOne(id) => sessions::end(service, request, Some(*id)).await,
        Route::Devices => devices::list(service, request).await,
        Route::DeviceChange(id) => devices::change(service, request, *id).await,
        Route::DeviceRemove(id) => devices::remove(service, request, *id).await,
        Route::LoginHistory => login_history::page(service, request).await,
        Route::Introspect => oauth::introspect(service, request).await,
        Route::Revoke => oauth::revoke(service, request).await,
        Route::Approvals => approvals::list(service, request).await,
        Route::ApprovalAnswer(id) => approvals::answer(service, request, *id).await,
        Route::LoginProtection => approvals::protection(service, request).await,
        Route::LoginProtectionChange => approvals::protect(service, request).await,
        Route::StepUpState => step_up::state(service, request).await,
        Route::StepUpStart => step_up::start(service, request).await,
        Route::StepUpComplete => step_up::complete(service, request).await,
        Route::AccountPhone(id) => accounts::phone(service, request, *id).await,
        Route::AccountFreeze(id) => accounts::freeze(service, request, *id).await,
        Route::AccountProtect(id) => accounts::protect(service, request, *id).await,
        Route::ApiKey => backend::api_key(service, request).await,
    };
    result.unwrap_or_else(Reply::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods() {
        let id = AccountId::from_bytes([1; 16]);
        for (method, path, found) in [
            ("GET", "/healthz".to_owned(), Found::Route(Route::Health)),
            ("POST", "/v1/one-tap/login".to_owned(), Found::Route(Route::OneTapLogin)),
            ("GET", format!("/v1/accounts/{id}/phone"), Found::Route(Route::AccountPhone(id))),
            ("GET", "/v1/accounts/13800138000/phone".to_owned(), Found::Nothing),
            ("PUT", "/v1/one-tap/login".to_owned(), Found::OtherMethods("POST")),
            ("POST", "/healthz".to_owned(), Found::OtherMethods("GET, HEAD")),
            ("GET", "/v1/one-tap/login/".to_owned(), Found::Nothing),
            ("GET", "//healthz".to_owned(), Found::Nothing),
            ("PROPFIND", "/v1/session".to_owned(), Found::OtherMethods("GET, HEAD, DELETE")),
            ("GET", "/".to_owned(), Found::Nothing),
            ("GET", String::new(), Found::Nothing),
        ] {
            assert_eq!(find(method, &path), found, "{method} {path}");
        }
    }
}
