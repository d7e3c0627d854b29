//! Trusted phones: named and removed by their owner.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::Proven,
    own_account::{Doer, Here},
    sealed::{TRUSTED_PHONE, TRUSTED_PHONE_LABEL},
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, TrustedPhoneId},
        phone::PhoneNumber,
        time::Timestamp,
    },
    model::{
        account::{Deed, Outcome, TrustedPhone},
        refusal::Refusal,
    },
    ports::World,
};

/// A trusted phone, opened for the owner of the account.
#[derive(Debug)]
pub struct TrustedPhoneView {
    /// Its id.
    pub id: TrustedPhoneId,
    /// Its number.
    pub phone: PhoneNumber,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was last proven.
    pub proven_at: Timestamp,
}

impl<W: World> Service<'_, W> {
    /// Trusts a phone that was proven, or notes that it was proven again.
    pub(super) async fn trust_phone(
        &self,
        here: Here,
        doer: Doer<'_>,
        proven: &Proven,
        label: Option<&str>,
    ) -> Result<TrustedPhoneView, Failure> {
        let account = here.account;
        let label =
            label.map(|label| self.seal_for(account, TRUSTED_PHONE_LABEL, label.as_bytes())).transpose()?;
        let phone = TrustedPhone {
            id: TrustedPhoneId::from_bytes(self.fresh()?),
            name: proven.handle.clone(),
            value: self.seal_for(account, TRUSTED_PHONE, proven.value.expose().as_bytes())?,
            label,
            proven_at: self.world.now(),
        };
        let of_number = |problem| Err(Refusal::field("numberProof", problem).into());
        match self.act(here, doer.place, Deed::TrustPhone(Box::new(phone))).await? {
            Outcome::PhoneTrusted(phone) => Ok(self.trusted_phone_view(account, &phone)?),
            Outcome::OwnNumber => of_number(OWN_NUMBER),
            Outcome::TooManyPhones => of_number(TOO_MANY),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Trusts a phone no more.
    ///
    /// # Errors
    /// `not_found`; `reauthentication_required`.
    pub async fn distrust_phone(&self, doer: Doer<'_>, phone: TrustedPhoneId) -> Result<(), Failure> {
        self.carry_out(doer, Deed::DistrustPhone(phone)).await
    }

    pub(super) fn trusted_phone_views(
        &self,
        account: AccountId,
        phones: &[TrustedPhone],
    ) -> Result<Vec<TrustedPhoneView>, Fault> {
        phones.iter().map(|phone| self.trusted_phone_view(account, phone)).collect()
    }

    fn trusted_phone_view(
        &self,
        account: AccountId,
        phone: &TrustedPhone,
    ) -> Result<TrustedPhoneView, Fault> {
        let label = phone.label.as_ref();
        Ok(TrustedPhoneView {
            id: phone.id,
            phone: self.open_number(account, TRUSTED_PHONE, &phone.value)?,
            label: label.map(|label| self.open_text(account, TRUSTED_PHONE_LABEL, label)).transpose()?,
            proven_at: phone.proven_at,
        })
    }
}

const OWN_NUMBER: &str = "is of the account's own number: whoever has that could confirm themselves";

const TOO_MANY: &str = "is of one phone too many: another must be removed first";
