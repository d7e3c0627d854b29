//! Tokens signed by other people's implementation (jsonwebtoken over AWS-LC), with keys made by OpenSSL.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::json;

use super::*;

const KEYS: &str = include_str!("../../../tests/vectors/issuer_keys.json");
const NOW: Timestamp = Timestamp::from_secs(1_795_147_200);
const ISSUER: &str = "https://issuer.example/oidc";

fn key(name: &str) -> Value {
    serde_json::from_str::<Value>(KEYS).unwrap().pointer(&format!("/keys/{name}")).unwrap().clone()
}

fn keys(list: &[Value]) -> IssuerKeys {
    IssuerKeys::read(json!({"keys": list}).to_string().as_bytes()).unwrap()
}

fn all() -> Vec<Value> {
    ["rsa", "ec", "ed"].map(|name| key(name)["jwk"].clone()).into()
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "client-1", "sub": "248289761001", "nonce": "n-1",
        "iat": NOW.secs(), "exp": NOW.secs() + 300, "name": "Xiaoming"})
}

/// Signed with a key, whatever the header says.
fn signed(name: &str, header: &Value, claims: &Value) -> String {
    let der = BASE64.decode(key(name)["der"].as_str().unwrap().as_bytes()).unwrap();
    let (key, algorithm) = match name {
        "ec" => (EncodingKey::from_ec_der(&der), Algorithm::ES256),
        "ed" => (EncodingKey::from_ed_der(&der), Algorithm::EdDSA),
        _ => (EncodingKey::from_rsa_der(&der), Algorithm::RS256),
    };
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(input.as_bytes(), &key, algorithm).unwrap();
    format!("{input}.{signature}")
}

/// Asks the platform, for which another implementation stands here.
fn is_good(token: &IdToken, keys: &IssuerKeys) -> Result<Option<bool>, Problem> {
    let (message, signature) = token.signed();
    let verify = |key: DecodingKey, signature: &[u8], algorithm| {
        crypto::verify(&BASE64URL_NOPAD.encode(signature), message, &key, algorithm).unwrap_or(false)
    };
    Ok(token.check(keys)?.map(|check| match check {
        Check::Known(is_good) => is_good,
        Check::P256(point, signature) => {
            let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
            verify(DecodingKey::from_ec_components(&x, &y).unwrap(), signature.as_slice(), Algorithm::ES256)
        }
        Check::Rsa(n, e) => {
            verify(DecodingKey::from_rsa_components(n, e).unwrap(), signature, Algorithm::RS256)
        }
    }))
}

fn expected() -> Expected<'static> {
    let leeway = Duration::from_secs(60);
    Expected { issuer: ISSUER, client_id: "client-1", nonce: Some("n-1"), now: NOW, leeway }
}

#[test]
fn signatures_of_three_kinds() {
    for (name, alg, kid) in [("rsa", "RS256", "rsa-1"), ("ec", "ES256", "ec-1"), ("ed", "EdDSA", "ed-1")] {
        let text = signed(name, &json!({"alg": alg, "kid": kid, "typ": "JWT"}), &claims());
        let token = IdToken::read(&text).unwrap();
        assert_eq!(is_good(&token, &keys(&all())), Ok(Some(true)), "{name}");
        let json: Value = serde_json::from_slice(token.claims(&expected()).unwrap()).unwrap();
        assert_eq!(json, claims());
        // Another subject under the same signature.
        let other = BASE64URL_NOPAD.encode(json!({"sub": "x"}).to_string().as_bytes());
        let parts: Vec<&str> = text.split('.').collect();
        let forged = IdToken::read(&format!("{}.{other}.{}", parts[0], parts[2])).unwrap();
        assert_eq!(is_good(&forged, &keys(&all())), Ok(Some(false)), "{name}");
    }
}

#[test]
fn a_token_cannot_choose_how_it_is_verified() {
    for alg in ["none", "None", "HS256", "RS384", "PS256", ""] {
        let token = IdToken::read(&signed("rsa", &json!({"alg": alg, "kid": "rsa-1"}), &claims())).unwrap();
        assert_eq!(token.check(&keys(&all())), Err("id_token_alg"), "{alg}");
    }
    let parts = signed("rsa", &json!({"alg": "none"}), &claims());
    let unsigned = format!("{}.", parts.rsplit_once('.').unwrap().0);
    assert_eq!(IdToken::read(&unsigned).unwrap().check(&keys(&all())), Err("id_token_alg"));
    // The key is for another algorithm, whoever names it.
    for (alg, kid) in [("ES256", "rsa-1"), ("RS256", "ec-1"), ("EdDSA", "ec-1")] {
        let token = IdToken::read(&signed("rsa", &json!({"alg": alg, "kid": kid}), &claims())).unwrap();
        assert_eq!(token.check(&keys(&all())), Ok(None), "{alg} {kid}");
    }
    let header = json!({"alg": "RS256", "kid": "rsa-1", "crit": ["exp"]});
    let token = IdToken::read(&signed("rsa", &header, &claims())).unwrap();
    assert_eq!(token.check(&keys(&all())), Err("id_token_alg"));
}

