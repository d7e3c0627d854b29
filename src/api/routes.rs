//! Which request goes where.

use super::{Reply, accounts, http::HttpIn, meta, one_tap, otp, receipts, session};
use crate::{journeys::Service, kernel::id::AccountId, ports::World};

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
    /// `GET /v1/accounts/{id}/phone`
    AccountPhone(AccountId),
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
            Self::AccountPhone(_) => "GET /v1/accounts/{id}/phone",
        }
    }
}

/// Finds the route of a request.
pub fn find(method: &str, path: &str) -> Found {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    let (allowed, route) = match segments.as_slice() {
        ["healthz"] => ("GET", Route::Health),
        [".well-known", "jwks.json"] => ("GET", Route::Jwks),
        ["v1", "one-tap", "login"] => ("POST", Route::OneTapLogin),
        ["v1", "one-tap", "failures"] => ("POST", Route::OneTapFailures),
        ["v1", "one-tap", "check"] => ("POST", Route::OneTapCheck),
        ["v1", "one-tap", "exchange"] => ("POST", Route::OneTapExchange),
        ["v1", "otp", "send"] => ("POST", Route::OtpSend),
        ["v1", "otp", "login"] => ("POST", Route::OtpLogin),
        ["v1", "client-config"] => ("GET", Route::ClientConfig),
        // Vendors push as they please.
        ["v1", "receipts", _, _] if ["GET", "POST"].contains(&method) => (method, Route::Receipts),
        ["v1", "receipts", _, _] => ("GET, POST", Route::Receipts),
        ["v1", "session", "refresh"] => ("POST", Route::SessionRefresh),
        ["v1", "session"] => ("GET", Route::Session),
        ["v1", "accounts", id, "phone"] => match id.parse() {
            Ok(id) => ("GET", Route::AccountPhone(id)),
            Err(_) => return Found::Nothing,
        },
        _ => return Found::Nothing,
    };
    if method == allowed {
        Found::Route(route)
    } else {
        Found::OtherMethods(match allowed {
            "GET" => "GET, HEAD",
            "POST" => "POST",
            _ => "GET, POST",
        })
    }
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
        Route::AccountPhone(id) => accounts::phone(service, request, *id).await,
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
            ("PROPFIND", "/v1/session".to_owned(), Found::OtherMethods("GET, HEAD")),
            ("GET", "/".to_owned(), Found::Nothing),
            ("GET", String::new(), Found::Nothing),
        ] {
            assert_eq!(find(method, &path), found, "{method} {path}");
        }
    }
}
