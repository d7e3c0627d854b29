//! QQ 登录: `oauth2.0/token`, `oauth2.0/me` and `user/get_user_info`. Every answer is HTTP 200. Without `fmt=json` the first is a
//! form and the second a callback, which nobody here reads.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, Uri},
    routing::get,
};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

use super::Fields;
use crate::{
    idp::{Exchange, Refusal, given},
    reply::{Answer, deliver},
    state::World,
    tokens::Provider,
};

const TOKEN: &str = "/oauth2.0/token";
const ME: &str = "/oauth2.0/me";
const PROFILE: &str = "/user/get_user_info";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route(
            TOKEN,
            get(async |State(world): State<Arc<World>>, uri: Uri| answer(&world, &uri, exchange).await),
        )
        .route(ME, get(async |State(world): State<Arc<World>>, uri: Uri| answer(&world, &uri, who).await))
        .route(
            PROFILE,
            get(async |State(world): State<Arc<World>>, uri: Uri| answer(&world, &uri, person).await),
        )
}

async fn answer(
    world: &World,
    uri: &Uri,
    to: fn(&World, &Fields) -> Result<Answer, ErrorStack>,
) -> Response<Body> {
    deliver(to(world, &Fields::query(uri).unwrap_or_default())).await
}

fn exchange(world: &World, fields: &Fields) -> Result<Answer, ErrorStack> {
    let code = fields.get("code");
    world.seen(Provider::Qq, TOKEN, code);
    let Some(account) = world.account(Provider::Qq, fields.get("client_id")) else {
        return Ok(refused(100_008, "client_id is wrong"));
    };
    if fields.get("grant_type") != "authorization_code" {
        return Ok(refused(100_004, "param grant_type is wrong or lost"));
    }
    if fields.get("fmt") != "json" {
        return Ok(refused(1, "only fmt=json is spoken here"));
    }
    if code.is_empty() {
        return Ok(refused(100_005, "param code is lost"));
    }
    let exchange = Exchange {
        code,
        client: account.id(),
        is_client: fields.get("client_secret") == account.setting("appKey"),
        redirect_uri: Some(fields.get("redirect_uri")),
        code_verifier: "",
    };
    Ok(match world.exchange_code(Provider::Qq, &exchange)? {
        Ok((token, grant)) => {
            let body = json!({ "access_token": token, "expires_in": 7_776_000, "refresh_token": format!("R{token}") });
            given(Answer::ok(body), grant.behaviour.of_line())
        }
        Err((refusal, line)) => given(
            match refusal {
                Refusal::Client => refused(100_009, "client_secret is wrong"),
                Refusal::Used => refused(100_020, "code is reused error"),
                Refusal::Unknown => refused(100_019, "code to access token error"),
                Refusal::RedirectUri => refused(100_010, "redirect uri is illegal"),
            },
            line,
        ),
    })
}

fn who(world: &World, fields: &Fields) -> Result<Answer, ErrorStack> {
    world.seen(Provider::Qq, ME, "");
    let Some(grant) = world.granted(Provider::Qq, fields.get("access_token")) else {
        return Ok(refused(100_016, "access token check failed"));
    };
    let mut body = json!({ "client_id": grant.client, "openid": grant.person.openid(&grant.client) });
    if let (Value::Object(members), Some(unionid), "1") =
        (&mut body, &grant.person.unionid, fields.get("unionid"))
    {
        members.insert("unionid".to_owned(), json!(format!("UID_{unionid}")));
    }
    Ok(given(Answer::ok(body), grant.behaviour.of_line()))
}

fn person(world: &World, fields: &Fields) -> Result<Answer, ErrorStack> {
    world.seen(Provider::Qq, PROFILE, "");
    let grant = world.granted(Provider::Qq, fields.get("access_token"));
    let grant = grant.filter(|grant| {
        grant.client == fields.get("oauth_consumer_key")
            && grant.person.openid(&grant.client) == fields.get("openid")
    });
    Ok(match grant {
        None => Answer::ok(json!({ "ret": 1002, "msg": "请先登录" })),
        Some(grant) => {
            let body = json!({
                "ret": 0, "msg": "", "is_lost": 0, "nickname": grant.person.nickname, "gender": "",
                "figureurl_qq_1": grant.person.avatar, "figureurl_qq_2": "",
            });
            given(Answer::ok(body), grant.behaviour.of_profile())
        }
    })
}

fn refused(error: u32, description: &str) -> Answer {
    Answer::ok(json!({ "error": error, "error_description": description }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    #[tokio::test]
    async fn from_a_code_to_a_person() {
        let bench = Bench::new();
        let back = "https://shop.example/back";
        let person = json!({ "subject": "a", "unionid": "u", "nickname": "n", "redirectUri": back });
        let ask = async |secret: &str, code: &str, back: &str| {
            let fields = [
                ("client_id", "101000001"),
                ("client_secret", secret),
                ("code", code),
                ("redirect_uri", back),
                ("grant_type", "authorization_code"),
                ("fmt", "json"),
            ];
            bench.get(&format!("{TOKEN}?{}", form(&fields))).await.json()
        };
        let code = bench.code("qq", person.clone()).await;
        assert_eq!(ask("another", &code, back).await["error"], 100_009);
        assert_eq!(ask("InventedAppKey", "another", back).await["error"], 100_019);
        let token = ask("InventedAppKey", &code, back).await["access_token"].as_str().unwrap().to_owned();
        assert_eq!(ask("InventedAppKey", &code, back).await["error"], 100_020);
        let code = bench.code("qq", person).await;
        assert_eq!(ask("InventedAppKey", &code, "https://evil.example").await["error"], 100_010);

        let me = bench.get(&format!("{ME}?access_token={token}&unionid=1&fmt=json")).await.json();
        assert_eq!((&me["unionid"], &me["client_id"]), (&json!("UID_u"), &json!("101000001")));
        assert_eq!(bench.get(&format!("{ME}?access_token=x")).await.json()["error"], 100_016);
        let openid = me["openid"].as_str().unwrap();
        let path = format!("{PROFILE}?access_token={token}&oauth_consumer_key=101000001&openid={openid}");
        assert_eq!(bench.get(&path).await.json()["nickname"], "n");
        assert_eq!(bench.get(&path.replace("101000001", "1")).await.json()["ret"], 1002);
    }
}
