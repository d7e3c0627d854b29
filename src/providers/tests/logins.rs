//! Third-party logins: what vendors are asked, what they tell, and what must not pass for a document of theirs.

use std::collections::BTreeMap;

use super::*;
use crate::{
    kernel::http::HttpReply,
    providers::{Answer, Issuer, accounts_from_json},
};

/// The parameters of a URL or form.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    form_urlencoded::parse(query.split('#').next().unwrap().as_bytes()).into_owned().collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn taken(pairs: &[(&str, &str)]) -> Credential {
    map(pairs).into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
}

fn read(provider: &str, capability: Capability, status: u16, body: &Value) -> Answer {
    let reply = HttpReply { status, body: body.to_string().into_bytes() };
    Bench::new(provider).call(capability).read(&reply)
}

#[test]
fn codes_are_exchanged_as_each_vendor_wants_it() {
    let request = |provider: &str| Bench::new(provider).call(Capability::Identity).request().unwrap();
    let wechat = request("wechat");
    assert!(wechat.url.starts_with("https://api.weixin.qq.com/sns/oauth2/access_token?"));
    let fields = [("appid", "wx1"), ("secret", "s"), ("code", "c0de"), ("grant_type", "authorization_code")];
    assert_eq!((wechat.method, parameters(&wechat.url)), ("GET", map(&fields)));

    let back = ("redirect_uri", "https://shop.example/back");
    let grant = ("grant_type", "authorization_code");
    let qq = request("qq");
    assert!(qq.url.starts_with("https://graph.qq.com/oauth2.0/token?"));
    let fields =
        [("client_id", "101"), ("client_secret", "s"), ("code", "c0de"), back, grant, ("fmt", "json")];
    assert_eq!(parameters(&qq.url), map(&fields));

    let weibo = request("weibo");
    assert_eq!((weibo.method, weibo.url.as_str()), ("POST", "https://api.weibo.com/oauth2/access_token"));
    let fields = [("client_id", "1"), ("client_secret", "s"), ("code", "c0de"), back, grant];
    assert_eq!(parameters(&String::from_utf8(weibo.body).unwrap()), map(&fields));

    // RFC 6749, sections 2.3.1 and 4.1.3; RFC 7636, section 4.5.
    let oidc = request("oidc");
    assert_eq!(oidc.url, "https://issuer.example/token");
    assert!(oidc.headers.contains(&("authorization".to_owned(), "Basic Yzpz".to_owned())));
    let fields = [("code", "c0de"), back, ("code_verifier", "v"), grant];
    assert_eq!(parameters(&String::from_utf8(oidc.body).unwrap()), map(&fields));
    let mut bench = Bench::new("oidc_post");
    let body = bench.call(Capability::Identity).request().unwrap().body;
    let both = [("client_id", "c"), ("client_secret", "s")];
    let fields: Vec<_> = fields.into_iter().chain(both).collect();
    assert_eq!(parameters(&String::from_utf8(body).unwrap()), map(&fields));
    // An app's SDK knows neither.
    for name in ["redirect_uri", "code_verifier"] {
        bench.credential.remove(name);
    }
    let body = bench.call(Capability::Identity).request().unwrap().body;
    assert_eq!(parameters(&String::from_utf8(body).unwrap()).len(), 4);
}

