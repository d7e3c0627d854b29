//! Signed tokens: compact JWS (RFC 7515) with EdDSA (RFC 8037) or HS256 (RFC 7518), and the public key set.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use subtle::ConstantTimeEq;

use super::{
    digest::hmac_sha256,
    encoding::{base64url, from_base64url},
    fault::Fault,
    json,
    keys::{Jwk, jwks},
    secret::Secret,
};

/// The keys of a deployment: the first signs, all verify. `OKP`/Ed25519 keys are published, `oct` keys never.
#[derive(Debug)]
pub struct SigningKeys {
    keys: Vec<KeyPair>,
}

/// The public JWK set (RFC 7517), as served at `/.well-known/jwks.json`.
#[derive(Debug, Serialize)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
}

/// The token is not one of ours: malformed, unknown key, wrong algorithm or bad signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSignature;

impl SigningKeys {
    /// Reads a JWK set of Ed25519 keys (`d` may be missing in all but the first: those only verify) and
    /// `oct` keys of 32 to 128 bytes.
    ///
    /// # Errors
    /// What is wrong, without any part of a key.
    pub fn from_jwks(json: &str) -> Result<Self, String> {
        let keys = jwks(json)?.iter().map(KeyPair::from_jwk).collect::<Result<Vec<_>, _>>()?;
        match keys.first() {
            None => Err("holds no key".to_owned()),
            Some(first) if matches!(first.material, Material::EdDsaPublic(_)) => {
                Err(format!("the first key \"{}\" has no private part \"d\" to sign with", first.id))
            }
            Some(_) => Ok(Self { keys }),
        }
    }

    /// Signs claims with the first key.
    ///
    /// # Errors
    /// [`Fault`] when the claims do not serialise.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Fault> {
        let key = self.keys.first().ok_or(Fault::new("no_signing_key"))?;
        let header = Header { alg: key.algorithm().into(), typ: Some("JWT".into()), kid: key.id.clone() };
        let (header, claims) = (json::write(&header)?, json::write(claims)?);
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = key.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", base64url(&signature)))
    }

    /// Checks the signature and returns the claims; expiry and audience are the caller's to check. The key is
    /// chosen by `kid`, and `alg` must be that key's own: a token cannot choose how it is verified
    /// (RFC 8725 section 3.1).
    ///
    /// # Errors
    /// [`BadSignature`] for every cause.
    pub fn verify<T: DeserializeOwned>(&self, token: &str) -> Result<T, BadSignature> {
        let (input, signature) = token.rsplit_once('.').ok_or(BadSignature)?;
        let (header, claims) = input.split_once('.').ok_or(BadSignature)?;
        let decode = |part: &str| from_base64url(part).ok_or(BadSignature);
        let header: Header = json::read(&decode(header)?).ok_or(BadSignature)?;
        let key = self.keys.iter().find(|key| key.id == header.kid).ok_or(BadSignature)?;
        if header.alg != key.algorithm() {
            return Err(BadSignature);
        }
        key.verify(input.as_bytes(), &decode(signature)?)?;
        json::read(&decode(claims)?).ok_or(BadSignature)
    }

    /// The public halves of the Ed25519 keys.
    pub fn public(&self) -> PublicKeys {
        let keys = self.keys.iter().filter_map(|key| {
            let public = match &key.material {
                Material::EdDsa(private) => private.verifying_key(),
                Material::EdDsaPublic(public) => *public,
                Material::Hs256(_) => return None,
            };
            let x = base64url(public.as_bytes());
            Some(PublicKey { kty: "OKP", crv: "Ed25519", alg: "EdDSA", r#use: "sig", kid: key.id.clone(), x })
        });
        PublicKeys { keys: keys.collect() }
    }
}

#[derive(Debug)]
struct KeyPair {
    id: String,
    material: Material,
}

#[derive(Debug)]
enum Material {
    EdDsa(Box<SigningKey>),
    EdDsaPublic(VerifyingKey),
    Hs256(Secret<Vec<u8>>),
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    kid: String,
}

#[derive(Debug, Serialize)]
struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    x: String,
}

