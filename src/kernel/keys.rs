//! Key rings: JWK sets (RFC 7517) of symmetric keys, the first of which is in use.

use serde::Deserialize;

use super::{encoding::from_base64url, json, secret::Secret};

/// Bytes of every symmetric key we accept.
pub const KEY_BYTES: usize = 32;

/// Symmetric keys with their ids. The first makes new values, all can read old ones.
#[derive(Debug, Clone)]
pub struct KeyRing {
    first: Key,
    older: Vec<Key>,
}

/// One key with its id.
#[derive(Debug, Clone)]
pub struct Key {
    /// Key id, 1 to 16 characters of `[A-Za-z0-9_-]`.
    pub id: String,
    /// The key itself.
    pub bytes: Secret<[u8; KEY_BYTES]>,
}

impl KeyRing {
    /// Reads a JWK set of `oct` keys of exactly 32 bytes whose `alg`, where given, is `alg`.
    ///
    /// # Errors
    /// What is wrong, without any part of a key.
    pub fn from_jwks(json: &str, alg: &str) -> Result<Self, String> {
        let mut keys = jwks(json)?.into_iter().map(|jwk| {
            if jwk.kty != "oct" || jwk.alg.as_deref().is_some_and(|given| given != alg) {
                return Err(format!("key \"{}\" is not an oct key for {alg}", jwk.kid));
            }
            let bytes = jwk.bytes("k").and_then(|k| {
                <[u8; KEY_BYTES]>::try_from(k.expose().as_slice())
                    .map_err(|_| format!("key \"{}\" is not {KEY_BYTES} bytes long", jwk.kid))
            })?;
            if bytes.iter().all(|b| bytes.first() == Some(b)) {
                return Err(format!("key \"{}\" is not random", jwk.kid));
            }
            Ok(Key { id: jwk.kid.clone(), bytes: Secret::new(bytes) })
        });
        let first = keys.next().ok_or("holds no key")??;
        Ok(Self { first, older: keys.collect::<Result<_, _>>()? })
    }

    /// The key that makes new values.
    pub const fn current(&self) -> &Key {
        &self.first
    }

    /// All keys, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.older)
    }

    /// The key of an id.
    pub fn find(&self, id: &str) -> Option<&Key> {
        self.all().find(|key| key.id == id)
    }
}

/// One JSON Web Key, private members included. Members we do not use are ignored, as RFC 7517 section 4 asks.
#[derive(Deserialize)]
pub(super) struct Jwk {
    pub(super) kty: String,
    pub(super) kid: String,
    pub(super) alg: Option<String>,
    pub(super) crv: Option<String>,
    k: Option<Secret<String>>,
    x: Option<Secret<String>>,
    d: Option<Secret<String>>,
}

impl Jwk {
    pub(super) const fn has_private_part(&self) -> bool {
        self.d.is_some()
    }

    /// Decodes the member `k`, `x` or `d`.
    pub(super) fn bytes(&self, member: &str) -> Result<Secret<Vec<u8>>, String> {
        let text = match member {
            "k" => &self.k,
            "x" => &self.x,
            _ => &self.d,
        };
        let text = text.as_ref().ok_or_else(|| format!("key \"{}\" has no \"{member}\"", self.kid))?;
        from_base64url(text.expose())
            .map(Secret::new)
            .ok_or_else(|| format!("\"{member}\" of key \"{}\" is not base64url", self.kid))
    }
}

/// Reads a JWK set and checks the key ids.
pub(super) fn jwks(text: &str) -> Result<Vec<Jwk>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Jwk>,
    }
    let set: Set = json::read(text.as_bytes()).ok_or("is not a JWK set with kty and kid in every key")?;
    for (at, jwk) in set.keys.iter().enumerate() {
        let sane = (1..=16).contains(&jwk.kid.len())
            && jwk.kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !sane {
            return Err(format!("the kid of key {at} is not 1 to 16 characters of A-Z a-z 0-9 - _"));
        }
        if set.keys.iter().take(at).any(|other| other.kid == jwk.kid) {
            return Err(format!("the kid \"{}\" stands twice", jwk.kid));
        }
    }
    Ok(set.keys)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn ring(alg: &str, seeds: &[u8]) -> KeyRing {
        let keys: Vec<String> = seeds
            .iter()
            .map(|seed| {
                let mut bytes = [*seed; KEY_BYTES];
                bytes[0] = seed.wrapping_add(1);
                let k = data_encoding::BASE64URL_NOPAD.encode(&bytes);
                format!(r#"{{"kty":"oct","alg":"{alg}","kid":"k{seed}","k":"{k}"}}"#)
            })
            .collect();
        KeyRing::from_jwks(&format!(r#"{{"keys":[{}]}}"#, keys.join(",")), alg).unwrap()
    }

    #[test]
    fn first_is_current() {
        let ring = ring("HS256", &[1, 2]);
        assert_eq!(ring.current().id, "k1");
        assert!(ring.find("k2").is_some() && ring.find("k3").is_none());
    }

    #[test]
    fn problems_are_named_without_key_material() {
        let short = data_encoding::BASE64URL_NOPAD.encode(b"short");
        let zero = data_encoding::BASE64URL_NOPAD.encode(&[0; KEY_BYTES]);
        let one = |kid: &str, k: &str| format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}"}}]}}"#);
        for (json, problem) in [
            ("{}".to_owned(), "JWK set"),
            (r#"{"keys":[]}"#.to_owned(), "no key"),
            (one("a", &short), "32 bytes"),
            (one("a", &zero), "not random"),
            (one("a b", &zero), "kid"),
            (one("a", "***"), "base64url"),
        ] {
            let error = KeyRing::from_jwks(&json, "HS256").unwrap_err();
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains(&short) && !error.contains(&zero));
        }
    }
}
