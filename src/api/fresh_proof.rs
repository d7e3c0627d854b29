//! `proof`: that whoever is signed in is still who they were.

use super::{
    body::Fields,
    number_proof::{self, GivenNumberProof},
};
use crate::journeys::{claim::Attempt, fresh_proof::FreshProof};

/// A proof, as the client wrote it.
#[derive(Debug)]
pub enum GivenProof {
    /// Of a number of the account.
    Number(GivenNumberProof),
}

/// Reads a proof from the object `name`.
pub fn read(body: &mut Fields, name: &str) -> Option<GivenProof> {
    number_proof::any(body, name).map(GivenProof::Number)
}

impl GivenProof {
    /// The same for a journey.
    pub(super) fn as_proof<'a>(&'a self, attempt: Attempt<'a>) -> FreshProof<'a> {
        match self {
            Self::Number(proof) => FreshProof::Number(proof.as_proof(attempt)),
        }
    }
}
