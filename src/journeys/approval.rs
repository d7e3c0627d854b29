//! Login protection, from the owner's side: switched on and off, and sign-ins confirmed on a trusted device.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::GivenDeviceProof,
    own_account::Doer,
    sign_in::{DEVICE_NAME, context},
};
use crate::{
    kernel::{id::ApprovalId, seal::open},
    model::{
        account::{Deed, Outcome, Pending},
        step_up::Digits,
    },
    ports::World,
};

/// A sign-in that waits for a trusted device.
#[derive(Debug)]
pub struct PendingView {
    /// As it is kept.
    pub pending: Pending,
    /// Name of the device that waits.
    pub device_name: String,
    /// Seconds until nobody can answer any more.
    pub expires_in: u64,
}

impl<W: World> Service<'_, W> {
    /// The sign-ins that wait.
    ///
    /// # Errors
    /// `unauthenticated`, by the account's own word; `forbidden` on a device that is not trusted.
    pub async fn approvals(&self, doer: Doer<'_>) -> Result<Vec<PendingView>, Failure> {
        let here = self.here(doer).await?;
        let outcome = self.act(here, doer.place, Deed::LookAtApprovals).await?;
        let Outcome::Approvals { pending } = outcome else { return Err(UNEXPECTED_OUTCOME.into()) };
        let now = self.world.now();
        let views = pending.into_iter().map(|pending| {
            let name =
                open(&self.settings.sealing, &context(here.account, DEVICE_NAME), &pending.profile.name)?;
            Ok(PendingView {
                device_name: String::from_utf8_lossy(name.expose()).into_owned(),
                expires_in: pending.until.since(now).as_secs(),
                pending,
            })
        });
        views.collect()
    }

    /// Answers one of them: the digits that its device shows for a yes, `None` for a no.
    ///
    /// # Errors
    /// As [`Service::approvals`]; `unauthenticated` without a proof of the device's key, if it has one; `not_found` when it does not wait (any more); `proof_failed` for wrong digits, of
    /// which the third entry is a no.
    pub async fn answer_approval(
        &self,
        doer: Doer<'_>,
        approval: ApprovalId,
        digits: Option<Digits>,
        proof: Option<&GivenDeviceProof>,
    ) -> Result<(), Failure> {
        let key = match proof {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        self.carry_out(doer, Deed::Answer { approval, digits, key }).await
    }

    /// Switches login protection on or off.
    ///
    /// # Errors
    /// `unauthenticated`; `reauthentication_required` on a device that may not: to switch it off takes a trusted one.
    pub async fn protect_login(&self, doer: Doer<'_>, enabled: bool) -> Result<(), Failure> {
        self.carry_out(doer, Deed::ProtectLogin(enabled)).await
    }
}
