//! Third parties that people sign in with: WeChat, QQ, Weibo and an issuer of OpenID Connect.
//!
//! Written from their descriptions, not from our documents. ID tokens are signed by another implementation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use onetap::kernel::{
    http::{HttpFailure, HttpReply, HttpRequest},
    time::Timestamp,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{World, configuration, locked, provider::VENDOR_TEXT};

/// Where pages of the world come back to.
pub(crate) const BACK: &str = "https://login.example/back";

/// The issuer of the world.
pub(crate) const ISSUER: &str = "https://issuer.example/oidc";

const KEYS: &str = include_str!("../vectors/issuer_keys.json");
const SECRET: &str = "InventedThirdPartySecret";

/// Who somebody is to a third party.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Person {
    /// openid, uid or sub.
    pub(crate) id: &'static str,
    pub(crate) union: Option<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) avatar: &'static str,
}

pub(crate) const XIAOMING: Person =
    Person { id: "oMing", union: None, name: "小明", avatar: "http://thirdwx.qlogo.cn/ming/132" };

struct Grant {
    client: String,
    person: Person,
    back: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    used: bool,
}

/// All of them.
#[derive(Default)]
pub(crate) struct ThirdParties {
    grants: Mutex<BTreeMap<String, Grant>>,
    /// What goes wrong at the moment, by name.
    pub(crate) trouble: Mutex<BTreeSet<&'static str>>,
    /// How often a path was asked for.
    pub(crate) asked: Mutex<BTreeMap<String, usize>>,
}

/// A world in which two apps know all third parties. The second one's WeChat is for its app, too.
pub(crate) fn world() -> World {
    world_and(&[])
}

/// The same with more accounts.
pub(crate) fn world_and(more: &[Value]) -> World {
    made_of(more, &[])
}

/// The same with other settings.
pub(crate) fn world_with(settings: &'static [(&'static str, &'static str)]) -> World {
    made_of(&[], settings)
}

fn made_of(more: &[Value], settings: &'static [(&'static str, &'static str)]) -> World {
    let entry = |provider: &str, app: &str, settings: Value| json!({"provider": provider, "app": app, "settings": settings});
    let mut accounts = vec![
        entry("wechat", "default", json!({"appId": "wx-default", "appSecret": SECRET})),
        entry("wechat", "shop", json!({"appId": "wx-shop", "appSecret": SECRET})),
        entry("qq", "default", json!({"appId": "101", "appKey": SECRET, "askUnionid": "1"})),
        entry("weibo", "default", json!({"appKey": "2001", "appSecret": SECRET})),
        entry(
            "oidc_post",
            "default",
            json!({"issuer": ISSUER, "clientId": "client-1", "clientSecret": SECRET,
            "scope": "openid profile"}),
        ),
    ];
    accounts[4]["kind"] = json!("corp");
    accounts[1]["platforms"] = json!(["web"]);
    accounts.push(json!({"provider": "wechat", "app": "shop", "platforms": ["ios"], "native": true,
        "settings": {"appId": "wx-shop-app", "appSecret": SECRET}}));
    accounts.extend(more.iter().cloned());
    World::with(move |name| match name {
        "PROVIDER_ACCOUNTS" => Some(configuration::accounts_and(&accounts)),
        "IDENTITY_REDIRECTS" => Some(format!("{BACK},https://shop.example/back")),
        _ => settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    })
}

/// The parameters of a URL or form.
pub(crate) fn parameters(text: &str) -> BTreeMap<String, String> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    form_urlencoded::parse(query.split('#').next().unwrap().as_bytes()).into_owned().collect()
}

impl ThirdParties {
    /// Somebody agrees on the page to which a browser was sent: the code that comes back with it.
    pub(crate) fn agree(&self, url: &str, person: Person) -> String {
        let sent = parameters(url);
        let get = |name: &str| sent.get(name).cloned();
        let client = get("appid").or_else(|| get("client_id")).unwrap();
        assert!(get("response_type").as_deref() == Some("code") && sent.contains_key("state"));
        if url.starts_with(ISSUER) {
            assert_eq!(get("code_challenge_method").as_deref(), Some("S256"));
        }
        self.grant(Grant {
            client,
            person,
            back: get("redirect_uri"),
            nonce: get("nonce"),
            challenge: get("code_challenge"),
            used: false,
        })
    }

    /// The code that an SDK hands to an app.
    pub(crate) fn native(&self, client: &str, person: Person) -> String {
        let client = client.to_owned();
        self.grant(Grant { client, person, back: None, nonce: None, challenge: None, used: false })
    }

    /// Lets something go wrong from now on.
    pub(crate) fn break_it(&self, trouble: &'static str) {
        locked(&self.trouble).insert(trouble);
    }

    /// How often a path was asked for.
    pub(crate) fn times_asked(&self, path: &str) -> usize {
        locked(&self.asked).get(path).copied().unwrap_or_default()
    }

