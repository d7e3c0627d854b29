//! 极验 GeeTest v4: the second check of a solved captcha. Errors have a code, judgements a result.
//!
//! Assumed: "fail" for a wrong signature, and "pass_token expire" also for a second use.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
    routing::post,
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::Fields;
use crate::{
    captchas::{Question, Verdict},
    crypto,
    reply::{Answer, deliver},
    state::World,
    tokens::{Behaviour, Provider},
};

const PATH: &str = "/validate";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(PATH, post(validate))
}

async fn validate(
    State(world): State<Arc<World>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    deliver(exchange(&world, &uri, &headers, &body)).await
}

fn exchange(world: &World, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let mut fields = Fields::form(headers, body).unwrap_or_default();
    fields.0.extend(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned());
    let token = fields.get("lot_number");
    world.seen(Provider::Geetest, PATH, token);
    let error = |code: &str, message: &str| {
        Answer::ok(json!({
            "status": "error", "code": code, "msg": message, "desc": { "type": "defined error" },
        }))
    };
    let judged = |result: &str, reason: &str| {
        Answer::ok(json!({ "status": "success", "result": result, "reason": reason, "captcha_args": {} }))
    };
    if !fields.have(&["captcha_id"]) {
        return Ok(error("-50101", "not captcha_id"));
    }
    let Some(account) = world.account(Provider::Geetest, fields.get("captcha_id")) else {
        return Ok(error("-50103", "not captcha"));
    };
    if token.is_empty() {
        return Ok(error("-50302", "not lot_number"));
    }
    let gen_time = fields.get("gen_time");
    if gen_time.is_empty() || !gen_time.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(error("-50005", "illegal gen_time"));
    }
    if fields.get("sign_token") != crypto::hmac_sha256_hex(account.setting("captchaKey"), token)? {
        return Ok(judged("fail", "sign_token error"));
    }
    let behaviour = world.ledger().fault(Provider::Geetest, None)?.unwrap_or_default();
    let given = match behaviour {
        Behaviour::Refused | Behaviour::Http500 => error("-50000", "runtime error"),
        Behaviour::AccountFault => error("-50105", "captcha_id paused"),
        _ => {
            let companions =
                ["captcha_output", "pass_token", "gen_time"].map(|name| (name, fields.get(name)));
            let question = Question { account_id: account.id(), token, key: "", companions: &companions };
            match world.judge(Provider::Geetest, &question) {
                Verdict::Pass => judged("success", ""),
                Verdict::Fail => judged("fail", "risk"),
                Verdict::Stale => judged("fail", "pass_token expire"),
                Verdict::Unknown => error("-50301", "not proof"),
            }
        }
    };
    Ok(Answer { behaviour, ..given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    #[tokio::test]
    async fn a_solved_captcha_counts_once() {
        let bench = Bench::new();
        let ask = async |token: &str, key: &str| {
            let fields: std::collections::BTreeMap<String, String> = serde_json::from_str(token).unwrap();
            let signature = crypto::hmac_sha256_hex(key, &fields["lot_number"]).unwrap();
            let mut pairs: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            pairs.push(("sign_token", &signature));
            let uri = format!("{PATH}?captcha_id=0a1b2c3d");
            let reply = bench.post(&uri, "application/x-www-form-urlencoded", form(&pairs)).await.json();
            let said = if reply["status"] == "error" { &reply["code"] } else { &reply["result"] };
            said.as_str().unwrap().to_owned()
        };
        let token = bench.captcha(json!({ "provider": "geetest" })).await;
        assert_eq!(ask(&token, "another").await, "fail");
        assert_eq!(ask(&token.replace("pass_token\":\"", "pass_token\":\"x"), "InventedKey").await, "-50301");
        assert_eq!(ask(&token, "InventedKey").await, "success");
        assert_eq!(ask(&token, "InventedKey").await, "fail");
        let failed = bench.captcha(json!({ "provider": "geetest", "outcome": "fail" })).await;
        assert_eq!(ask(&failed, "InventedKey").await, "fail");
    }
}
