//! The example backends of `examples/` as their readers would run them: they verify sessions by themselves.

use std::{
    fs::OpenOptions,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    backend::api_key,
    client::{Request, fresh_phone, http},
    jose::{shared_key, sign_as_stranger, sign_with_secret, signing_key, unsigned, verify_by_jwks},
    login::{access_token, sign_in},
    stack::{self, Recipe, Stack},
    story,
};

/// A verifier starts within it.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// The examples' README: unknown keys make them ask for the keys at most this often.
const COOL_DOWN: Duration = Duration::from_secs(10);

const INVALID: &str = r#"Bearer error="invalid_token""#;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("verifiers: the example in Rust takes good tokens and no others", || {
            tells("verify-rust", in_rust())
        }),
        story("verifiers: the example in TypeScript takes good tokens and no others", || {
            tells("verify-ts", in_typescript())
        }),
    ]
}

fn in_rust() -> Command {
    // The service is on loopback: no TLS, which takes minutes to compile.
    Command::new(stack::program("verify-rust", &["--no-default-features"]))
}

fn in_typescript() -> Command {
    let mut command = Command::new(stack::root().join("node_modules/.bin/node"));
    command.arg(stack::root().join("examples/verify-ts/server.ts"));
    command
}

/// A verifier that runs; dropping it ends it.
struct Verifier {
    child: Child,
    url: String,
}

impl Verifier {
    async fn start(mut command: Command, stack: &Stack, api_key: &str) -> Self {
        let port = stack::free_ports()[0];
        let log = stack::run_folder().join(format!("verifier-{port}.log"));
        let output = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command
            .env("ISSUER", &stack.service)
            .env("JWKS_URL", format!("{}/.well-known/jwks.json", stack.service))
            .env("AUDIENCE", "default")
            .env("API_KEY", api_key)
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let verifier = Self { child, url: format!("http://127.0.0.1:{port}/me") };
        let began = Instant::now();
        while http().get(&verifier.url).send().await.is_err() {
            assert!(began.elapsed() < READY_LIMIT, "the verifier does not answer");
            sleep(Duration::from_millis(50)).await;
        }
        verifier
    }

    /// Status, challenge and body.
    async fn ask(&self, query: &str, authorization: Option<&str>) -> (StatusCode, String, Value) {
        let mut request = http().get(format!("{}{query}", self.url));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await.unwrap();
        let challenge =
            answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        (answer.status(), challenge.unwrap_or_default(), answer.json().await.unwrap_or_default())
    }

    async fn must_take(&self, query: &str, token: &str, account: &Value) {
        let (status, _, body) = self.ask(query, Some(&format!("Bearer {token}"))).await;
        assert_eq!((status, &body), (StatusCode::OK, &json!({ "account": account })), "{query}");
    }

