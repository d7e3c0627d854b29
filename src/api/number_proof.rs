//! `numberProof`: that the client has the SIM of a number.

use super::{
    body::Fields,
    login,
    otp::{MAX_CHALLENGE, MAX_CODE, typed},
};
use crate::{
    journeys::{
        claim::Attempt,
        number_proof::{self, NumberProof, OtpProof},
        provider::Credential,
    },
    kernel::{phone::PhoneNumber, secret::Secret},
};

/// A carrier's credential, and the number that it is to confirm; `None`: it names the number.
#[derive(Debug)]
pub struct CarrierProof {
    /// From the SDK.
    pub credential: Credential,
    /// The number.
    pub phone: Option<PhoneNumber>,
}

/// Reads `numberProof` where only a carrier's word is of use, since nobody is there to type a code.
pub fn by_carrier(body: &mut Fields) -> Option<CarrierProof> {
    let mut proof = body.optional_object("numberProof")?;
    let checks = proof.choice("type", &[("one_tap", false), ("check", true)]);
    let given = checks.and_then(|checks| carrier(&mut proof, checks));
    body.absorb(proof);
    given
}

/// A `numberProof` of any kind, as the client wrote it.
#[derive(Debug)]
pub enum GivenNumberProof {
    /// The code that was sent to it.
    Otp {
        /// What otp/send answered.
        challenge: String,
        /// What was typed.
        code: Secret<String>,
    },
    /// A carrier's word.
    Carrier(CarrierProof),
}

/// `type` of a number's proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A code by SMS.
    Otp,
    /// The carrier names the number.
    OneTap,
    /// The carrier confirms it.
    Check,
}

/// Reads a `numberProof` of any kind from the object `name`.
pub fn any(body: &mut Fields, name: &str) -> Option<GivenNumberProof> {
    let mut proof = body.object(name)?;
    let kinds = [("otp", Kind::Otp), ("one_tap", Kind::OneTap), ("check", Kind::Check)];
    let given = proof.choice("type", &kinds).and_then(|kind| of_kind(&mut proof, kind));
    body.absorb(proof);
    given
}

/// Reads what goes with a kind.
pub fn of_kind(proof: &mut Fields, kind: Kind) -> Option<GivenNumberProof> {
    match kind {
        Kind::Otp => otp(proof),
        Kind::OneTap | Kind::Check => carrier(proof, kind == Kind::Check).map(GivenNumberProof::Carrier),
    }
}

/// Reads `challengeId` and `code`.
pub fn code(proof: &mut Fields) -> Option<(String, Secret<String>)> {
    let challenge = proof.text("challengeId", MAX_CHALLENGE);
    challenge.zip(proof.text("code", MAX_CODE).map(typed))
}

fn otp(proof: &mut Fields) -> Option<GivenNumberProof> {
    let (challenge, code) = code(proof)?;
    Some(GivenNumberProof::Otp { challenge, code })
}

fn carrier(proof: &mut Fields, checks: bool) -> Option<CarrierProof> {
    let credential = login::credential(proof);
    let phone = if checks { proof.phone("phone").map(Some) } else { Some(None) };
    let (credential, phone) = credential.zip(phone)?;
    Some(CarrierProof { credential, phone })
}

impl GivenNumberProof {
    /// The same for a journey.
    pub(super) fn as_proof<'a>(&'a self, attempt: Attempt<'a>) -> NumberProof<'a> {
        match self {
            Self::Otp { challenge, code } => NumberProof::Otp(OtpProof { challenge, code, attempt }),
            Self::Carrier(CarrierProof { credential, phone }) => {
                let phone = phone.as_ref();
                NumberProof::Carrier(number_proof::CarrierProof { credential, phone, attempt })
            }
        }
    }
}