impl KeyPair {
    fn from_jwk(jwk: &Jwk) -> Result<Self, String> {
        let id = jwk.kid.clone();
        let wrong = |what: &str| format!("key \"{id}\" {what}");
        let bytes32 = |member: &str| {
            <[u8; 32]>::try_from(jwk.bytes(member)?.expose().as_slice())
                .map_err(|_| wrong(&format!("has a \"{member}\" that is not 32 bytes")))
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_deref()) {
            ("OKP", Some("Ed25519"), None | Some("EdDSA")) => {
                let public =
                    VerifyingKey::from_bytes(&bytes32("x")?).map_err(|_| wrong("has no valid \"x\""))?;
                if jwk.has_private_part() {
                    let private = SigningKey::from_bytes(&bytes32("d")?);
                    if private.verifying_key() != public {
                        return Err(wrong("has an \"x\" that does not belong to its \"d\""));
                    }
                    Material::EdDsa(Box::new(private))
                } else {
                    Material::EdDsaPublic(public)
                }
            }
            ("oct", None, None | Some("HS256")) => {
                let key = jwk.bytes("k")?;
                if !(32..=128).contains(&key.expose().len()) {
                    return Err(wrong("is not 32 to 128 bytes long"));
                }
                Material::Hs256(key)
            }
            _ => return Err(wrong("is neither OKP Ed25519 (EdDSA) nor oct (HS256)")),
        };
        Ok(Self { id, material })
    }

    const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::EdDsa(_) | Material::EdDsaPublic(_) => "EdDSA",
            Material::Hs256(_) => "HS256",
        }
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Fault> {
        match &self.material {
            Material::EdDsa(key) => Ok(key.sign(input).to_bytes().to_vec()),
            Material::EdDsaPublic(_) => Err(Fault::new("no_signing_key")),
            Material::Hs256(key) => Ok(hmac_sha256(key.expose(), input).to_vec()),
        }
    }

    fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let ed25519 = |key: &VerifyingKey| {
            let signature = Signature::from_slice(signature).map_err(|_| BadSignature)?;
            key.verify_strict(input, &signature).map_err(|_| BadSignature)
        };
        match &self.material {
            Material::EdDsa(key) => ed25519(&key.verifying_key()),
            Material::EdDsaPublic(key) => ed25519(key),
            Material::Hs256(key) => {
                let same: bool = hmac_sha256(key.expose(), input).ct_eq(signature).into();
                if same { Ok(()) } else { Err(BadSignature) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use serde_json::{Value, json};

    // RFC 8037 appendix A.1 and A.4.
    const RFC8037: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"rfc","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn keys(list: &[&str]) -> SigningKeys {
        SigningKeys::from_jwks(&format!(r#"{{"keys":[{}]}}"#, list.join(","))).unwrap()
    }

    fn oct(kid: &str) -> String {
        format!(r#"{{"kty":"oct","kid":"{kid}","k":"{}"}}"#, BASE64URL_NOPAD.encode(&[5; 32]))
    }

    #[test]
    fn rfc8037_signature() {
        let key = &keys(&[RFC8037]).keys[0];
        let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            BASE64URL_NOPAD.encode(&key.sign(input).unwrap()),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn signs_and_verifies_also_after_rotation() {
        let claims = json!({"sub": "acc_x"});
        for first in [RFC8037.to_owned(), oct("shared")] {
            let token = keys(&[&first]).sign(&claims).unwrap();
            let new = oct("new");
            assert_eq!(keys(&[&new, &first]).verify::<Value>(&token), Ok(claims.clone()));
            assert_eq!(keys(&[&new]).verify::<Value>(&token), Err(BadSignature));
        }
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm() {
        let keys = keys(&[RFC8037, &oct("shared")]);
        let public = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        for (alg, kid) in [("HS256", "rfc"), ("none", "rfc"), ("EdDSA", "shared"), ("HS256", "nobody")] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
            let input =
                format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(b"{}"));
            for signature in [hmac_sha256(&public, input.as_bytes()).to_vec(), Vec::new()] {
                let token = format!("{input}.{}", BASE64URL_NOPAD.encode(&signature));
                assert_eq!(keys.verify::<Value>(&token), Err(BadSignature), "{alg} {kid}");
            }
        }
    }

    #[test]
    fn only_public_halves_are_published() {
        let json = serde_json::to_string(&keys(&[RFC8037, &oct("shared")]).public()).unwrap();
        assert!(json.contains("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        assert!(!json.contains("nWGxne") && !json.contains("oct") && !json.contains("\"d\""));
    }
}
