//! A trusted device says yes. Its word comes by the question that stands, not by who waits.

use super::{Account, OwnerProof, Proof, ProofKind, Rules, Timestamp};

pub(super) struct ByDevice;

impl OwnerProof for ByDevice {
    fn kind(&self) -> ProofKind {
        ProofKind::DeviceApproval
    }

    fn is_there(&self, account: &Account, rules: &Rules, now: Timestamp) -> bool {
        account.has_trusted_device(rules, now)
    }

    fn is_right(&self, _: &Account, _: &Proof, _: &Rules, _: Timestamp) -> bool {
        false
    }
}
