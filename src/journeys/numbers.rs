//! Numbers that somebody who is signed in brings along: another one in place of the account's, and trusted phones.
//!
//! Changing is as binding: the account writes down what it intends, the handle decides, the account hears what was
//! decided. When the new number is the account's, the old one is not, in the same write.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::Proven,
    fresh_proof::{FreshProof, From, binding_of_session},
    number_proof::{AfterRedeem, NumberProof},
    own_account::{Doer, Here},
    own_profile::AccountView,
    trusted_phones::TrustedPhoneView,
};
use crate::{
    kernel::{fault::Fault, id::AccountId, phone::PhoneNumber, time::Timestamp},
    model::{
        account::{Deed, FormerNumber, Outcome, PhoneChange},
        handle,
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
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

/// What a number shall become.
#[derive(Debug, Clone, Copy)]
pub enum Aim<'a> {
    /// The account's, in place of the one that it has.
    Own,
    /// That of a trusted phone, which its owner calls so.
    Trusted(Option<&'a str>),
}

/// What became of it.
#[derive(Debug)]
pub enum Brought {
    /// It is the account's.
    Own,
    /// It may be, later.
    Wished(PhoneChangeView),
    /// It is trusted.
    Trusted(TrustedPhoneView),
}

impl<W: World> Service<'_, W> {
    /// Takes a number, proven by whoever is signed in, for what it shall become. A fresh proof of the account can come
    /// along. Without one another number must wait, and no phone is trusted.
    ///
    /// # Errors
    /// `phone_in_use`; `try_again` while another change is being carried out; for a trusted phone
    /// `reauthentication_required` without a fresh proof, or on a device that may name none, and `invalid_request` for the
    /// account's own number and for one too many; those of the proofs.
    pub async fn bring_number(
        &self,
        from: &From<'_>,
        number: &NumberProof<'_>,
        proof: Option<&FreshProof<'_>>,
        aim: Aim<'_>,
    ) -> Result<(Brought, [Option<AfterRedeem>; 2]), Failure> {
        // A proof counts for the session, so that a typing mistake in the other code does not cost it.
        let first = match proof {
            Some(proof) => self.prove_anew(from, proof).await?,
            None => None,
        };
        let here = self.here(from.doer).await?;
        let purposes = match aim {
            Aim::Own => [Purpose::ChangePhone, Purpose::Bind],
            Aim::Trusted(_) => {
                // Before the code is spent.
                self.act(here, from.doer.place, Deed::NeedFreshProof).await?;
                [Purpose::TrustedPhone, Purpose::TrustedPhone]
            }
        };
        let binding = binding_of_session(here);
        let accepted = purposes.map(|purpose| (purpose, binding.as_str()));
        let (proven, second) = self.prove_in_session(here, from, number, &accepted).await?;
        let brought = match aim {
            Aim::Own => self.change_phone(here, from.doer, &proven).await?,
            Aim::Trusted(label) => Brought::Trusted(self.trust_phone(here, from.doer, &proven, label).await?),
        };
        Ok((brought, [first, second]))
    }

    async fn change_phone(&self, here: Here, doer: Doer<'_>, proven: &Proven) -> Result<Brought, Failure> {
        let candidate = self.candidate(here.account, proven)?;
        let (handle, proof) = (candidate.identifier.handle.clone(), candidate.proof);
        // Nobody waits for a number that is another's.
        match self.world.handle(&handle, handle::Operation::Look).await? {
            handle::Outcome::Held(holder) if holder.account != here.account => {
                return Err(Code::PhoneInUse.into());
            }
            _ => {}
        }
        match self.act(here, doer.place, Deed::ChangePhone(Box::new(candidate))).await? {
            Outcome::Done => Ok(Brought::Own),
            Outcome::Claiming if self.claim_for(here.account, &handle, proof).await? => Ok(Brought::Own),
            Outcome::Claiming => Err(Code::PhoneInUse.into()),
            Outcome::Profile(own) => {
                let wish = own.phone_change.as_ref().ok_or(UNEXPECTED_OUTCOME)?;
                Ok(Brought::Wished(self.phone_change_view(here.account, wish)?))
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
