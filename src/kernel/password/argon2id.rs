//! Argon2 (RFC 9106): ours, and those of other systems.

use argon2::{Algorithm, Argon2, Params, Version};

use super::{
    Cost,
    scheme::{ImportRefusal, number},
};
use crate::kernel::{encoding::from_base64, fault::Fault};

/// Most memory of an imported hash, KiB: what PHP and the libraries of Python and Node.js use unless told otherwise.
/// Together with what ours take it stays taken, so more would be too much for 128 MB.
pub(crate) const MOST_MEMORY: u32 = 65_536;

/// Most KiB filled, all passes together: four over that memory, 0.4 s.
pub(crate) const MOST_WORK: u32 = 262_144;

/// Most lanes. They take no more time than one.
pub(crate) const MOST_LANES: u32 = 16;

#[derive(Debug)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

impl Argon2Hash {
    /// What a new hash is made with; `None` for a cost that is none.
    pub(super) fn of_cost(cost: Cost, salt: &[u8]) -> Option<Self> {
        let params = Params::new(cost.memory, cost.passes, 1, Some(32)).ok()?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        Some(Self { algorithm, version, params, salt: salt.to_vec(), digest: vec![0; 32] })
    }

    /// `[v=19$]m=65536,t=3,p=4$<salt>$<digest>`; without `v` it is version 1.0.
    pub(super) fn read(algorithm: &str, parts: &[&str]) -> Result<Self, ImportRefusal> {
        use ImportRefusal::{Malformed, TooCostly};
        let algorithm = algorithm.parse().map_err(|_| ImportRefusal::UnknownAlgorithm)?;
        let (version, parts) = match parts {
            ["v=19", parts @ ..] => (Version::V0x13, parts),
            ["v=16", parts @ ..] | parts => (Version::V0x10, parts),
        };
        let [costs, salt, digest] = parts else { return Err(Malformed) };
        let mut costs = costs.split(',');
        let mut cost = |name| number(costs.next().and_then(|text| text.strip_prefix(name)).ok_or(Malformed)?);
        let (memory, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        let is_bearable = memory <= MOST_MEMORY
            && lanes <= MOST_LANES
            && memory.checked_mul(passes).is_some_and(|work| work <= MOST_WORK);
        let (salt, digest) = (from_base64(salt).ok_or(Malformed)?, from_base64(digest).ok_or(Malformed)?);
        // What else stands there, a key id or data, is not part of the standard any more.
        if costs.next().is_some() || !(8..=64).contains(&salt.len()) || !(16..=64).contains(&digest.len()) {
            return Err(Malformed);
        }
        if !is_bearable {
            return Err(TooCostly);
        }
        let params = Params::new(memory, passes, lanes, Some(digest.len())).map_err(|_| Malformed)?;
        Ok(Self { algorithm, version, params, salt, digest })
    }

    /// The digest of a password under the same salt and costs.
    ///
    /// # Errors
    /// [`Fault`]: no memory for it.
    pub(super) fn digest_of(&self, password: &str) -> Result<Vec<u8>, Fault> {
        let mut digest = vec![0; self.digest.len()];
        Argon2::new(self.algorithm, self.version, self.params.clone())
            .hash_password_into(password.as_bytes(), &self.salt, &mut digest)
            .map_err(|_| Fault::new("no_memory_for_password"))?;
        Ok(digest)
    }
}
