//! What the platform does better than our code, by another implementation; and what it keeps in memory.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use onetap::{
    kernel::fault::Fault,
    ports::{Clock, Publications, Signatures},
};

use super::{World, locked};

impl Signatures for World {
    // Another implementation than the platform's.
    async fn verify_p256(&self, key: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> Result<bool, Fault> {
        let (x, y) = (BASE64URL_NOPAD.encode(&key[1..33]), BASE64URL_NOPAD.encode(&key[33..]));
        let key = DecodingKey::from_ec_components(&x, &y).unwrap();
        let signature = BASE64URL_NOPAD.encode(signature);
        Ok(jsonwebtoken::crypto::verify(&signature, message, &key, Algorithm::ES256).unwrap_or(false))
    }

    async fn verify_rsa(
        &self,
        modulus: &str,
        exponent: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        let key = DecodingKey::from_rsa_components(modulus, exponent).unwrap();
        let signature = BASE64URL_NOPAD.encode(signature);
        Ok(jsonwebtoken::crypto::verify(&signature, message, &key, Algorithm::RS256).unwrap_or(false))
    }
}

impl Publications for World {
    fn publication(&self, url: &str) -> Option<Vec<u8>> {
        let kept = locked(&self.publications).get(url).cloned();
        kept.filter(|(until, _)| self.now() < *until).map(|(_, body)| body)
    }

    fn keep_publication(&self, url: &str, body: &[u8], time: Duration) {
        let kept = (self.now().plus(time), body.to_vec());
        locked(&self.publications).insert(url.to_owned(), kept);
    }
}
