//! `proof`: that whoever is signed in is still who they were.

use super::{
    body::Fields,
    number_proof::{self, GivenNumberProof},
    password::password,
};
use crate::{
    journeys::{claim::Attempt, fresh_proof::FreshProof},
    kernel::secret::Secret,
};

/// A proof, as the client wrote it.
#[derive(Debug)]
pub enum GivenProof {
    /// Of a number of the account.
    Number(GivenNumberProof),
    /// Its password.
    Password(Secret<String>),
}

/// Reads a proof from the object `name`.
pub fn read(body: &mut Fields, name: &str) -> Option<GivenProof> {
    let mut proof = body.object(name)?;
    let given = match proof
        .choice("type", &[("password", None), ("otp", OTP), ("one_tap", ONE_TAP), ("check", CHECK)])
    {
        Some(None) => password(&mut proof, "password").map(GivenProof::Password),
        Some(Some(kind)) => number_proof::of_kind(&mut proof, kind).map(GivenProof::Number),
        None => None,
    };
    body.absorb(proof);
    given
}

const OTP: Option<number_proof::Kind> = Some(number_proof::Kind::Otp);
const ONE_TAP: Option<number_proof::Kind> = Some(number_proof::Kind::OneTap);
const CHECK: Option<number_proof::Kind> = Some(number_proof::Kind::Check);

impl GivenProof {
    /// The same for a journey.
    pub(super) fn as_proof<'a>(&'a self, attempt: Attempt<'a>) -> FreshProof<'a> {
        match self {
            Self::Number(proof) => FreshProof::Number(proof.as_proof(attempt)),
            Self::Password(password) => FreshProof::Password(password),
        }
    }
}
