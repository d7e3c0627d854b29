//! Whose is what at the end of a story: number, data and sessions, as the service tells each of the two.

use reqwest::Method;
use serde_json::{Value, json};

use super::comes;
use crate::{
    client::{Request, get, post, random_hex},
    leaks,
    login::access_token,
    numbers::masked,
    stack::Stack,
    tokens::REFRESH,
};

/// One of the two, and what must be theirs.
pub(super) struct Owner<'a> {
    /// A session of theirs, which lives.
    pub(super) login: &'a Value,
    /// What their profile says, and nobody else's.
    pub(super) name: &'a str,
    /// Their number, if they have one.
    pub(super) number: Option<&'a str>,
}

/// Sets a name of which there is one only, and says which.
pub(super) async fn named(stack: &Stack, login: &Value, begins: &str) -> String {
    let name = format!("{begins} {}", random_hex(8));
    leaks::note("name", &name);
    let patch = Request::new(stack, Method::PATCH, "/v1/account").json(&json!({ "displayName": name }));
    assert_eq!(patch.bearer(access_token(login)).send().await.status, 204);
    name
}

/// Both own what is theirs, and nothing that they are shown tells of the other.
pub(super) async fn both_own(stack: &Stack, his: &Owner<'_>, hers: &Owner<'_>) {
    assert_ne!(his.login["account"]["id"], hers.login["account"]["id"]);
    let shown = [owns(stack, his).await, owns(stack, hers).await];
    for (shown, other) in shown.iter().zip([hers, his]) {
        for word in [&json!(other.name), &other.login["account"]["id"], &other.login["session"]["id"]] {
            assert!(!shown.contains(word.as_str().unwrap()), "one is shown what is the other's");
        }
    }
}

/// Asks over HTTP whose number, data and sessions these are; all that was shown of them.
pub(super) async fn owns(stack: &Stack, owner: &Owner<'_>) -> String {
    let Owner { login, name, number } = owner;
    let id = &login["account"]["id"];
    let mut shown = Vec::new();
    // 1. Whose account answers to the number, on a device that nobody knows?
    if let Some(number) = number {
        let came = comes(stack, number).await;
        let said = (&came["account"]["id"], &came["account"]["isNew"], &came["account"]["displayName"]);
        assert_eq!(said, (id, &json!(false), &json!(name)), "{came}");
        shown.push(came);
    }
    // 2. The session lives, and leads to the same account.
    let session = post(stack, REFRESH, &json!({ "refreshToken": login["session"]["refreshToken"] }));
    let session = session.send().await.ok();
    let ask = async |path: &str| get(stack, path).bearer(access_token(&session)).send().await.ok();
    assert_eq!(ask("/v1/session?fresh=true").await["account"]["id"], *id);
    // 3. The data, and the number as the account knows it.
    let account = ask("/v1/account").await;
    let masked = number.map(masked);
    assert_eq!((&account["displayName"], account["phone"].as_str()), (&json!(name), masked.as_deref()));
    // 4. The sessions.
    let sessions = ask("/v1/sessions").await;
    let is_it = |known: &Value| known["id"] == login["session"]["id"];
    assert!(sessions["sessions"].as_array().unwrap().iter().any(is_it), "{sessions}");
    shown.extend([account, sessions, ask("/v1/login-history").await, ask("/v1/devices").await]);
    shown.iter().map(Value::to_string).collect()
}

/// Somebody has been signed out there.
pub(super) async fn is_over(stack: &Stack, login: &Value) {
    let body = json!({ "refreshToken": login["session"]["refreshToken"] });
    post(stack, REFRESH, &body).send().await.problem(401, "session_revoked");
}
