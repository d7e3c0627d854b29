//! 微信登录: `sns/oauth2/access_token` and `sns/userinfo`. Every answer is HTTP 200; an error has an errcode.

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

const TOKEN: &str = "/sns/oauth2/access_token";
const PROFILE: &str = "/sns/userinfo";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route(TOKEN, get(token)).route(PROFILE, get(profile))
}

async fn token(State(world): State<Arc<World>>, uri: Uri) -> Response<Body> {
    deliver(exchange(&world, &Fields::query(&uri).unwrap_or_default())).await
}

async fn profile(State(world): State<Arc<World>>, uri: Uri) -> Response<Body> {
    deliver(Ok(person(&world, &Fields::query(&uri).unwrap_or_default()))).await
}

fn exchange(world: &World, fields: &Fields) -> Result<Answer, ErrorStack> {
    let code = fields.get("code");
    world.seen(Provider::Wechat, TOKEN, code);
    let Some(account) = world.account(Provider::Wechat, fields.get("appid")) else {
        return Ok(refused(40013, "invalid appid"));
    };
    if fields.get("grant_type") != "authorization_code" {
        return Ok(refused(40002, "invalid grant_type"));
    }
    if code.is_empty() {
        return Ok(refused(41008, "missing code"));
    }
    let is_client = fields.get("secret") == account.setting("appSecret");
    let client = account.id();
    let exchange = Exchange { code, client, is_client, redirect_uri: None, code_verifier: "" };
    Ok(match world.exchange_code(Provider::Wechat, &exchange)? {
        Ok((token, grant)) => {
            let mut body = json!({
                "access_token": token, "expires_in": 7200, "refresh_token": format!("r{token}"),
                "openid": grant.person.openid(client), "scope": "snsapi_login",
            });
            if let (Value::Object(members), Some(unionid)) = (&mut body, &grant.person.unionid) {
                members.insert("unionid".to_owned(), json!(unionid));
            }
            given(Answer::ok(body), grant.behaviour.of_line())
        }
        Err((refusal, line)) => given(
            match refusal {
                Refusal::Client => refused(40125, "invalid appsecret"),
                Refusal::Used => refused(40163, "code been used"),
                Refusal::Unknown | Refusal::RedirectUri => refused(40029, "invalid code"),
            },
            line,
        ),
    })
}

fn person(world: &World, fields: &Fields) -> Answer {
    world.seen(Provider::Wechat, PROFILE, "");
    let Some(grant) = world.granted(Provider::Wechat, fields.get("access_token")) else {
        return refused(40001, "invalid credential");
    };
    let openid = grant.person.openid(&grant.client);
    if fields.get("openid") != openid {
        return refused(40003, "invalid openid");
    }
    let body = json!({
        "openid": openid, "nickname": grant.person.nickname, "sex": 0, "language": "", "city": "", "province": "",
        "country": "", "headimgurl": grant.person.avatar, "privilege": [],
    });
    given(Answer::ok(body), grant.behaviour.of_profile())
}

fn refused(errcode: i32, errmsg: &str) -> Answer {
    Answer::ok(json!({ "errcode": errcode, "errmsg": format!("{errmsg}, rid: 0-0-0") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, form};

    const APP: &str = "wx0123456789abcdef";
    const SECRET: &str = "InventedAppSecret1";

    async fn ask(bench: &Bench, app: &str, secret: &str, code: &str) -> Value {
        let fields =
            [("appid", app), ("secret", secret), ("code", code), ("grant_type", "authorization_code")];
        bench.get(&format!("{TOKEN}?{}", form(&fields))).await.json()
    }

    #[tokio::test]
    async fn a_code_counts_once_for_ten_minutes_and_for_its_application() {
        let bench = Bench::new();
        let code = bench.code("wechat", json!({ "subject": "a" })).await;
        assert_eq!(ask(&bench, "wx", SECRET, &code).await["errcode"], 40013);
        assert_eq!(ask(&bench, APP, "another", &code).await["errcode"], 40125);
        assert_eq!(ask(&bench, APP, SECRET, "another").await["errcode"], 40029);
        let token = ask(&bench, APP, SECRET, &code).await;
        assert_eq!((token["openid"].as_str().unwrap().len(), &token["unionid"]), (28, &Value::Null));
        assert_eq!(ask(&bench, APP, SECRET, &code).await["errcode"], 40163);
        let foreign = bench.code("wechat", json!({ "subject": "a", "app": "second" })).await;
        assert_eq!(ask(&bench, APP, SECRET, &foreign).await["errcode"], 40029);
        let late = bench.code("wechat", json!({ "subject": "a" })).await;
        bench.world.shift_clock(600);
        assert_eq!(ask(&bench, APP, SECRET, &late).await["errcode"], 40029);
    }

    #[tokio::test]
    async fn applications_know_somebody_by_names_of_their_own_and_one_in_common() {
        let bench = Bench::new();
        let person = json!({ "subject": "a", "unionid": "u", "nickname": "n", "avatar": "https://a" });
        let code = bench.code("wechat", person.clone()).await;
        let one = ask(&bench, APP, SECRET, &code).await;
        let mut second = person;
        second["app"] = json!("second");
        let code = bench.code("wechat", second).await;
        let other = ask(&bench, "wxfedcba9876543210", "InventedAppSecret2", &code).await;
        assert_ne!(one["openid"], other["openid"]);
        assert_eq!((&one["unionid"], &other["unionid"]), (&json!("u"), &json!("u")));
        let ask = async |token: &Value, openid: &Value| {
            let fields = [("access_token", token.as_str().unwrap()), ("openid", openid.as_str().unwrap())];
            bench.get(&format!("{PROFILE}?{}", form(&fields))).await.json()
        };
        let profile = ask(&one["access_token"], &one["openid"]).await;
        assert_eq!((&profile["nickname"], &profile["headimgurl"]), (&json!("n"), &json!("https://a")));
        assert_eq!(ask(&one["access_token"], &other["openid"]).await["errcode"], 40003);
        assert_eq!(ask(&one["openid"], &one["openid"]).await["errcode"], 40001);
    }

    #[tokio::test]
    async fn behaviours() {
        let bench = Bench::new();
        for (behaviour, errcode) in [("reused_code", 40163), ("wrong_secret", 40125)] {
            let code = bench.code("wechat", json!({ "subject": "a", "behaviour": behaviour })).await;
            assert_eq!(ask(&bench, APP, SECRET, &code).await["errcode"], errcode);
        }
        let code = bench.code("wechat", json!({ "subject": "a", "behaviour": "profile_failing" })).await;
        let token = ask(&bench, APP, SECRET, &code).await;
        let fields = [("access_token", &token["access_token"]), ("openid", &token["openid"])];
        let fields = fields.map(|(name, value)| (name, value.as_str().unwrap()));
        assert_eq!(bench.get(&format!("{PROFILE}?{}", form(&fields))).await.status, 500);
        let code = bench.code("wechat", json!({ "subject": "a", "behaviour": "garbage" })).await;
        let fields =
            [("appid", APP), ("secret", SECRET), ("code", &code), ("grant_type", "authorization_code")];
        let garbage = bench.get(&format!("{TOKEN}?{}", form(&fields))).await;
        assert!(garbage.status == 200 && serde_json::from_slice::<Value>(&garbage.body).is_err());
    }
}
