//! Proofs that a client holds the key of its device, after DPoP (RFC 9449): a signed JWT that names the request it
//! is for. The key comes along as a JWK; which key counts, the caller knows by its thumbprint (RFC 7638).

use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use super::{
    digest::sha256,
    encoding::{base64url, from_base64url},
    json,
    secret::Secret,
    time::Timestamp,
};

/// Longest proof looked at, bytes.
pub const MAX_PROOF: usize = 2048;

/// A public key of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519 (RFC 8037): signs EdDSA.
    Ed25519([u8; 32]),
    /// NIST P-256 (RFC 7518 section 6.2), as an uncompressed point: signs ES256.
    P256([u8; 65]),
}

/// A proof that is well-formed. Whether it was signed by its key shows in [`DeviceProof::verify`].
#[derive(Debug)]
pub struct DeviceProof {
    /// The key that came along.
    pub key: PublicKey,
    /// When it was made, by the client's clock.
    pub issued_at: Timestamp,
    /// Digest of its own id.
    pub id: String,
    method: String,
    url: String,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// Whether a signature is good.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// It is, or it is not.
    Known(bool),
    /// The platform is to say: ECDSA on P-256 with SHA-256.
    AskP256 {
        /// Uncompressed point.
        key: &'p [u8; 65],
        /// What was signed.
        signed: &'p [u8],
        /// r and s, 32 bytes each.
        signature: &'p [u8; 64],
    },
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
    d: Option<Secret<String>>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
}

impl PublicKey {
    /// A key by the members of its JWK; `None`: of a kind that we do not take.
    pub fn from_jwk(kty: &str, crv: &str, x: &str, y: Option<&str>) -> Option<Self> {
        let bytes = |text: &str| <[u8; 32]>::try_from(from_base64url(text)?).ok();
        match (kty, crv, y) {
            ("OKP", "Ed25519", None) => Some(Self::Ed25519(bytes(x)?)),
            ("EC", "P-256", Some(y)) => {
                let point = [[4].as_slice(), &bytes(x)?, &bytes(y)?].concat();
                Some(Self::P256(point.try_into().ok()?))
            }
            _ => None,
        }
    }

    /// The JWK thumbprint (RFC 7638; for OKP RFC 8037 section 2): base64url of SHA-256.
    pub fn thumbprint(&self) -> String {
        let members = match self {
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(x)),
            Self::P256(point) => {
                let (_, coordinates) = point.split_at(1);
                let (x, y) = coordinates.split_at(32);
                let (x, y) = (base64url(x), base64url(y));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        };
        base64url(&sha256(members.as_bytes()))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }
}

