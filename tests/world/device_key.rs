//! A client that holds the key of its device: signs proofs after RFC 9449 with another implementation than ours.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};

/// A key pair.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    algorithm: Algorithm,
    private: &'static str,
    x: &'static str,
    y: Option<&'static str>,
}

/// P-256, as the secure elements of phones and Web Cryptography make them.
pub(crate) const P256: Key = Key {
    algorithm: Algorithm::ES256,
    private: "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHiyWiHLVdQZNLiYazieMqIYg0OGqoQ+FS6k27PB2vxahRANCAAS5cbH70JN33Y2M4rKXJJ1S38wf7fXUuQa5Te5xL5PC8PFwGosirVdRlKVBZsm6Zrbu9HvczMyUWtfEUfpF1fsN",
    x: "uXGx-9CTd92NjOKylySdUt_MH-311LkGuU3ucS-TwvA",
    y: Some("8XAaiyKtV1GUpUFmybpmtu70e9zMzJRa18RR-kXV-w0"),
};

/// Another of the same kind.
pub(crate) const OTHER_P256: Key = Key {
    algorithm: Algorithm::ES256,
    private: "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8oXq00rZRYmWl/o8krxCtlnrg8kIHMCe+q718NUmwdmhRANCAARVM2/SeoZKTLaUfjcspR+fo/WRixZvz9fzQ1LZ92xjCTlWrZvXPTD89cJVPUw080GTJs1oVV62iAJH6dGfvtqi",
    x: "VTNv0nqGSky2lH43LKUfn6P1kYsWb8_X80NS2fdsYwk",
    y: Some("OVatm9c9MPz1wlU9TDTzQZMmzWhVXraIAkfp0Z--2qI"),
};

/// Ed25519.
pub(crate) const ED25519: Key = Key {
    algorithm: Algorithm::EdDSA,
    private: "MC4CAQAwBQYDK2VwBCIEIKIga90SXbQLhzer51uszct9kR4VV9DSny1GhaDwb1kw",
    x: "nqw5tzXEcM-A_OSCyF-jvXyBkgvdClgSJIUW_0Zadgo",
    y: None,
};

impl Key {
    /// The public key.
    pub(crate) fn jwk(&self) -> Value {
        match self.y {
            Some(y) => json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": y }),
            None => json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x }),
        }
    }

    /// A proof for one request.
    pub(crate) fn proof(&self, method: &str, url: &str, id: &str, issued_at: i64) -> String {
        self.sign(&json!({ "jti": id, "htm": method, "htu": url, "iat": issued_at }))
    }

    /// A proof that says so.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let jwk: Jwk = serde_json::from_value(self.jwk()).unwrap();
        let header =
            Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(jwk), ..Header::new(self.algorithm) };
        let private = data_encoding::BASE64.decode(self.private.as_bytes()).unwrap();
        let key = match self.y {
            Some(_) => EncodingKey::from_ec_der(&private),
            None => EncodingKey::from_ed_der(&private),
        };
        encode(&header, claims, &key).unwrap()
    }
}