    async fn must_refuse(&self, token: &str, why: &str) {
        for query in ["", "?fresh=true"] {
            let (status, challenge, body) = self.ask(query, Some(&format!("Bearer {token}"))).await;
            assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, INVALID), "{why} {query}");
            assert_eq!(body, json!({ "error": "invalid_token" }));
        }
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn tells(name: &'static str, command: Command) {
    let (key, first) = signing_key("first");
    let recipe = Recipe::new(name).var("SIGNING_KEYS", &json!({ "keys": [first] }).to_string());
    let stack = recipe.start();
    let (api_key, _) = api_key(&stack, "token:introspect");
    let verifier = Verifier::start(command, &stack, &api_key).await;
    let (login, other) = {
        let phone = fresh_phone("152");
        (sign_in(&stack, &phone).await, sign_in(&stack, &phone).await)
    };
    let (account, token) = (&login["account"]["id"], access_token(&login));

    // 1. A good token, checked alone and with the service's word.
    for query in ["", "?fresh=true", "?fresh=false"] {
        verifier.must_take(query, token, account).await;
    }
    assert_eq!(verifier.ask("", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(verifier.ask("", Some("Basic b25l")).await.0, StatusCode::UNAUTHORIZED);

    // 2. Tokens that the service's own key signed, and that say something else.
    let claims = verify_by_jwks(&stack, token).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    verifier.must_take("", &signed(&key, &claims), account).await;
    let now = claims["iat"].as_i64().unwrap();
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    for (claims, why) in [
        (with("exp", json!(now - 30)), "expired"),
        (with("aud", json!("shop")), "for another app"),
        (with("aud", json!(["shop", "sandbox"])), "for other apps"),
        (with("iss", json!("https://id.example")), "of another issuer"),
        (without("exp"), "never over"),
        (without("aud"), "for nobody"),
        (without("iss"), "of nobody"),
        (without("sub"), "without an account"),
    ] {
        verifier.must_refuse(&signed(&key, &claims), why).await;
    }
    // The leeway is small, and there is one.
    verifier.must_take("", &signed(&key, &with("exp", json!(now_seconds() - 3))), account).await;

    // 3. Forgeries.
    verifier.must_refuse(&sign_as_stranger("first", &claims), "signed by a stranger").await;
    verifier.must_refuse(&format!("{}.", unsigned("none", "first", &claims)), "alg none").await;
    let public = data_encoding::BASE64URL_NOPAD.decode(first["x"].as_str().unwrap().as_bytes()).unwrap();
    for secret in [&public[..], first["x"].as_str().unwrap().as_bytes()] {
        verifier.must_refuse(&sign_with_secret("first", &claims, secret), "HS256 with the public key").await;
    }
    let cut = token.rsplit_once('.').unwrap().0;
    for token in
        ["nonsense", cut, &format!("{cut}."), login["session"]["refreshToken"].as_str().unwrap(), &api_key]
    {
        verifier.must_refuse(token, "no access token").await;
    }

    // 4. Unknown keys: the published ones are fetched again, and not for every token.
    let before = jwks_requests(&stack);
    assert!(before >= 2, "asked for by this story, and by the verifier: {before}");
    for _ in 0..20 {
        verifier.must_refuse(&sign_as_stranger("unheard-of", &claims), "an unknown key").await;
    }
    let fetched = jwks_requests(&stack) - before;
    assert!(fetched <= 1 + usize::try_from(now_seconds() - now).unwrap() / 10, "fetched {fetched} times");

    // 5. A session that is ended: the local check goes on until the token is over, the service's word counts at once.
    let ended = Request::new(&stack, Method::DELETE, "/v1/session").bearer(token).send().await;
    assert_eq!(ended.status, 204);
    let (status, challenge, _) = verifier.ask("?fresh=true", Some(&format!("Bearer {token}"))).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, INVALID));
    verifier.must_take("", token, account).await;
    verifier.must_take("?fresh=true", access_token(&other), account).await;

    // 6. While the service is down: what is known goes on, and nobody is taken for a liar.
    stack.stop(Signal::TERM);
    verifier.must_take("", token, account).await;
    let (status, challenge, _) = verifier.ask("?fresh=true", Some(&format!("Bearer {token}"))).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::SERVICE_UNAVAILABLE, ""));

    // 7. It comes back with another key in front, and a shared secret that it does not publish.
    let (_, second) = signing_key("second");
    let (secret, shared) = shared_key("shared");
    let stack = recipe.var("SIGNING_KEYS", &json!({ "keys": [second, first, shared] }).to_string()).start();
    let again = sign_in(&stack, &fresh_phone("152")).await;
    let (account, token) = (&again["account"]["id"], format!("Bearer {}", access_token(&again)));
    let began = Instant::now();
    while verifier.ask("", Some(&token)).await.0 != StatusCode::OK {
        assert!(began.elapsed() < COOL_DOWN + Duration::from_secs(5), "the new key is not found");
        sleep(Duration::from_millis(200)).await;
    }
    verifier.must_take("?fresh=true", access_token(&again), account).await;
    verifier.must_take("", access_token(&other), &login["account"]["id"]).await;
    verifier.must_refuse(&sign_with_secret("shared", &claims, &secret), "not for others to verify").await;
}

fn signed(key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, claims, key).unwrap()
}

fn now_seconds() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed()
}

fn jwks_requests(stack: &Stack) -> usize {
    stack.log_text().matches("GET /.well-known/jwks.json\"").count()
}
