//! A trusted device says yes. Its word comes by the question that stands, not by who waits.

use super::{Account, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};
use crate::model::device::{Device, Trust};

pub(super) struct ByDevice;

impl OwnerProof for ByDevice {
    fn kind(&self) -> ProofKind {
        ProofKind::DeviceApproval
    }

    fn is_there(&self, account: &Account, step_up: &StepUp, rules: &Rules, now: Timestamp) -> bool {
        let speaks = |known: &&Device| account.trust_of(known.id, rules, now) == Trust::Trusted;
        account.devices.iter().filter(speaks).any(|known| !account.waits_on(step_up, known.id))
    }

    fn is_right(&self, _: &Account, _: &Proof, _: &Rules, _: Timestamp) -> bool {
        false
    }
}
