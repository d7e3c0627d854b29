//! Paths and methods, and the routes they lead to.

use super::{Found, Put, Route};

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
        ["v1", "identities", _, "login"] => post(method, Route::IdentityLogin),
        ["v1", "identities", _, "authorize"] => get(method, Route::IdentityAuthorize),
        ["v1", "client-config"] => get(method, Route::ClientConfig),
        // Vendors push as they please.
        ["v1", "receipts", _, _] => {
            ("GET, POST", ["GET", "POST"].contains(&method).then_some(Route::Receipts))
        }
        ["v1", "password", "login"] => post(method, Route::PasswordLogin),
        ["v1", "password", "reset"] => post(method, Route::PasswordReset),
        ["v1", "account", "password"] => ("PUT", (method == "PUT").then_some(Route::PasswordSet)),
        ["v1", "session", "proof"] => post(method, Route::SessionProof),
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
        ["v1", "account"] => match method {
            "PATCH" => (ACCOUNT, Some(Route::AccountChange)),
            _ => one_of(method, ACCOUNT, Route::Account, Route::AccountDelete),
        },
        ["v1", "account", "export"] => get(method, Route::AccountExport),
        ["v1", "account", "phone"] => ("PUT", (method == "PUT").then_some(Route::PhoneChange)),
        ["v1", "account", "phone-change"] => {
            ("DELETE", (method == "DELETE").then_some(Route::PhoneChangeDrop))
        }
        ["v1", "account", "phones"] => get(method, Route::PhoneHistory),
        ["v1", "account", "trusted-phones"] => match method {
            "POST" => ("GET, HEAD, POST", Some(Route::TrustedPhoneAdd)),
            _ => ("GET, HEAD, POST", (method == "GET").then_some(Route::TrustedPhones)),
        },
        ["v1", "account", "trusted-phones", id] => match id.parse() {
            Ok(id) => ("DELETE", (method == "DELETE").then_some(Route::TrustedPhoneRemove(id))),
            Err(_) => return Found::Nothing,
        },
        ["v1", "account", "identities"] => get(method, Route::Identities),
        ["v1", "account", "identities", _] => match method {
            "POST" => ("POST, DELETE", Some(Route::IdentityBind)),
            _ => ("POST, DELETE", (method == "DELETE").then_some(Route::IdentityUnbind)),
        },
        ["v1", "account", "login-protection"] => {
            let change = (method == "PUT").then_some(Route::LoginProtectionChange);
            ("GET, HEAD, PUT", change.or_else(|| (method == "GET").then_some(Route::LoginProtection)))
        }
        ["v1", "step-up"] => post(method, Route::StepUp),
        ["v1", "step-up", "state"] => post(method, Route::StepUpState),
        ["v1", "step-up", "claim"] => post(method, Route::StepUpClaim),
        ["v1", "step-up", "start"] => post(method, Route::StepUpStart),
        ["v1", "step-up", "complete"] => post(method, Route::StepUpComplete),
        ["v1", "friends", "confirmations"] => post(method, Route::FriendConfirm),
        ["v1", "appeals"] => post(method, Route::AppealMake),
        ["v1", "appeals", _] => get(method, Route::Appeal),
        ["v1", "appeals", _, "images"] => post(method, Route::AppealImage),
        ["v1", "appeals", _, "complete"] => post(method, Route::AppealComplete),
        ["v1", "account", "appeals"] => get(method, Route::OwnAppeals),
        ["v1", "account", "appeals", _, "refuse"] => post(method, Route::AppealRefuse),
        ["v1", "account", "phone", "claims"] => get(method, Route::NumberClaims),
        ["v1", "account", "phone", "objection"] => post(method, Route::NumberObjection),
        ["v1", "cases"] => get(method, Route::Cases),
        ["v1", "cases", _] => get(method, Route::Case),
        ["v1", "cases", _, "images", _] => get(method, Route::CaseImage),
        ["v1", "cases", _, "decision"] => post(method, Route::CaseDecision),
        ["v1", "import"] => post(method, Route::Import),
        ["v1", "api-key"] => get(method, Route::ApiKey),
        ["v1", "accounts", id, what] => match (id.parse(), *what) {
            (Ok(id), "phone") => get(method, Route::AccountPhone(id)),
            (Ok(id), "restore") => post(method, Route::AccountRestore(id)),
            (Ok(id), "freeze") => put(method, Route::AccountPut(id, Put::Freeze)),
            (Ok(id), "login-protection") => put(method, Route::AccountPut(id, Put::Protect)),
            (Ok(id), "facts") => put(method, Route::AccountPut(id, Put::Facts)),
            (Ok(id), "friends") => put(method, Route::AccountPut(id, Put::Friends)),
            (Ok(id), "money") => put(method, Route::AccountPut(id, Put::Money)),
            _ => return Found::Nothing,
        },
        _ => return Found::Nothing,
    };
    route.map_or(Found::OtherMethods(allow), Found::Route)
}

type Methods = (&'static str, Option<Route>);

fn get(method: &str, route: Route) -> Methods {
    ("GET, HEAD", (method == "GET").then_some(route))
}

fn put(method: &str, route: Route) -> Methods {
    ("PUT", (method == "PUT").then_some(route))
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

const ACCOUNT: &str = "GET, HEAD, PATCH, DELETE";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::AccountId;

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
