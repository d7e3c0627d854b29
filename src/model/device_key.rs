//! Keys of devices: a device that has one is the device that holds it, whatever tokens others have copied.
//!
//! Each request proves it anew, by a signature over what is asked and when (after RFC 9449, DPoP). A proof is taken
//! once: what was seen is remembered until it is too old to be taken anyway.

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// Proofs remembered for one device; more at a time are refused, since forgetting one would let it be used again.
pub const PROOFS_AT_MOST: usize = 256;

/// A key whose holder has just proven to have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenKey {
    /// Of the public key (RFC 7638).
    pub thumbprint: String,
    /// Digest of the proof's own id.
    pub proof: String,
    /// The proof is too old then.
    pub until: Timestamp,
}

/// The key of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKey {
    /// Of the public key (RFC 7638).
    pub thumbprint: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<(String, Timestamp)>,
}

impl DeviceKey {
    /// Binds a device to a key.
    pub fn bind(proven: &ProvenKey) -> Self {
        let ProvenKey { thumbprint, proof, until } = proven.clone();
        Self { thumbprint, seen: vec![(proof, until)] }
    }

    /// Takes a proof, if it is by this key.
    pub fn is_proven_by(&mut self, proven: &ProvenKey, now: Timestamp) -> bool {
        self.thumbprint == proven.thumbprint && self.take(proven, now)
    }

    /// Takes a proof by this key; `false`: it was taken before, or there are too many at a time.
    pub fn take(&mut self, proven: &ProvenKey, now: Timestamp) -> bool {
        self.seen.retain(|(_, until)| now < *until);
        let fits = self.seen.len() < PROOFS_AT_MOST
            && now < proven.until
            && self.seen.iter().all(|(known, _)| *known != proven.proof);
        if fits {
            self.seen.push((proven.proof.clone(), proven.until));
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(proof: &str, until: i64) -> ProvenKey {
        let until = Timestamp::from_secs(until);
        ProvenKey { thumbprint: "key".to_owned(), proof: proof.to_owned(), until }
    }

    #[test]
    fn a_proof_is_taken_once() {
        let at = Timestamp::from_secs;
        let mut key = DeviceKey::bind(&proven("a", 100));
        assert!(!key.take(&proven("a", 100), at(1)));
        assert!(key.take(&proven("b", 101), at(1)));
        assert!(!key.take(&proven("b", 101), at(100)));
        assert!(!key.take(&proven("c", 100), at(100)), "too old");
        assert_eq!(key.seen.len(), 1, "what is too old is forgotten");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_nothing_is_forgotten_early() {
        let mut key = DeviceKey::bind(&proven("first", 100));
        let taken = (0..1000).filter(|n| key.take(&proven(&n.to_string(), 100), Timestamp::from_secs(1)));
        assert_eq!(taken.count(), PROOFS_AT_MOST - 1);
        assert!(!key.take(&proven("first", 100), Timestamp::from_secs(1)));
    }
}
