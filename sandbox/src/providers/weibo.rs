//! 微博登录: `oauth2/access_token` and `2/users/show.json`. An error is HTTP 400 with an error_code.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
    routing::{get, post},
};
use openssl::error::ErrorStack;
use serde_json::json;

use super::Fields;
use crate::{
    idp::{Exchange, Refusal, given},
    reply::{Answer, deliver},
    state::World,
    tokens::{Behaviour, Provider},
};

const TOKEN: &str = "/oauth2/access_token";
const PROFILE: &str = "/2/users/show.json";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(TOKEN, post(token)).route(PROFILE, get(profile))
}

async fn token(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &Fields::form(&headers, &body).unwrap_or_default())).await
}

async fn profile(State(world): State<Arc<World>>, uri: Uri) -> Response<Body> {
    deliver(Ok(person(&world, &Fields::query(&uri).unwrap_or_default()))).await
}

fn exchange(world: &World, fields: &Fields) -> Result<Answer, ErrorStack> {
    let code = fields.get("code");
    world.seen(Provider::Weibo, TOKEN, code);
    let Some(account) = world.account(Provider::Weibo, fields.get("client_id")) else {
        return Ok(refused(21324, "invalid_client"));
    };
    if fields.get("grant_type") != "authorization_code" {
        return Ok(refused(21328, "unsupported_grant_type"));
    }
    let exchange = Exchange {
        code,
        client: account.id(),
        is_client: fields.get("client_secret") == account.setting("appSecret"),
        redirect_uri: Some(fields.get("redirect_uri")),
        code_verifier: "",
    };
    Ok(match world.exchange_code(Provider::Weibo, &exchange)? {
        Ok((token, grant)) => {
            let body = json!({
                "access_token": token, "remind_in": "157679999", "expires_in": 157_679_999,
                "uid": grant.person.subject, "isRealName": "true",
            });
            given(Answer::ok(body), grant.behaviour.of_line())
        }
        Err((refusal, line)) => given(
            match refusal {
                Refusal::Client => refused(21324, "invalid_client"),
                Refusal::Used | Refusal::Unknown => refused(21325, "invalid_grant"),
                Refusal::RedirectUri => refused(21322, "redirect_uri_mismatch"),
            },
            line,
        ),
    })
}

fn person(world: &World, fields: &Fields) -> Answer {
    world.seen(Provider::Weibo, PROFILE, "");
    let grant = world.granted(Provider::Weibo, fields.get("access_token"));
    let Some(grant) = grant.filter(|grant| grant.person.subject == fields.get("uid")) else {
        return refused(21332, "invalid_access_token");
    };
    let body = json!({
        "idstr": grant.person.subject, "screen_name": grant.person.nickname, "name": grant.person.nickname,
        "profile_image_url": grant.person.avatar, "avatar_large": grant.person.avatar,
    });
    given(Answer::ok(body), grant.behaviour.of_profile())
}

fn refused(code: u32, error: &str) -> Answer {
    Answer {
        status: StatusCode::BAD_REQUEST,
        body: json!({ "error": error, "error_code": code, "request": TOKEN, "error_uri": TOKEN, "error_description": error }),
        behaviour: Behaviour::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    #[tokio::test]
    async fn from_a_code_to_a_person() {
        let bench = Bench::new();
        let back = "https://shop.example/back";
        let person = json!({ "subject": "7654321", "nickname": "n", "redirectUri": back });
        let ask = async |secret: &str, code: &str, back: &str| {
            let fields = [
                ("client_id", "2000000001"),
                ("client_secret", secret),
                ("code", code),
                ("redirect_uri", back),
                ("grant_type", "authorization_code"),
            ];
            let reply = bench.post(TOKEN, "application/x-www-form-urlencoded", form(&fields)).await;
            (reply.status, reply.json())
        };
        let secret = "InventedAppSecret3";
        let code = bench.code("weibo", person.clone()).await;
        assert_eq!(ask("another", &code, back).await.1["error_code"], 21324);
        let (_, token) = ask(secret, &code, back).await;
        assert_eq!(token["uid"], "7654321");
        let (status, again) = ask(secret, &code, back).await;
        assert_eq!((status, &again["error_code"]), (400, &json!(21325)));
        let code = bench.code("weibo", person).await;
        assert_eq!(ask(secret, &code, "https://evil.example").await.1["error_code"], 21322);
        let path = format!("{PROFILE}?access_token={}&uid=7654321", token["access_token"].as_str().unwrap());
        assert_eq!(bench.get(&path).await.json()["screen_name"], "n");
        assert_eq!(bench.get(&path.replace("7654321", "1")).await.json()["error_code"], 21332);
    }
}
