//! A trusted phone gets a code. Its number may be sold again too, so one that was not proven lately is not asked.

use super::{Account, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};

pub(super) struct ByPhone;

impl OwnerProof for ByPhone {
    fn kind(&self) -> ProofKind {
        ProofKind::TrustedPhone
    }

    fn is_there(&self, account: &Account, _: &StepUp, rules: &Rules, now: Timestamp) -> bool {
        account.phones_to_ask(rules, now).next().is_some()
    }

    fn is_right(&self, account: &Account, proof: &Proof, rules: &Rules, now: Timestamp) -> bool {
        matches!(proof, Proof::Phone(name) if account.phones_to_ask(rules, now).any(|phone| phone.name == *name))
    }
}