impl DeviceProof {
    /// Reads a proof (RFC 9449, section 4.2); `None` for anything that is none, or that brings a private key.
    pub fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.').filter(|_| text.len() <= MAX_PROOF)?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = json::read(&from_base64url(header)?)?;
        let Jwk { kty, crv, x, y, d } = header.jwk;
        let key = PublicKey::from_jwk(&kty, &crv, &x, y.as_deref())?;
        if header.typ != "dpop+jwt" || header.alg != key.algorithm() || d.is_some() {
            return None;
        }
        let Claims { jti, htm, htu, iat } = json::read(&from_base64url(claims)?)?;
        let id = sha256(jti.as_bytes()).first_chunk::<16>().map(|bytes| base64url(bytes))?;
        // Without query and fragment (RFC 9449, section 4.3).
        let url = htu.split(['?', '#']).next().unwrap_or_default().to_owned();
        Some(Self {
            key,
            issued_at: Timestamp::from_secs(iat),
            id: Some(id).filter(|_| !jti.is_empty())?,
            method: htm,
            url,
            signed: signed.as_bytes().to_vec(),
            signature: from_base64url(signature)?.try_into().ok()?,
        })
    }

    /// Whether it is for a request of this method to this path below a base URL.
    pub fn is_for(&self, method: &str, base: &str, path: &str) -> bool {
        let rest = self.url.split_at_checked(base.len());
        // Scheme and host are the same however they are written.
        self.method == method
            && rest.is_some_and(|(start, rest)| start.eq_ignore_ascii_case(base) && rest == path)
    }

    /// Checks the signature, or says who can.
    pub fn verify(&self) -> Verdict<'_> {
        match &self.key {
            PublicKey::Ed25519(x) => {
                let signature = Signature::from_bytes(&self.signature);
                let key = VerifyingKey::from_bytes(x);
                Verdict::Known(key.is_ok_and(|key| key.verify_strict(&self.signed, &signature).is_ok()))
            }
            PublicKey::P256(key) => {
                Verdict::AskP256 { key, signed: &self.signed, signature: &self.signature }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use serde_json::{Value, json};

    use super::*;

    // RFC 9449, figure 12, of which section 6.1 gives the thumbprint.
    const RFC9449: &str = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
        "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90",
        "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFF",
        "byJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    );

    #[test]
    fn the_proof_of_rfc9449_and_its_key() {
        let proof = DeviceProof::read(RFC9449).unwrap();
        assert_eq!(proof.key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(proof.issued_at, Timestamp::from_secs(1_562_262_618));
        assert!(proof.is_for("GET", "https://resource.example.org", "/protectedresource"));
        assert!(proof.is_for("GET", "HTTPS://Resource.Example.org", "/protectedresource"));
        for (method, base, path) in [
            ("POST", "https://resource.example.org", "/protectedresource"),
            ("GET", "https://resource.example.org", "/protected"),
            ("GET", "https://resource.example.com", "/protectedresource"),
            ("GET", "https://resource.example.or", "g/protectedresourc"),
        ] {
            assert!(!proof.is_for(method, base, path), "{method} {base}{path}");
        }
        // The platform verifies ES256; here another implementation stands for it.
        let Verdict::AskP256 { signed, .. } = proof.verify() else { panic!("ES256") };
        let (_, signature) = RFC9449.rsplit_once('.').unwrap();
        let jwk = json!({"kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"});
        let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap();
        let es256 = jsonwebtoken::Algorithm::ES256;
        assert!(jsonwebtoken::crypto::verify(signature, signed, &key, es256).unwrap());
    }

    #[test]
    fn the_thumbprint_of_rfc8037() {
        let key = PublicKey::from_jwk("OKP", "Ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", None);
        assert_eq!(key.unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    fn signed(header: &Value, claims: &Value) -> String {
        // RFC 8037 appendix A.1.
        let seed = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = ed25519_dalek::Signer::sign(&key, input.as_bytes());
        format!("{input}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
    }

    #[test]
    fn what_is_no_proof() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk});
        let claims = json!({"jti": "1", "htm": "POST", "htu": "https://id.example/x?a=b", "iat": 5});
        let good = signed(&header, &claims);
        let proof = DeviceProof::read(&good).unwrap();
        assert_eq!(proof.verify(), Verdict::Known(true));
        assert!(proof.is_for("POST", "https://id.example", "/x"));
        let (input, _) = good.rsplit_once('.').unwrap();
        let forged = format!("{input}.{}", BASE64URL_NOPAD.encode(&[7; 64]));
        assert_eq!(DeviceProof::read(&forged).unwrap().verify(), Verdict::Known(false));

        let with = |base: &Value, pointer: &str, value: Value| {
            let mut changed = base.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed
        };
        for (pointer, value) in [
            ("/typ", json!("JWT")),
            ("/alg", json!("none")),
            ("/alg", json!("HS256")),
            ("/alg", json!("ES256")),
            ("/jwk/x", json!("short")),
            ("/jwk/crv", json!("P-256")),
            ("/jwk/kty", json!("oct")),
        ] {
            let text = signed(&with(&header, pointer, value), &claims);
            assert!(DeviceProof::read(&text).is_none(), "{pointer}");
        }
        for (pointer, value) in [("/jti", json!("")), ("/iat", json!("now")), ("/htm", json!(null))] {
            assert!(
                DeviceProof::read(&signed(&header, &with(&claims, pointer, value))).is_none(),
                "{pointer}"
            );
        }
        let mut private = header.clone();
        private["jwk"]["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        assert!(DeviceProof::read(&signed(&private, &claims)).is_none());
        for text in ["", ".", "..", "a.b.c", &good[1..]] {
            assert!(DeviceProof::read(text).is_none(), "{text}");
        }
    }
}
