//! Tokens as other people's software sees them: another JOSE library over another cryptography, and a forger's tools.

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};

use crate::{
    client::{get, random},
    leaks,
    stack::Stack,
};

/// PKCS #8 for Ed25519 (RFC 8410): everything before the 32 bytes of the seed.
const ED25519_PKCS8: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];

/// A fresh Ed25519 key: to sign with, and as a private JWK.
pub(crate) fn signing_key(kid: &str) -> (EncodingKey, Value) {
    let seed = random::<32>();
    let key = EncodingKey::from_ed_der(&[&ED25519_PKCS8[..], &seed].concat());
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap()).unwrap();
    let private = data_encoding::BASE64URL_NOPAD.encode(&seed);
    leaks::note("key", &private);
    jwk["d"] = json!(private);
    jwk["kid"] = json!(kid);
    (key, jwk)
}

/// A fresh HS256 key: its bytes, and as a JWK.
pub(crate) fn shared_key(kid: &str) -> ([u8; 32], Value) {
    let secret = random();
    let text = data_encoding::BASE64URL_NOPAD.encode(&secret);
    leaks::note("key", &text);
    (secret, json!({ "kty": "oct", "alg": "HS256", "kid": kid, "k": text }))
}

/// The claims of a token, checked as a backend would: key by `kid` from the JWKS, signature, issuer, audience, expiry.
pub(crate) async fn verify_by_jwks(stack: &Stack, token: &str) -> Value {
    let keys: JwkSet =
        serde_json::from_value(get(stack, "/.well-known/jwks.json").send().await.ok()).unwrap();
    let header = header_of(token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("JWT")));
    let key = keys.find(header["kid"].as_str().unwrap()).expect("the JWKS has the token's key");
    verify(stack, token, &DecodingKey::from_jwk(key).unwrap(), Algorithm::EdDSA)
}

/// The claims of a token that was signed with a shared secret.
pub(crate) fn verify_by_secret(stack: &Stack, token: &str, secret: &[u8]) -> Value {
    verify(stack, token, &DecodingKey::from_secret(secret), Algorithm::HS256)
}

/// A token with any header and claims, signed with an HMAC.
pub(crate) fn sign_with_secret(kid: &str, claims: &Value, secret: &[u8]) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// A token signed by somebody who brings the public half along in the header.
pub(crate) fn sign_as_stranger(kid: &str, claims: &Value) -> String {
    let (key, _) = signing_key(kid);
    let public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    let header = Header { kid: Some(kid.to_owned()), jwk: Some(public), ..Header::new(Algorithm::EdDSA) };
    encode(&header, claims, &key).unwrap()
}

/// The first two parts of a token: what is signed, and here is not.
pub(crate) fn unsigned(algorithm: &str, kid: &str, claims: &Value) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT", "kid": kid });
    let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", part(&header), part(claims))
}

/// What a token says of its key, unverified.
pub(crate) fn header_of(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn verify(stack: &Stack, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Value {
    let mut validation = Validation::new(algorithm);
    validation.leeway = 0;
    validation.set_audience(&["default"]);
    validation.set_issuer(&[&stack.service]);
    decode::<Value>(token, key, &validation).unwrap_or_else(|error| panic!("not verified: {error}")).claims
}
