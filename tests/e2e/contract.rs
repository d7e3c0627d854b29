//! What all answers share: request ids, languages, headers, methods; and the one log line of each request.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Request, fresh_phone, get, login_body, post},
    login::LOGIN,
    sandbox::Order,
    stack, story,
};

/// Every route with its method.
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/healthz"),
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/v1/one-tap/login"),
    ("POST", "/v1/one-tap/failures"),
    ("POST", "/v1/one-tap/check"),
    ("POST", "/v1/one-tap/exchange"),
    ("POST", "/v1/otp/send"),
    ("POST", "/v1/otp/login"),
    ("GET", "/v1/client-config"),
    ("POST", "/v1/session/refresh"),
    ("GET", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("GET", "/v1/sessions"),
    ("DELETE", "/v1/sessions"),
    ("DELETE", "/v1/sessions/ses_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("GET", "/v1/devices"),
    ("PATCH", "/v1/devices/dev_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("DELETE", "/v1/devices/dev_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("GET", "/v1/login-history"),
    ("GET", "/v1/approvals"),
    ("POST", "/v1/approvals/apr_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("POST", "/v1/identities/wechat/login"),
    ("POST", "/v1/password/login"),
    ("POST", "/v1/password/reset"),
    ("PUT", "/v1/account/password"),
    ("GET", "/v1/account"),
    ("PATCH", "/v1/account"),
    ("DELETE", "/v1/account"),
    ("GET", "/v1/account/export"),
    ("PUT", "/v1/account/phone"),
    ("DELETE", "/v1/account/phone-change"),
    ("GET", "/v1/account/phones"),
    ("GET", "/v1/account/trusted-phones"),
    ("POST", "/v1/account/trusted-phones"),
    ("DELETE", "/v1/account/trusted-phones/tph_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ("GET", "/v1/account/identities"),
    ("POST", "/v1/account/identities/email"),
    ("POST", "/v1/account/identities/username"),
    ("DELETE", "/v1/account/identities/email"),
    ("DELETE", "/v1/account/identities/username"),
    ("POST", "/v1/session/proof"),
    ("POST", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/restore"),
    ("GET", "/v1/account/login-protection"),
    ("PUT", "/v1/account/login-protection"),
    ("POST", "/v1/step-up/state"),
    ("POST", "/v1/step-up/start"),
    ("POST", "/v1/step-up/complete"),
    ("PUT", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/freeze"),
    ("PUT", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/login-protection"),
    ("PUT", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/facts"),
    ("PUT", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/friends"),
    ("PUT", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/money"),
    ("POST", "/oauth/introspect"),
    ("POST", "/oauth/revoke"),
    ("GET", "/v1/accounts/acc_aaaaaaaaaaaaaaaaaaaaaaaaaa/phone"),
    ("POST", "/v1/friends/confirmations"),
    ("POST", "/v1/import"),
    ("GET", "/v1/api-key"),
];

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("contract: a sane request id is taken, another made, always returned", request_ids),
        story("contract: problems speak the client's language", languages),
        story("contract: every answer carries the common headers", common_headers),
        story("contract: a wrong method is told which are right", methods),
        story("contract: unknown paths are not found", unknown_paths),
        story("contract: HEAD answers as GET without a body", head),
        story("contract: each request leaves one log line that says how it went", log_line),
    ]
}

async fn request_ids() {
    let stack = stack::main();
    let long = "a".repeat(65);
    for (given, is_taken) in [
        ("order-0001.x_y", true),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", true),
        (long.as_str(), false),
        ("two words", false),
        ("", false),
        ("13800138000", false),
        ("<script>", false),
    ] {
        let answer = get(stack, "/v1/nowhere").header("x-request-id", given).send().await;
        let id = answer.header("x-request-id");
        assert_eq!(id == given, is_taken, "{given:?} became {id:?}");
        assert!(!id.is_empty());
        assert_eq!(answer.problem(404, "not_found")["requestId"], id);
    }
}

async fn languages() {
    let stack = stack::main();
    for (wanted, title, content_language) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "未找到。", "zh-CN"),
        ("en", "There is nothing here.", "en"),
        ("fr-FR", "There is nothing here.", "en"),
        ("en;q=0.2, zh", "未找到。", "zh-CN"),
    ] {
        let answer = get(stack, "/v1/nowhere").header("accept-language", wanted).send().await;
        assert_eq!(answer.problem(404, "not_found")["title"], title, "{wanted}");
        assert_eq!(answer.header("content-language"), content_language);
    }
    let refused = post(stack, LOGIN, &json!({})).header("accept-language", "zh-CN").send().await;
    assert_eq!(refused.problem(400, "invalid_request")["title"], "请求无效。");
}

async fn common_headers() {
    let stack = stack::main();
    for &(method, path) in ROUTES {
        let answer = Request::new(stack, method.parse().unwrap(), path).send().await;
        assert_eq!(answer.header("x-request-id"), answer.request_id, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let kept = match path {
            "/.well-known/jwks.json" => "public, max-age=300",
            "/v1/client-config" => "private, max-age=300",
            _ => "no-store",
        };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
    }
}

async fn methods() {
    let stack = stack::main();
    for &(_, path) in ROUTES {
        let right: Vec<&str> = ROUTES.iter().filter(|route| route.1 == path).map(|route| route.0).collect();
        let allow: Vec<&str> =
            right.iter().map(|method| if *method == "GET" { "GET, HEAD" } else { method }).collect();
        let all = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter();
        for wrong in all.filter(|method| !right.contains(method)) {
            let answer = Request::new(stack, wrong.parse().unwrap(), path).send().await;
            answer.problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), allow.join(", "), "{wrong} {path}");
        }
    }
}

async fn unknown_paths() {
    let stack = stack::main();
    for path in ["/", "/v1", "/v1/one-tap/login/", "/V1/session", "/v1/accounts/12345/phone", "/v1/%00"] {
        get(stack, path).send().await.problem(404, "not_found");
    }
}

async fn head() {
    let answer = Request::new(stack::main(), Method::HEAD, "/healthz").send().await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let none = Request::new(stack::main(), Method::HEAD, "/v1/session").send().await;
    assert_eq!((none.status, none.body.len()), (401, 0));
}

async fn log_line() {
    let stack = stack::main();
    let credential = Order::new("cmcc", &fresh_phone("178")).behaviour("slow").mint(stack).await;
    let login = post(stack, LOGIN, &login_body(&credential)).send().await;
    login.ok();
    let line = stack.log_line(&login.request_id).await;
    assert_eq!((&line["level"], &line["event"]), (&json!("info"), &json!("request")));
    assert_eq!((&line["route"], &line["code"]), (&json!("POST /v1/one-tap/login"), &json!("ok")));
    let call = &line["providers"][0];
    assert_eq!((&call["provider"], &call["outcome"]), (&json!("cmcc"), &json!("ok")));
    // The slow carrier takes 1.2 s.
    for millis in [&line["millis"], &call["millis"]] {
        assert!(millis.as_u64().is_some_and(|millis| (1100..4000).contains(&millis)), "{line}");
    }
    let account = login.json()["account"]["id"].as_str().unwrap().to_owned();
    let refused = get(stack, &format!("/v1/accounts/{account}/phone")).send().await;
    let line: Value = stack.log_line(&refused.request_id).await;
    assert_eq!(line["route"], "GET /v1/accounts/{id}/phone", "the path itself is not logged");
    assert_eq!((&line["code"], line.get("providers")), (&json!("unauthenticated"), None));
}