    fn grant(&self, grant: Grant) -> String {
        let mut grants = locked(&self.grants);
        let code = format!("code-{}-{}", grants.len(), grant.client);
        grants.insert(code.clone(), grant);
        code
    }

    pub(super) fn answer(
        &self,
        request: &HttpRequest,
        now: Timestamp,
    ) -> Option<Result<HttpReply, HttpFailure>> {
        let (url, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let hosts = [
            "https://api.weixin.qq.com",
            "https://graph.qq.com",
            "https://api.weibo.com",
            "https://issuer.example",
        ];
        let path = hosts.iter().find_map(|host| url.strip_prefix(host))?;
        *locked(&self.asked).entry(path.to_owned()).or_default() += 1;
        let broken = |what: &str| locked(&self.trouble).contains(what);
        if broken("down") {
            return Some(Err(HttpFailure::TimedOut));
        }
        if broken("garbage") {
            return Some(Ok(HttpReply { status: 200, body: b"<html>".to_vec() }));
        }
        let is_profile =
            ["/sns/userinfo", "/user/get_user_info", "/2/users/show.json", "/oidc/me"].contains(&path);
        if is_profile && broken("profile") {
            return Some(Ok(HttpReply { status: 500, body: VENDOR_TEXT.into() }));
        }
        let body = String::from_utf8(request.body.clone()).unwrap();
        let given = parameters(if query.is_empty() { &body } else { query });
        let authorization = request.headers.iter().find(|(name, _)| name == "authorization");
        let bearer = authorization.and_then(|(_, value)| value.strip_prefix("Bearer "));
        let (status, body) = self.exchange(path, &given, bearer.unwrap_or_default(), now);
        Some(Ok(HttpReply { status, body: body.to_string().into_bytes() }))
    }

    fn exchange(
        &self,
        path: &str,
        given: &BTreeMap<String, String>,
        bearer: &str,
        now: Timestamp,
    ) -> (u16, Value) {
        let get = |name: &str| given.get(name).map_or("", String::as_str);
        let broken = |what: &str| locked(&self.trouble).contains(what);
        let secret_is_wrong = |given: &str| given != SECRET || broken("secret");
        match path {
            "/sns/oauth2/access_token" if secret_is_wrong(get("secret")) => (200, json!({"errcode": 40125})),
            "/sns/oauth2/access_token" => match self.redeem(get("code"), get("appid"), None, None) {
                Ok(Redeemed { token, person, .. }) => {
                    let mut body = json!({"access_token": token, "expires_in": 7200, "openid": openid(get("appid"), person)});
                    if let Some(union) = person.union {
                        body["unionid"] = json!(union);
                    }
                    (200, body)
                }
                Err(true) => (200, json!({"errcode": 40163, "errmsg": VENDOR_TEXT})),
                Err(false) => (200, json!({"errcode": 40029, "errmsg": VENDOR_TEXT})),
            },
            "/sns/userinfo" => {
                let person = self.person(get("access_token"));
                (200, json!({"openid": get("openid"), "nickname": person.name, "headimgurl": person.avatar}))
            }
            "/oauth2.0/token" if secret_is_wrong(get("client_secret")) => (200, json!({"error": 100_009})),
            "/oauth2.0/token" => {
                match self.redeem(get("code"), get("client_id"), Some(get("redirect_uri")), None) {
                    Ok(Redeemed { token, .. }) => {
                        (200, json!({"access_token": token, "expires_in": "7776000"}))
                    }
                    Err(_) => (200, json!({"error": 100_020, "error_description": VENDOR_TEXT})),
                }
            }
            "/oauth2.0/me" if broken("subject") => (500, Value::Null),
            "/oauth2.0/me" => {
                assert_eq!((get("unionid"), get("fmt")), ("1", "json"));
                let person = self.person(get("access_token"));
                let mut body = json!({"client_id": "101", "openid": openid("101", person)});
                if let Some(union) = person.union {
                    body["unionid"] = json!(format!("UID_{union}"));
                }
                (200, body)
            }
            "/user/get_user_info" => {
                let person = self.person(get("access_token"));
                assert_eq!(get("openid"), openid("101", person));
                (
                    200,
                    json!({"ret": 0, "msg": "", "nickname": person.name, "figureurl_qq_1": "https://q.example/1"}),
                )
            }
            "/oauth2/access_token" if secret_is_wrong(get("client_secret")) => {
                (400, json!({"error_code": 21324}))
            }
            "/oauth2/access_token" => {
                match self.redeem(get("code"), get("client_id"), Some(get("redirect_uri")), None) {
                    Ok(Redeemed { token, person, .. }) => {
                        (200, json!({"access_token": token, "uid": person.id}))
                    }
                    Err(_) => (
                        400,
                        json!({"error": "invalid_grant", "error_code": 21325, "error_description": VENDOR_TEXT}),
                    ),
                }
            }
            "/2/users/show.json" => {
                let person = self.person(get("access_token"));
                (
                    200,
                    json!({"id": 7, "idstr": "7", "screen_name": person.name, "profile_image_url": person.avatar}),
                )
            }
            "/oidc/.well-known/openid-configuration" => {
                let issuer = if broken("discovery") { "https://evil.example" } else { ISSUER };
                (
                    200,
                    json!({"issuer": issuer, "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys"),
                    "userinfo_endpoint": format!("{ISSUER}/me")}),
                )
            }
            "/oidc/keys" => {
                let names: &[&str] = if broken("rotated") { &["ec"] } else { &["rsa", "ed"] };
                (200, json!({"keys": names.iter().map(|name| key(name)["jwk"].clone()).collect::<Value>()}))
            }
            "/oidc/token" if secret_is_wrong(get("client_secret")) => {
                (401, json!({"error": "invalid_client"}))
            }
            "/oidc/token" => {
                let back = Some(get("redirect_uri"));
                match self.redeem(get("code"), get("client_id"), back, Some(get("code_verifier"))) {
                    Ok(redeemed) => {
                        let token = self.id_token(get("client_id"), &redeemed, now);
                        (
                            200,
                            json!({"access_token": redeemed.token, "token_type": "Bearer", "id_token": token}),
                        )
                    }
                    Err(_) => (400, json!({"error": "invalid_grant", "error_description": VENDOR_TEXT})),
                }
            }
            "/oidc/me" => {
                let person = self.person(bearer);
                let sub = if broken("other_sub") { "somebody-else" } else { person.id };
                (200, json!({"sub": sub, "name": person.name, "picture": person.avatar}))
            }
            other => panic!("no third party at {other}"),
        }
    }

