//! `proof`: that whoever is signed in is still who they were.

use super::{
    body::Fields,
    http::HttpIn,
    identity_login::{self, GivenIdentity},
    number_proof::{self, GivenNumberProof, Kind},
    password::password,
    problem::Problem,
};
use crate::{
    journeys::{claim::Attempt, fresh_proof::FreshProof, settings::Settings},
    kernel::secret::Secret,
};

/// A proof, as the client wrote it.
#[derive(Debug)]
pub enum GivenProof {
    /// Of a number of the account.
    Number(GivenNumberProof),
    /// Its password.
    Password(Secret<String>),
    /// A third party's word, by what clients call it, and what binds it to this browser or device.
    Identity(String, GivenIdentity, Option<Secret<String>>),
}

#[derive(Clone, Copy)]
enum Type {
    Number(Kind),
    Password,
    Identity,
}

const TYPES: [(&str, Type); 5] = [
    ("otp", Type::Number(Kind::Otp)),
    ("one_tap", Type::Number(Kind::OneTap)),
    ("check", Type::Number(Kind::Check)),
    ("password", Type::Password),
    ("identity", Type::Identity),
];

/// Reads a proof from the object `name`.
pub fn read(body: &mut Fields, name: &str) -> Option<GivenProof> {
    let mut proof = body.object(name)?;
    let given = match proof.choice("type", &TYPES) {
        Some(Type::Number(kind)) => number_proof::of_kind(&mut proof, kind).map(GivenProof::Number),
        Some(Type::Password) => password(&mut proof, "password").map(GivenProof::Password),
        Some(Type::Identity) => {
            let kind = proof.text("kind", 32);
            let given = identity_login::read(&mut proof);
            kind.zip(given).map(|(kind, given)| GivenProof::Identity(kind, given, None))
        }
        None => None,
    };
    body.absorb(proof);
    given
}

impl GivenProof {
    /// With what binds it to the browser or device that the request comes from.
    ///
    /// # Errors
    /// As [`identity_login::binding`].
    pub(super) fn bound(self, settings: &Settings, request: &HttpIn) -> Result<Self, Problem> {
        match self {
            Self::Identity(kind, given, _) => {
                Ok(Self::Identity(kind, given, identity_login::binding(settings, request)?))
            }
            other => Ok(other),
        }
    }

    /// The same for a journey.
    pub(super) fn as_proof<'a>(&'a self, attempt: Attempt<'a>) -> FreshProof<'a> {
        match self {
            Self::Number(proof) => FreshProof::Number(proof.as_proof(attempt)),
            Self::Password(password) => FreshProof::Password(password),
            Self::Identity(kind, given, binding) => {
                FreshProof::Identity(given.as_code(kind, binding.as_ref(), attempt))
            }
        }
    }
}