#[test]
fn browsers_are_sent_where_each_vendor_wants_them() {
    let values = BTreeMap::from(
        [
            ("state", "ois_k.x"),
            ("redirect_uri", "https://shop.example/back?a=b&c"),
            ("nonce", "n"),
            ("code_challenge", "c"),
            ("authorization_endpoint", "https://issuer.example/authorize?tenant=1"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    let url = |provider: &str, base: Option<&str>| {
        let bench = Bench::new(provider);
        bench.document.redirect_url(&bench.account, base, &values).unwrap()
    };
    assert_eq!(
        url("wechat", None),
        "https://open.weixin.qq.com/connect/qrconnect?appid=wx1&redirect_uri=https%3A%2F%2Fshop.example%2Fback%3Fa%3Db%26c\
         &response_type=code&scope=snsapi_login&state=ois_k.x#wechat_redirect"
    );
    assert!(url("qq", None).starts_with("https://graph.qq.com/oauth2.0/authorize?client_id=101&"));
    assert!(url("weibo", None).starts_with("https://api.weibo.com/oauth2/authorize?client_id=1&"));
    let oidc = url("oidc", None);
    assert!(oidc.starts_with("https://issuer.example/authorize?tenant=1&"), "{oidc}");
    let sent = parameters(&oidc);
    for (name, value) in
        [("code_challenge_method", "S256"), ("code_challenge", "c"), ("nonce", "n"), ("scope", "openid")]
    {
        assert_eq!(sent[name], value);
    }
    assert!(!oidc.contains("client_secret"));
    let sandbox = url("weibo", Some("http://127.0.0.1:8788"));
    assert!(sandbox.starts_with("http://127.0.0.1:8788/oauth2/authorize?"), "{sandbox}");
    let none = Bench::new("cmcc");
    assert_eq!(none.document.redirect_url(&none.account, None, &values), None);
}

#[test]
fn people_are_named_by_what_their_apps_share_and_by_the_app() {
    let subjects = |provider: &str, pairs: &[(&str, &str)]| {
        let bench = Bench::new(provider);
        bench.document.subjects(&bench.account, &taken(pairs))
    };
    assert_eq!(subjects("wechat", &[("openid", "o1"), ("unionid", "u1")]), ["u:u1", "o:wx1:o1"]);
    assert_eq!(subjects("wechat", &[("openid", "o1")]), ["o:wx1:o1"]);
    assert_eq!(subjects("qq", &[("openid", "o1"), ("unionid", "UID_1")]), ["u:UID_1", "o:101:o1"]);
    assert_eq!(subjects("weibo", &[("uid", "7")]), ["u:7"]);
    assert_eq!(subjects("oidc", &[("sub", "s 1")]), ["o:https://issuer.example/oidc s 1"]);
}

#[test]
fn what_vendors_answer() {
    use Capability::{Identity, IdentityProfile, IdentitySubject};
    let wechat = json!({"access_token": "AT", "expires_in": 7200, "refresh_token": "RT", "openid": "o1",
        "scope": "snsapi_login", "unionid": "u1"});
    let expected = taken(&[("access_token", "AT"), ("openid", "o1"), ("unionid", "u1")]);
    assert_eq!(read("wechat", Identity, 200, &wechat), Answer::Taken(expected));
    let profile = json!({"openid": "o1", "nickname": "小明", "headimgurl": "", "unionid": "u2"});
    assert_eq!(read("wechat", IdentityProfile, 200, &profile), Answer::Taken(taken(&[("nickname", "小明")])));
    let profile =
        json!({"ret": 0, "msg": "", "nickname": "n", "figureurl_qq_1": "https://a", "figureurl_qq_2": ""});
    let expected = taken(&[("nickname", "n"), ("avatar", "https://a")]);
    assert_eq!(read("qq", IdentityProfile, 200, &profile), Answer::Taken(expected));
    let weibo = json!({"access_token": "AT", "expires_in": 1234, "uid": "12341234"});
    let expected = taken(&[("access_token", "AT"), ("uid", "12341234")]);
    assert_eq!(read("weibo", Identity, 200, &weibo), Answer::Taken(expected));

    let rejected = |code: &str| Answer::Rejected { code: code.to_owned() };
    let account = |code: &str| Answer::AccountFault { code: code.to_owned() };
    let unsure = Answer::Unavailable { code: "unreadable".to_owned(), definite: false };
    for (provider, capability, status, body, answer) in [
        ("wechat", Identity, 200, json!({"errcode": 40163, "errmsg": "code been used"}), rejected("40163")),
        ("wechat", Identity, 200, json!({"errcode": 40125, "errmsg": "invalid appsecret"}), account("40125")),
        ("wechat", Identity, 200, json!({"openid": "o1"}), unsure.clone()),
        ("qq", Identity, 200, json!({"error": 100020, "error_description": "reused"}), rejected("100020")),
        ("qq", Identity, 200, json!({"error": 100009}), account("100009")),
        ("qq", IdentitySubject, 200, json!({"client_id": "101"}), unsure.clone()),
        ("weibo", Identity, 400, json!({"error": "invalid_grant", "error_code": 21325}), rejected("21325")),
        ("weibo", Identity, 400, json!({"error": "invalid_client", "error_code": 21324}), account("21324")),
        ("oidc", Identity, 400, json!({"error": "invalid_grant"}), rejected("invalid_grant")),
        ("oidc", Identity, 401, json!({"error": "invalid_client"}), account("invalid_client")),
        ("oidc", Identity, 200, json!({"access_token": "AT"}), unsure),
    ] {
        assert_eq!(read(provider, capability, status, &body), answer, "{provider} {body}");
    }
}

#[test]
fn an_issuer_must_be_the_one_that_was_asked() {
    let issuer = "https://issuer.example/oidc";
    let good = json!({"issuer": issuer, "authorization_endpoint": "https://a.example/x", "token_endpoint": "https://b.example/t",
        "jwks_uri": "https://c.example/k"});
    let read = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        Issuer::read(changed.to_string().as_bytes(), issuer)
    };
    let known = read("unknown", json!(1)).unwrap();
    assert_eq!((known.token_endpoint.as_str(), known.userinfo_endpoint), ("https://b.example/t", None));
    for (name, value) in [
        ("issuer", json!("https://issuer.example/oidc/")),
        ("issuer", json!("https://evil.example")),
        ("issuer", Value::Null),
        ("token_endpoint", json!("http://b.example/t")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("jwks_uri", json!("https://c.example/k#x")),
        ("jwks_uri", Value::Null),
    ] {
        assert_eq!(read(name, value.clone()), None, "{name} {value}");
    }
    assert_eq!(Issuer::read(b"<html>", issuer), None);
    for issuer in [issuer, "https://issuer.example/oidc/"] {
        let url = "https://issuer.example/oidc/.well-known/openid-configuration";
        assert_eq!(Issuer::discovery_url(issuer), url);
    }
}

#[test]
fn accounts_with_issuers_have_a_kind_of_their_own() {
    let oidc = |kind: &str, issuer: &str| {
        json!({"provider": "oidc", "kind": kind, "settings":
            {"issuer": issuer, "clientId": "c", "clientSecret": "s", "scope": "openid"}})
    };
    let one = |entry: Value| accounts_from_json(&json!([entry]).to_string());
    let good = one(oidc("corp_1", "https://issuer.example")).unwrap().remove(0);
    assert_eq!((good.kind.as_str(), good.provider.as_str(), good.native), ("corp_1", "oidc", false));
    for kind in ["", "Corp", "wechat", "phone", "email", "username", "oidc", "a b"] {
        assert!(
            one(oidc(kind, "https://issuer.example")).unwrap_err().join("").contains("\"kind\""),
            "{kind}"
        );
    }
    for issuer in ["http://127.0.0.1", "https://issuer.example?x", "issuer.example"] {
        assert!(one(oidc("corp", issuer)).unwrap_err().join("").contains("\"issuer\""), "{issuer}");
    }
    let two = |one: &str, other: &str| {
        let entries = [oidc(one, "https://a.example"), oidc(other, "https://b.example")];
        accounts_from_json(&Value::from_iter(entries).to_string())
    };
    assert_eq!(two("one", "other").unwrap().len(), 2);
    assert!(two("one", "one").unwrap_err().join("").contains("another entry"));
    let wechat =
        json!({"provider": "wechat", "native": true, "settings": {"appId": "wx1", "appSecret": "s"}});
    assert!(one(wechat.clone()).unwrap()[0].native);
    let mut wrong = wechat;
    wrong["kind"] = json!("mine");
    assert!(one(wrong).unwrap_err().join("").contains("\"kind\" is unknown"));
}

/// A document that keeps every rule.
fn good() -> Value {
    let outcome = json!({"ok": ["0"], "rejected": ["1"], "unavailable": [], "account": ["9"]});
    let call = |url: &str, credential: Value, take: Value| {
        json!({"credential": credential, "token": credential[0], "fields": {"secret": "{appKey}"},
            "request": {"method": "POST", "url": url, "encoding": "form", "timeout_ms": 2000},
            "reply": {"code": ["/code"], "take": take}, "outcome": outcome})
    };
    json!({
        "id": "example", "name": "Example", "certainty": "assumed", "sources": [], "discovery": true,
        "settings": {"issuer": {"secret": false}, "clientId": {"secret": false}, "appKey": {"secret": true}},
        "subjects": ["u:{union}", "o:{clientId}:{sub}"],
        "redirect": {"url": "{authorization_endpoint}", "fields":
            {"id": "{clientId}", "state": "{state}", "back": "{redirect_uri}"}},
        "identity": call("{token_endpoint}", json!(["code", "token_endpoint"]),
            json!({"id_token": ["/i"], "at": ["/a"], "union?": ["/u"]})),
        "identity_profile": call("https://vendor.example/me", json!(["at"]), json!({"nickname?": ["/n"]}))
    })
}

#[test]
fn every_rule_for_logins_is_kept() {
    let problems = |pointer: &str, value: Value| {
        let mut document = good();
        match document.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                document.pointer_mut(parent).unwrap()[name] = value;
            }
        }
        if pointer == "/identity" {
            document.as_object_mut().unwrap().remove("identity");
        }
        Document::from_json(&document.to_string())
            .map(|_| String::new())
            .unwrap_or_else(|list| list.join("\n"))
    };
    assert_eq!(problems("/name", json!("Example")), "");
    let endpoint = json!(["token", "token_endpoint"]);
    for (pointer, value, problem) in [
        ("/identity", Value::Null, "go with identity"),
        ("/identity/token", json!("token_endpoint"), "its token is not"),
        ("/identity/credential", json!(["code", "token_endpoint", "other"]), "nobody hands in \"other\""),
        ("/identity/reply/take", json!({}), "reply.take goes with identity"),
        ("/identity/reply/take/clientId", json!(["/x"]), "cannot be taken out"),
        ("/identity/reply/take/at", json!(["x"]), "is no JSON pointer"),
        ("/identity/request/url", json!("{token_endpoint}/x"), "request.url must be https"),
        ("/identity/request/url", json!("{code}"), "request.url may hold"),
        ("/identity/request/encoding", json!("query"), "would put a secret setting into the URL"),
        ("/identity_profile/credential", json!(["at", "code"]), "nobody hands in \"code\""),
        ("/identity_profile/reply/take/phone", json!(["/p"]), "a profile has no \"phone\""),
        ("/subjects", json!([]), "the last must rest on nothing"),
        ("/subjects", json!(["u:{union}"]), "the last must rest on nothing"),
        ("/subjects", json!(["o:{clientId}"]), "the same for everybody"),
        ("/subjects", json!(["{nickname}"]), "which is nothing"),
        ("/redirect/url", json!("http://vendor.example/"), "redirect.url must be https"),
        ("/redirect/fields/secret", json!("{appKey}"), "would show a secret"),
        ("/redirect/fields/state", json!("x"), "does not send \"state\""),
        ("/discovery", json!(false), "nobody hands in \"token_endpoint\""),
        ("/settings/issuer", json!({"secret": true}), "needs the settings issuer"),
        ("/identity/reply/take", json!({"at": ["/a"], "union": ["/u"]}), "needs an id_token"),
    ] {
        let found = problems(pointer, value.clone());
        assert!(found.contains(problem), "{pointer} {value}: {found}");
    }
    let mut check = good()["identity"].clone();
    check["credential"] = endpoint;
    check["token"] = json!("token");
    let found = problems("/bot_check", check);
    assert!(found.contains("bot_check: a client cannot choose where"), "{found}");
}
