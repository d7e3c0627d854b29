//! Numbers that somebody who is signed in brings along: another one in place of the account's, and trusted phones.
//!
//! Changing is as binding: the account writes down what it intends, the handle decides, the account hears what was
//! decided. When the new number is the account's, the old one is not, in the same write. A number that leads to another
//! account comes by the rule of those that were sold again, if at all.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::Proven,
    fresh_proof::{FreshProof, Requester, binding_of_session},
    number_proof::NumberProof,
    own_account::{Doer, Here},
    own_profile::AccountView,
    spent::Spent,
    trusted_phones::TrustedPhoneView,
};
use crate::{
    kernel::{fault::Fault, id::AccountId, phone::PhoneNumber, time::Timestamp},
    model::{
        account::{Deed, FormerNumber, Outcome, PhoneChange},
        handle,
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
        ticket::NumberTicket,
    },
    ports::World,
};

/// A number that was wished for, opened for the owner of the account.
#[derive(Debug)]
pub struct PhoneChangeView {
    /// The number.
    pub phone: PhoneNumber,
    /// Since when it is wished for.
    pub requested_at: Timestamp,
    /// From when on it can be taken.
    pub effective_at: Timestamp,
}

/// What becomes of a number that somebody who is signed in has brought.
#[derive(Debug)]
pub enum Brought {
    /// It is the account's.
    Taken,
    /// It waits.
    Waits(PhoneChangeView),
    /// It leads to another account, and may be another person's by now: with this ticket whoever brought it says so. It is good
    /// for so many seconds.
    Asks(String, u64),
}

