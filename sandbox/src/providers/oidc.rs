//! An issuer of OpenID Connect below `/oidc`: discovery, keys, token, userinfo. It signs RS256, and calls itself what the account of
//! the client says.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION},
    routing::{get, post},
};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Rsa,
    sign::Signer,
};
use serde_json::{Value, json};

use super::{Fields, basic};
use crate::{
    crypto::base64_url,
    idp::{Behaviour, Exchange, Grant, Refusal, given},
    reply::{Answer, deliver},
    state::{Account, World},
    tokens::{self, Provider},
};

const DISCOVERY: &str = "/oidc/.well-known/openid-configuration";
const KEYS: &str = "/oidc/jwks";
const TOKEN: &str = "/oidc/token";
const PROFILE: &str = "/oidc/userinfo";
const KEY_ID: &str = "sandbox-1";

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route(DISCOVERY, get(async |State(world): State<Arc<World>>| deliver(Ok(discovery(&world))).await))
        .route(KEYS, get(async |State(world): State<Arc<World>>| deliver(keys(&world)).await))
        .route(TOKEN, post(token))
        .route(PROFILE, get(profile))
}

async fn token(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    deliver(exchange(&world, &headers, &body)).await
}

async fn profile(State(world): State<Arc<World>>, headers: HeaderMap) -> Response<Body> {
    deliver(Ok(person(&world, &headers))).await
}

fn discovery(world: &World) -> Answer {
    world.seen(Provider::Oidc, DISCOVERY, "");
    let account = world.account_of_any(&[Provider::Oidc, Provider::OidcPost]);
    let issuer = account.map_or("", |account| account.setting("issuer"));
    let base = issuer.trim_end_matches('/');
    Answer::ok(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

fn keys(world: &World) -> Result<Answer, ErrorStack> {
    world.seen(Provider::Oidc, KEYS, "");
    let rsa = key()?.rsa()?;
    Ok(Answer::ok(json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID,
        "n": base64_url(&rsa.n().to_vec()), "e": base64_url(&rsa.e().to_vec()),
    }] })))
}