#[test]
fn which_key_it_is() {
    let rsa = key("rsa")["jwk"].clone();
    let with = |member: &str, value: &str| {
        let mut changed = rsa.clone();
        changed[member] = json!(value);
        changed
    };
    let named = IdToken::read(&signed("rsa", &json!({"alg": "RS256", "kid": "rsa-1"}), &claims())).unwrap();
    let unnamed = IdToken::read(&signed("rsa", &json!({"alg": "RS256"}), &claims())).unwrap();
    assert_eq!(is_good(&unnamed, &keys(&all())), Ok(Some(true)), "the only one of its kind");
    let two = keys(&[with("kid", "older"), rsa.clone()]);
    assert_eq!(is_good(&named, &two), Ok(Some(true)));
    assert_eq!(unnamed.check(&two), Ok(None), "it could be either");
    for other in
        [with("kid", "older"), with("use", "enc"), with("alg", "RS512"), with("kty", "RSA2"), json!(7)]
    {
        assert_eq!(named.check(&keys(std::slice::from_ref(&other))), Ok(None), "{other}");
    }
    let short = IdToken::read(&signed("rsa", &json!({"alg": "RS256", "kid": "small-1"}), &claims())).unwrap();
    assert_eq!(short.check(&keys(&[key("small")["jwk"].clone()])), Err("id_token_key"));
    assert!(IssuerKeys::read(b"[]").is_none() && IssuerKeys::read(b"{\"keys\":1}").is_none());
}

#[test]
fn every_claim_is_checked() {
    let at = |seconds: i64| json!(NOW.secs() + seconds);
    for (name, value, problem) in [
        ("iss", json!("https://issuer.example/oidc/"), "id_token_iss"),
        ("iss", json!("https://evil.example"), "id_token_iss"),
        ("iss", Value::Null, "id_token_iss"),
        ("aud", json!("client-2"), "id_token_aud"),
        ("aud", json!(["client-2"]), "id_token_aud"),
        ("aud", json!([]), "id_token_aud"),
        ("aud", Value::Null, "id_token_aud"),
        ("aud", json!(["client-1", "client-2"]), "id_token_azp"),
        ("azp", json!("client-2"), "id_token_azp"),
        ("exp", at(-60), "id_token_exp"),
        ("exp", json!("soon"), "id_token_exp"),
        ("exp", Value::Null, "id_token_exp"),
        ("iat", at(61), "id_token_iat"),
        ("iat", Value::Null, "id_token_iat"),
        ("nonce", json!("n-2"), "id_token_nonce"),
        ("nonce", Value::Null, "id_token_nonce"),
        ("sub", json!(""), "id_token_sub"),
        ("sub", json!(7), "id_token_sub"),
        ("sub", json!("x".repeat(256)), "id_token_sub"),
    ] {
        let mut changed = claims();
        changed[name] = value.clone();
        let token = IdToken::read(&signed("ed", &json!({"alg": "EdDSA"}), &changed)).unwrap();
        assert_eq!(token.claims(&expected()), Err(problem), "{name} {value}");
    }
    for (name, value) in
        [("exp", at(-59)), ("iat", at(60)), ("aud", json!(["client-1"])), ("azp", json!("client-1"))]
    {
        let mut changed = claims();
        changed[name] = value.clone();
        let token = IdToken::read(&signed("ed", &json!({"alg": "EdDSA"}), &changed)).unwrap();
        assert!(token.claims(&expected()).is_ok(), "{name} {value}");
    }
    let mut several = claims();
    several["aud"] = json!(["client-2", "client-1"]);
    several["azp"] = json!("client-1");
    let token = IdToken::read(&signed("ed", &json!({"alg": "EdDSA"}), &several)).unwrap();
    assert!(token.claims(&expected()).is_ok());
    // Nobody was sent anywhere, so there is nothing that must come back.
    let native = Expected { nonce: None, ..expected() };
    assert!(token.claims(&native).is_ok());
}

#[test]
fn what_is_no_token() {
    let good = signed("ed", &json!({"alg": "EdDSA"}), &claims());
    let long = format!("{}.{good}", "A".repeat(MAX_ID_TOKEN));
    for text in ["", ".", "..", "a.b.c", &good[1..], &format!("{good}="), &long] {
        assert!(IdToken::read(text).is_none(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_signed_or_published_is_harmless(header in ".{0,40}", claims in ".{0,40}", set in ".{0,60}") {
        let encode = |part: &str| BASE64URL_NOPAD.encode(part.as_bytes());
        proptest::prop_assert!(IdToken::read(&header).is_none());
        if let Some(token) = IdToken::read(&format!("{}.{}.AA", encode(&header), encode(&claims))) {
            proptest::prop_assert!(token.check(&keys(&all())) != Ok(Some(Check::Known(true))));
            proptest::prop_assert!(token.claims(&expected()).is_err());
        }
        IssuerKeys::read(set.as_bytes());
    }
}
