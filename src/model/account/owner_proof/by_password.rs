//! The account's password.

use super::{Account, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};

pub(super) struct ByPassword;

impl OwnerProof for ByPassword {
    fn kind(&self) -> ProofKind {
        ProofKind::Password
    }

    fn is_there(&self, account: &Account, _: &StepUp, _: &Rules, _: Timestamp) -> bool {
        account.password.is_some()
    }

    fn is_right(&self, account: &Account, proof: &Proof, _: &Rules, _: Timestamp) -> bool {
        let set_at = account.password.as_ref().map(|password| Proof::Password(password.set_at));
        set_at.as_ref() == Some(proof)
    }
}
