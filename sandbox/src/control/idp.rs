//! `/sandbox/idp/{kind}/codes`: somebody signs in with a third party and agrees. And the third parties' pages, on which everybody
//! agrees at once.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header::LOCATION},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, bad_request, broken};
use crate::{
    idp::{Behaviour, Grant, Person},
    providers::Fields,
    state::{Account, World},
    tokens::Provider,
};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/idp/{kind}/codes", post(mint))
        .route("/connect/qrconnect", get(page))
        .route("/oauth2.0/authorize", get(page))
        .route("/oauth2/authorize", get(page))
        .route("/oidc/authorize", get(page))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Mint {
    /// Who it is, for all the kinds; what applications call them is made of it.
    subject: String,
    unionid: Option<String>,
    nickname: Option<String>,
    avatar: Option<String>,
    /// The URL that the service sent the browser to: it says all that follows, but the behaviour.
    url: Option<String>,
    app: Option<String>,
    platform: Option<String>,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
    nonce: Option<String>,
    #[serde(default)]
    behaviour: Behaviour,
}

/// What comes back with the browser, or out of an SDK.
async fn mint(
    State(world): State<Arc<World>>,
    Path(kind): Path<String>,
    body: Result<Json<Mint>, JsonRejection>,
) -> Reply {
    let Json(mint) = body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let sent = match &mint.url {
        Some(url) => Some(
            url.parse::<Uri>()
                .ok()
                .and_then(|uri| Sent::read(&world, &uri))
                .ok_or_else(|| bad_request("url: not one of the kind's pages, for one of its accounts"))?,
        ),
        None => None,
    };
    let account = match &sent {
        Some(sent) => Some(sent.account).filter(|account| account.is_kind(&kind)),
        None => world.account_of_kind(&kind, mint.app.as_deref(), mint.platform.as_deref()),
    };
    let account =
        account.ok_or_else(|| bad_request("no account of this kind serves the app and platform"))?;
    let (redirect_uri, code_challenge, nonce) = match sent {
        Some(sent) => (sent.redirect_uri, sent.code_challenge, sent.nonce),
        None => (mint.redirect_uri, mint.code_challenge, mint.nonce),
    };
    let person = Person {
        nickname: mint.nickname.unwrap_or_else(|| mint.subject.clone()),
        avatar: mint.avatar.unwrap_or_default(),
        unionid: mint.unionid,
        subject: mint.subject,
    };
    let behaviour = mint.behaviour;
    let client = account.id().to_owned();
    let grant = Grant { client, person, redirect_uri, code_challenge, nonce, behaviour };
    let code = world.agree(account.provider, grant).map_err(|_| broken())?;
    Ok(Json(json!({ "code": code })))
}

/// The page that a third party shows: whoever comes along is 小明, and agrees.
async fn page(
    State(world): State<Arc<World>>,
    uri: Uri,
) -> Result<(StatusCode, HeaderMap), (StatusCode, Json<Value>)> {
    let sent = Sent::read(&world, &uri).ok_or_else(|| bad_request("not asked as this page must be"))?;
    let person = Person {
        subject: "xiaoming".to_owned(),
        unionid: Some("union-xiaoming".to_owned()),
        nickname: "小明".to_owned(),
        avatar: String::new(),
    };
    let back = sent.redirect_uri.clone().unwrap_or_default();
    let grant = Grant {
        client: sent.account.id().to_owned(),
        person,
        redirect_uri: sent.redirect_uri,
        code_challenge: sent.code_challenge,
        nonce: sent.nonce,
        behaviour: Behaviour::Ok,
    };
    let code = world.agree(sent.account.provider, grant).map_err(|_| broken())?;
    let mark = if back.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("state", &sent.state)
        .finish();
    let location = HeaderValue::from_str(&format!("{back}{mark}{query}"));
    let location = location.map_err(|_| bad_request("redirect_uri: no URI"))?;
    Ok((StatusCode::FOUND, HeaderMap::from_iter([(LOCATION, location)])))
}

/// How a browser was sent to one of the pages.
struct Sent<'w> {
    account: &'w Account,
    state: String,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
    nonce: Option<String>,
}

impl<'w> Sent<'w> {
    fn read(world: &'w World, uri: &Uri) -> Option<Sent<'w>> {
        let fields = Fields::query(uri)?;
        let optional = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
        let (providers, client): (&[Provider], _) = match uri.path() {
            "/connect/qrconnect" => (&[Provider::Wechat], "appid"),
            "/oauth2.0/authorize" => (&[Provider::Qq], "client_id"),
            "/oauth2/authorize" => (&[Provider::Weibo], "client_id"),
            "/oidc/authorize" => (&[Provider::Oidc, Provider::OidcPost], "client_id"),
            _ => return None,
        };
        let account = providers.iter().find_map(|provider| world.account(*provider, fields.get(client)))?;
        let is_openid = providers.len() > 1;
        let well_asked = fields.get("response_type") == "code"
            && fields.have(&["state", "redirect_uri"])
            && (!is_openid
                || (fields.get("scope").split(' ').any(|scope| scope == "openid")
                    && ["", "S256"].contains(&fields.get("code_challenge_method"))));
        well_asked.then(|| Sent {
            account,
            state: fields.get("state").to_owned(),
            redirect_uri: optional("redirect_uri"),
            code_challenge: optional("code_challenge"),
            nonce: optional("nonce"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn codes_are_minted_for_accounts_that_there_are() {
        let bench = Bench::new();
        let mint = async |kind: &str, body: Value| {
            let path = format!("/sandbox/idp/{kind}/codes");
            bench.post(&path, "application/json", body.to_string()).await
        };
        let page = "http://127.0.0.1:1/oidc/authorize?client_id=client-1&response_type=code&scope=openid&state=s&redirect_uri=https%3A%2F%2Fa";
        for (kind, body, status) in [
            ("wechat", json!({ "subject": "a" }), 200),
            ("corp", json!({ "subject": "a", "behaviour": "alg_none" }), 200),
            ("corp", json!({ "subject": "a", "url": page }), 200),
            ("partner", json!({ "subject": "a", "url": page }), 400),
            ("corp", json!({ "subject": "a", "url": page.replace("client-1", "client-9") }), 400),
            ("wechat", json!({ "subject": "a", "app": "nobody" }), 400),
            ("wechat", json!({ "unionid": "a" }), 400),
            ("wechat", json!({ "subject": "a", "behaviour": "odd" }), 400),
            ("oidc", json!({ "subject": "a" }), 400),
            ("cmcc", json!({ "subject": "a" }), 400),
        ] {
            assert_eq!(mint(kind, body.clone()).await.status, status, "{kind} {body}");
        }
    }

    #[tokio::test]
    async fn everybody_agrees_on_the_page() {
        let bench = Bench::new();
        let page = "/connect/qrconnect?appid=wx0123456789abcdef&response_type=code&scope=snsapi_login&state=s%26&redirect_uri=https%3A%2F%2Fa%2F%3Fb";
        assert_eq!(bench.get(page).await.status, 302);
        assert_eq!(bench.get(&page.replace("state", "stat")).await.status, 400);
        assert_eq!(bench.get(&page.replace("wx01", "wx02")).await.status, 400);
    }
}
