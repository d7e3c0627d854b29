//! `numberProof`: that the client has the SIM of a number.

use super::{body::Fields, login};
use crate::{journeys::provider::Credential, kernel::phone::PhoneNumber};

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
    let names_number = proof.choice("type", &[("one_tap", true), ("check", false)]);
    let credential = login::credential(&mut proof);
    let phone = match names_number {
        Some(false) => proof.phone("phone").map(Some),
        _ => Some(None),
    };
    body.absorb(proof);
    let (credential, phone) = credential.zip(phone)?;
    Some(CarrierProof { credential, phone })
}