    /// Uses a code up. `Err(true)`: it was used before.
    fn redeem(
        &self,
        code: &str,
        client: &str,
        back: Option<&str>,
        verifier: Option<&str>,
    ) -> Result<Redeemed, bool> {
        let mut grants = locked(&self.grants);
        let grant = grants.get_mut(code).ok_or(false)?;
        if std::mem::replace(&mut grant.used, true) {
            return Err(true);
        }
        let challenge = verifier.map(|verifier| BASE64URL_NOPAD.encode(&Sha256::digest(verifier)));
        let is_good = grant.client == client
            && back.is_none_or(|back| back == grant.back.as_deref().unwrap_or_default())
            && (grant.challenge.is_none() || grant.challenge == challenge);
        let redeemed =
            Redeemed { token: format!("AT-{code}"), person: grant.person, nonce: grant.nonce.clone() };
        if is_good { Ok(redeemed) } else { Err(false) }
    }

    fn person(&self, token: &str) -> Person {
        locked(&self.grants)[token.strip_prefix("AT-").unwrap()].person
    }

    fn id_token(&self, client: &str, redeemed: &Redeemed, now: Timestamp) -> String {
        let broken = |what: &str| locked(&self.trouble).contains(what);
        let (name, alg, kid) = match () {
            () if broken("rotated") || broken("unknown_key") => ("ec", Algorithm::ES256, "ec-1"),
            () if broken("ed") => ("ed", Algorithm::EdDSA, "ed-1"),
            () => ("rsa", Algorithm::RS256, "rsa-1"),
        };
        let header =
            if broken("alg_none") { json!({"alg": "none"}) } else { json!({"alg": alg, "kid": kid}) };
        let until = now.secs() + if broken("expired") { -60 } else { 300 };
        let mut claims =
            json!({"iss": ISSUER, "aud": client, "sub": redeemed.person.id, "iat": now.secs(), "exp": until});
        if broken("issuer") {
            claims["iss"] = json!("https://evil.example");
        }
        if let Some(nonce) = &redeemed.nonce {
            claims["nonce"] = json!(if broken("nonce") { "another" } else { nonce });
        }
        if broken("name_in_token") {
            claims["name"] = json!(redeemed.person.name);
        }
        let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let input = format!("{}.{}", encode(&header), encode(&claims));
        if broken("alg_none") {
            return format!("{input}.");
        }
        let der = BASE64.decode(key(name)["der"].as_str().unwrap().as_bytes()).unwrap();
        let key = match name {
            "ec" => EncodingKey::from_ec_der(&der),
            "ed" => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der),
        };
        let signed = if broken("signature") { "another text" } else { &input };
        format!("{input}.{}", crypto::sign(signed.as_bytes(), &key, alg).unwrap())
    }
}

struct Redeemed {
    token: String,
    person: Person,
    nonce: Option<String>,
}

/// Each application of theirs knows somebody under another name.
fn openid(client: &str, person: Person) -> String {
    format!("{}@{client}", person.id)
}

fn key(name: &str) -> Value {
    serde_json::from_str::<Value>(KEYS).unwrap().pointer(&format!("/keys/{name}")).unwrap().clone()
}
