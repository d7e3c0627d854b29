//! The owner objects to losing the number, and sees who waits for it and where it went: not to whom.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    appeals::{CaseView, conflict},
    own_account::Doer,
    own_profile::AccountView,
    sign_in::again_if_lost,
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, CaseId},
        phone::PhoneNumber,
        time::Timestamp,
    },
    model::{
        account::{Deed, FormerNumber, Operation, Outcome},
        case::{Case, Matter, Rival},
        handle::{self, HandleName, Parting},
        recycling::OBJECTION_AFTER,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// A number that somebody else waits for, or has.
#[derive(Debug)]
pub struct NumberClaimView {
    /// The number.
    pub phone: PhoneNumber,
    /// `waits`, `objected` or `lost`.
    pub state: &'static str,
    /// When it was claimed; `None`: it went without a claim.
    pub requested_at: Option<Timestamp>,
    /// When it goes, or went.
    pub effective_at: Timestamp,
    /// Until when its owner can object.
    pub object_until: Timestamp,
    /// The objection.
    pub objection: Option<CaseView>,
}

impl<W: World> Service<'_, W> {
    /// Objects to losing the number, to somebody who waits for it or since it went.
    ///
    /// # Errors
    /// `not_found` where there is nothing to object to; `reauthentication_required` on a new device.
    pub async fn object(&self, doer: Doer<'_>) -> Result<CaseView, Failure> {
        let here = self.here(doer).await?;
        let own = self.own_profile_of(here, doer.place).await?;
        // 1. Where a number went, its handle alone knows.
        let mut rival = None;
        if let (None, Some(lost)) = (&own.number_claim, lost(&own.former_numbers))
            && let handle::Outcome::Held(holder) =
                self.world.handle(&lost.handle, handle::Operation::Look).await?
        {
            let (account, since) = (holder.account, holder.since);
            rival = Some(Rival { account, since }).filter(|rival| rival.account != here.account);
        }
        // 2. The account decides.
        let deed = Deed::Object { case: CaseId::from_bytes(self.fresh()?), rival };
        match self.act(here, doer.place, deed).await? {
            Outcome::Case(case) => Ok(self.case_view(here.account, *case)?),
            Outcome::Limited { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Who waits for the number, and where numbers went lately.
    ///
    /// # Errors
    /// [`Fault`] for what does not open.
    pub fn number_claims(&self, account: &AccountView) -> Result<Vec<NumberClaimView>, Fault> {
        let (own, mut views) = (&account.own, Vec::new());
        if let (Some(claim), Some(phone)) = (&own.number_claim, &account.phone) {
            views.push(NumberClaimView {
                phone: phone.clone(),
                state: if claim.objected_at.is_some() { "objected" } else { "waits" },
                requested_at: Some(claim.requested_at),
                effective_at: claim.effective_at,
                object_until: claim.until,
                objection: self.objection(account, &claim.handle, claim.requested_at)?,
            });
        }
        for lost in own.former_numbers.iter().rev().filter(|known| known.cause == Parting::Reassigned) {
            views.push(NumberClaimView {
                phone: self.open_phone(account.id, &lost.value)?,
                state: "lost",
                requested_at: None,
                effective_at: lost.until,
                object_until: lost.until.plus(OBJECTION_AFTER),
                objection: self.objection(account, &lost.handle, lost.until)?,
            });
        }
        Ok(views)
    }

    fn objection(
        &self,
        account: &AccountView,
        handle: &HandleName,
        since: Timestamp,
    ) -> Result<Option<CaseView>, Fault> {
        let is_it = |known: &&Case| match &known.matter {
            Matter::Objection(objection) => objection.handle == *handle && since <= known.opened_at,
            _ => false,
        };
        account
            .own
            .cases
            .iter()
            .rev()
            .find(is_it)
            .map(|case| self.case_view(account.id, case.clone()))
            .transpose()
    }

    /// Carries out that an account has a number back. The handle decides in one step, so that nobody comes in between; who
    /// had it hears of it last, and until then is asked like anybody who proves it.
    pub(super) async fn take_back(
        &self,
        handle: &HandleName,
        account: AccountId,
        claim: u64,
        rival: Option<AccountId>,
    ) -> Result<(), Fault> {
        let back = handle::Operation::TakeBack { account, claim, rival };
        let take = async || self.world.handle(handle, back.clone()).await;
        // 1. The handle.
        let mut decided = again_if_lost(take).await?;
        if let handle::Outcome::Held(holder) = &decided
            && holder.account != account
            && self.free_if_stray(handle, holder).await?
        {
            decided = again_if_lost(take).await?;
        }
        let is_back = match &decided {
            handle::Outcome::TakenFrom { .. } => true,
            handle::Outcome::Held(holder) => holder.account == account,
            _ => return Err(UNEXPECTED_OUTCOME),
        };
        // 2. Who has it back, or has not.
        let rules = self.settings.account_rules();
        let settle = Operation::SettleReturn { account, handle: handle.clone(), claim, is_back, rules };
        again_if_lost(async || self.world.account(account, settle.clone()).await).await?;
        // 3. Who has it no more.
        if let handle::Outcome::TakenFrom { account, claim } = decided {
            let give_back = Operation::GiveBack { account, handle: handle.clone(), claim, rules };
            self.world.account(account, give_back).await?;
        }
        Ok(())
    }

    /// Refuses an appeal for the own account.
    ///
    /// # Errors
    /// `not_found`; `reauthentication_required` on a new device; `case_conflict` once somebody has come in by it.
    pub async fn refuse_appeal(&self, doer: Doer<'_>, id: &str) -> Result<(), Failure> {
        let here = self.here(doer).await?;
        let case = self.read_case_ref(id)?;
        if case.account != here.account {
            return Err(Code::NotFound.into());
        }
        match self.act(here, doer.place, Deed::RefuseAppeal(case.id)).await? {
            Outcome::CaseDecided => Err(conflict()),
            _ => Ok(()),
        }
    }
}

fn lost(former: &[FormerNumber]) -> Option<&FormerNumber> {
    former.iter().rev().find(|known| known.cause == Parting::Reassigned)
}