fn exchange(world: &World, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ErrorStack> {
    let fields = Fields::form(headers, body).unwrap_or_default();
    let code = fields.get("code");
    // A client is who it is by the header or by the body, as it was registered.
    let by_header = basic(headers);
    let (provider, client, secret) = match &by_header {
        Some((client, secret)) => (Provider::Oidc, client.as_str(), secret.as_str()),
        None => (Provider::OidcPost, fields.get("client_id"), fields.get("client_secret")),
    };
    world.seen(provider, TOKEN, code);
    let Some(account) = world.account(provider, client) else {
        return Ok(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    };
    if fields.get("grant_type") != "authorization_code" {
        return Ok(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    }
    let exchange = Exchange {
        code,
        client,
        is_client: secret == account.setting("clientSecret"),
        redirect_uri: Some(fields.get("redirect_uri")),
        code_verifier: fields.get("code_verifier"),
    };
    Ok(match world.exchange_code(provider, &exchange)? {
        Ok((token, grant)) => {
            let id_token = id_token(world, account, &grant)?;
            let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
            given(Answer::ok(body), grant.behaviour.of_line())
        }
        Err((Refusal::Client, line)) => given(refused(StatusCode::UNAUTHORIZED, "invalid_client"), line),
        Err((_, line)) => given(refused(StatusCode::BAD_REQUEST, "invalid_grant"), line),
    })
}

fn person(world: &World, headers: &HeaderMap) -> Answer {
    world.seen(Provider::Oidc, PROFILE, "");
    let given_token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given_token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let providers = [Provider::Oidc, Provider::OidcPost];
    match providers.into_iter().find_map(|provider| world.granted(provider, token)) {
        None => refused(StatusCode::UNAUTHORIZED, "invalid_token"),
        Some(grant) => {
            let body = json!({
                "sub": grant.person.subject, "name": grant.person.nickname, "picture": grant.person.avatar,
            });
            given(Answer::ok(body), grant.behaviour.of_profile())
        }
    }
}

fn id_token(world: &World, account: &Account, grant: &Grant) -> Result<String, ErrorStack> {
    let now = world.now_ms() / 1000;
    let is = |behaviour| grant.behaviour == behaviour;
    let header = match is(Behaviour::AlgNone) {
        true => json!({ "alg": "none", "typ": "JWT" }),
        false => json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }),
    };
    let until = now.saturating_add(if is(Behaviour::ExpiredIdToken) { -3600 } else { 300 });
    let issuer =
        if is(Behaviour::WrongIssuer) { "https://another.example" } else { account.setting("issuer") };
    let mut claims = json!({
        "iss": issuer, "aud": grant.client, "sub": grant.person.subject, "iat": now, "exp": until,
    });
    let nonce = if is(Behaviour::NonceMismatch) { Some("another") } else { grant.nonce.as_deref() };
    if let (Value::Object(members), Some(nonce)) = (&mut claims, nonce) {
        members.insert("nonce".to_owned(), json!(nonce));
    }
    let encode = |part: Value| base64_url(part.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    if is(Behaviour::AlgNone) {
        return Ok(format!("{input}."));
    }
    let signature = Signer::new(MessageDigest::sha256(), key()?)?.sign_oneshot_to_vec(input.as_bytes())?;
    Ok(format!("{input}.{}", base64_url(&signature)))
}

/// The issuer's key, made when it is first asked for.
fn key() -> Result<&'static PKey<Private>, ErrorStack> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let key = PKey::from_rsa(Rsa::generate(2048)?)?;
    Ok(KEY.get_or_init(|| key))
}

fn refused(status: StatusCode, error: &str) -> Answer {
    Answer { status, body: json!({ "error": error }), behaviour: tokens::Behaviour::Ok }
}

#[cfg(test)]
mod tests {
    use openssl::{bn::BigNum, sha::sha256, sign::Verifier};

    use super::*;
    use crate::{
        crypto::base64,
        testing::{Bench, Reply, form},
    };

    const BACK: &str = "https://shop.example/back";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    async fn code(bench: &Bench, kind: &str, behaviour: &str) -> String {
        let challenge = base64_url(&sha256(VERIFIER.as_bytes()));
        // RFC 7636, appendix B.
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let body = json!({ "subject": "248289761001", "nickname": "n", "avatar": "https://a", "redirectUri": BACK,
            "codeChallenge": challenge, "nonce": "n-1", "behaviour": behaviour });
        bench.code(kind, body).await
    }

    async fn ask(bench: &Bench, secret: &str, code: &str, back: &str, verifier: &str) -> Reply {
        let fields = [
            ("code", code),
            ("redirect_uri", back),
            ("code_verifier", verifier),
            ("grant_type", "authorization_code"),
        ];
        let basic = format!("Basic {}", base64(format!("client-1:{secret}").as_bytes()));
        let headers =
            [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        bench.send("POST", TOKEN, &headers, form(&fields)).await
    }

    fn claims(token: &str) -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&bytes(part)).unwrap()
    }

    fn bytes(text: &str) -> Vec<u8> {
        let mut padded = text.replace('-', "+").replace('_', "/");
        while !padded.len().is_multiple_of(4) {
            padded.push('=');
        }
        openssl::base64::decode_block(&padded).unwrap()
    }

    #[tokio::test]
    async fn a_code_needs_secret_verifier_and_redirect_uri() {
        let bench = Bench::new();
        let secret = "InventedSecret1";
        for (given, back, verifier, status, error) in [
            ("another", BACK, VERIFIER, 401, "invalid_client"),
            (secret, "https://evil.example", VERIFIER, 400, "invalid_grant"),
            (secret, BACK, "", 400, "invalid_grant"),
            (secret, BACK, "another", 400, "invalid_grant"),
        ] {
            let code = code(&bench, "corp", "ok").await;
            let reply = ask(&bench, given, &code, back, verifier).await;
            assert_eq!((reply.status, reply.json()["error"].as_str()), (status, Some(error)));
        }
        let good = code(&bench, "corp", "ok").await;
        assert_eq!(ask(&bench, secret, &good, BACK, VERIFIER).await.status, 200);
        assert_eq!(ask(&bench, secret, &good, BACK, VERIFIER).await.json()["error"], "invalid_grant");
        // A client that was registered for the body.
        let code = code(&bench, "partner", "ok").await;
        let fields = [
            ("client_id", "client-2"),
            ("client_secret", "InventedSecret2"),
            ("code", &code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("grant_type", "authorization_code"),
        ];
        let reply = bench.post(TOKEN, "application/x-www-form-urlencoded", form(&fields)).await;
        assert_eq!(claims(reply.json()["id_token"].as_str().unwrap())["aud"], "client-2");
    }

    #[tokio::test]
    async fn tokens_are_signed_by_the_published_key() {
        let bench = Bench::new();
        let discovery = bench.get(DISCOVERY).await.json();
        assert_eq!(discovery["jwks_uri"], "https://issuer.example/oidc/jwks");
        let good = code(&bench, "corp", "ok").await;
        let reply = ask(&bench, "InventedSecret1", &good, BACK, VERIFIER).await.json();
        let token = reply["id_token"].as_str().unwrap();
        let jwk = bench.get(KEYS).await.json()["keys"][0].clone();
        let number = |name: &str| BigNum::from_slice(&bytes(jwk[name].as_str().unwrap())).unwrap();
        let key = PKey::from_rsa(Rsa::from_public_components(number("n"), number("e")).unwrap()).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
        assert!(verifier.verify_oneshot(&bytes(signature), input.as_bytes()).unwrap());
        let claims = claims(token);
        assert_eq!(
            (&claims["iss"], &claims["nonce"]),
            (&json!("https://issuer.example/oidc"), &json!("n-1"))
        );

        let bearer = format!("Bearer {}", reply["access_token"].as_str().unwrap());
        let me = bench.send("GET", PROFILE, &[("authorization", &bearer)], String::new()).await.json();
        assert_eq!(me, json!({ "sub": "248289761001", "name": "n", "picture": "https://a" }));
        assert_eq!(bench.get(PROFILE).await.status, 401);
    }

    #[tokio::test]
    async fn behaviours_of_id_tokens() {
        let bench = Bench::new();
        let now = bench.world.now_ms() / 1000;
        for behaviour in ["nonce_mismatch", "expired_id_token", "wrong_issuer", "alg_none"] {
            let code = code(&bench, "corp", behaviour).await;
            let reply = ask(&bench, "InventedSecret1", &code, BACK, VERIFIER).await.json();
            let token = reply["id_token"].as_str().unwrap();
            let claims = claims(token);
            let odd = [
                claims["nonce"] != "n-1",
                claims["exp"].as_i64().unwrap() < now,
                claims["iss"] != "https://issuer.example/oidc",
                token.ends_with('.'),
            ];
            assert_eq!(odd.iter().filter(|odd| **odd).count(), 1, "{behaviour}");
        }
    }
}
