//! The name and the ID number that the account was verified with. Others may know them, so they never suffice alone.

use super::{Account, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};

pub(super) struct ByName;

impl OwnerProof for ByName {
    fn kind(&self) -> ProofKind {
        ProofKind::NameId
    }

    fn is_there(&self, account: &Account, _: &StepUp, _: &Rules, _: Timestamp) -> bool {
        account.verified.as_ref().is_some_and(|verified| verified.id.is_some())
    }

    fn is_right(&self, account: &Account, proof: &Proof, _: &Rules, _: Timestamp) -> bool {
        let id = account.verified.as_ref().and_then(|verified| verified.id.as_ref());
        matches!(proof, Proof::NameId(given) if Some(given) == id)
    }
}