impl<W: World> Service<'_, W> {
    /// Takes a number, proven by whoever is signed in, in place of the account's. A fresh proof of the account can come
    /// along; without one the number must wait.
    ///
    /// # Errors
    /// `phone_in_use` for one whose proof by another account's owner is young; `try_again` while another change is being
    /// carried out; `reauthentication_required` where there is no number yet, or it leads elsewhere, and no fresh proof;
    /// those of the proofs.
    pub async fn bring_own_number(
        &self,
        from: &Requester<'_>,
        number: &NumberProof<'_>,
        proof: Option<&FreshProof<'_>>,
        spent: &mut Spent,
    ) -> Result<Brought, Failure> {
        let here = self.here(from.doer).await?;
        self.prove_where_stale(here, from, proof, spent).await?;
        let binding = binding_of_session(here);
        let accepted = [Purpose::ChangePhone, Purpose::Bind].map(|purpose| (purpose, binding.as_str()));
        let proven = self.prove_in_session(here, from, number, &accepted, spent).await;
        let proven = proven.map_err(|failure| failure.within("numberProof"))?;
        self.change_phone(here, from, &proven, false).await
    }

    /// The same with the ticket of a number that was proven, by whoever says that the account to which it leads is not theirs.
    ///
    /// # Errors
    /// `ticket_invalid`; those of [`Service::bring_own_number`].
    pub async fn claim_number(
        &self,
        from: &Requester<'_>,
        ticket: &str,
        proof: Option<&FreshProof<'_>>,
        spent: &mut Spent,
    ) -> Result<Brought, Failure> {
        let here = self.here(from.doer).await?;
        let ticket = NumberTicket::read(&self.settings.sealing, ticket);
        let is_good = |known: &NumberTicket| known.session == here.session && self.world.now() < known.until;
        let ticket = ticket.filter(is_good).ok_or(Code::TicketInvalid)?;
        self.prove_where_stale(here, from, proof, spent).await?;
        let proven = Proven::number(self.settings, &ticket.phone, ticket.method);
        self.change_phone(here, from, &proven, true).await
    }

    /// Takes a proof that came along where the session has no fresh one. It counts for the session, so that neither a typing
    /// mistake in the other code nor a repeat asks for another; by what was proven may not lead here any more.
    async fn prove_where_stale(
        &self,
        here: Here,
        from: &Requester<'_>,
        proof: Option<&FreshProof<'_>>,
        spent: &mut Spent,
    ) -> Result<(), Failure> {
        let Some(proof) = proof else { return Ok(()) };
        match self.act(here, from.doer.place, Deed::NeedFreshProof).await {
            Err(Failure::Refusal(refusal)) if refusal.code == Code::ReauthenticationRequired => {
                self.prove_anew(from, proof, spent).await
            }
            fresh => fresh.map(|_| ()),
        }
    }

    /// Trusts a phone, proven by whoever is signed in; `label`: what its owner calls it.
    ///
    /// # Errors
    /// `reauthentication_required` without a fresh proof, or on a device that may name none; `invalid_request` for the
    /// account's own number and for one too many; those of the proofs.
    pub async fn bring_trusted_number(
        &self,
        from: &Requester<'_>,
        number: &NumberProof<'_>,
        proof: Option<&FreshProof<'_>>,
        label: Option<&str>,
        spent: &mut Spent,
    ) -> Result<TrustedPhoneView, Failure> {
        let here = self.here(from.doer).await?;
        self.prove_where_stale(here, from, proof, spent).await?;
        // Before the code is spent.
        self.act(here, from.doer.place, Deed::NeedFreshProof).await?;
        let binding = binding_of_session(here);
        let accepted = [(Purpose::TrustedPhone, binding.as_str())];
        let proven = self.prove_in_session(here, from, number, &accepted, spent).await;
        let proven = proven.map_err(|failure| failure.within("numberProof"))?;
        self.trust_phone(here, from.doer, &proven, label).await
    }

    async fn change_phone(
        &self,
        here: Here,
        from: &Requester<'_>,
        proven: &Proven,
        not_mine: bool,
    ) -> Result<Brought, Failure> {
        let candidate = self.candidate(here.account, proven)?;
        let (handle, proof) = (candidate.identifier.handle.clone(), candidate.proof);
        // Nobody waits for a number that is another's, unless it may have been sold again.
        match self.world.handle(&handle, handle::Operation::Look).await? {
            handle::Outcome::Held(holder) if holder.account != here.account => {
                if let Some(brought) = self.contest(here, from, proven, holder, not_mine).await? {
                    return Ok(brought);
                }
            }
            _ => {}
        }
        match self.act(here, from.doer.place, Deed::ChangePhone(Box::new(candidate))).await? {
            Outcome::Done => Ok(Brought::Taken),
            Outcome::Claiming { claim } => {
                match self.claim_and_settle(here.account, &handle, claim, proof).await? {
                    true => Ok(Brought::Taken),
                    false => Err(Code::PhoneInUse.into()),
                }
            }
            Outcome::PhoneChangeWaits(wish) => {
                Ok(Brought::Waits(self.phone_change_view(here.account, &wish)?))
            }
            Outcome::Limited { retry_after } => {
                Err(Refusal { retry_after: Some(retry_after), ..Refusal::new(Code::TryAgain) }.into())
            }
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Objects to a number that is wished for, or withdraws the wish.
    ///
    /// # Errors
    /// `not_found` where there is none; `reauthentication_required` on a device that is new and did not ask itself.
    pub async fn drop_phone_change(&self, doer: Doer<'_>) -> Result<(), Failure> {
        self.carry_out(doer, Deed::DropPhoneChange).await
    }

    pub(super) fn phone_change_view(
        &self,
        account: AccountId,
        wish: &PhoneChange,
    ) -> Result<PhoneChangeView, Fault> {
        let phone = self.open_phone(account, &wish.value)?;
        Ok(PhoneChangeView { phone, requested_at: wish.requested_at, effective_at: wish.effective_at })
    }

    /// The numbers that an account had, oldest first.
    ///
    /// # Errors
    /// [`Fault`] for one that does not open.
    pub fn former_numbers(&self, account: &AccountView) -> Result<Vec<(PhoneNumber, FormerNumber)>, Fault> {
        let former = account.own.former_numbers.iter();
        former.map(|former| Ok((self.open_phone(account.id, &former.value)?, former.clone()))).collect()
    }
}
