//! The account as its owner sees it: profile, export, and its end.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    binding::IdentifierView,
    numbers::PhoneChangeView,
    own_account::{Doer, View},
    sealed::{AVATAR_URL, DISPLAY_NAME, LOCALE, VERIFIED_NAME},
    trusted_phones::TrustedPhoneView,
};
use crate::{
    kernel::{fault::Fault, id::AccountId, phone::PhoneNumber, seal::Sealed, time::Timestamp},
    model::account::{Change, Deed, FormerNumber, Identifier, Outcome, OwnProfile, ProfileChange},
    ports::World,
};

/// Longest name, characters.
pub const MAX_DISPLAY_NAME: usize = 64;

/// Longest URL of a picture, characters.
pub const MAX_AVATAR_URL: usize = 1024;

/// An account, opened for its owner.
#[derive(Debug)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// As it is kept.
    pub own: OwnProfile,
    /// Its number.
    pub phone: Option<PhoneNumber>,
    /// What leads to it.
    pub identities: Vec<IdentifierView>,
    /// Other names of these, which third parties use for the same person.
    pub aliases: Vec<IdentifierView>,
    /// How its owner wants to be called.
    pub display_name: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// Their language and region.
    pub locale: Option<String>,
    /// Another number that is wished for.
    pub phone_change: Option<PhoneChangeView>,
    /// Trusted phones.
    pub trusted_phones: Vec<TrustedPhoneView>,
}

/// A change of the profile: each part stays (`None`), goes, or becomes something else.
#[derive(Debug, Default)]
pub struct ProfileEdit {
    /// How its owner wants to be called.
    pub display_name: Option<Option<String>>,
    /// Where their picture is.
    pub avatar_url: Option<Option<String>>,
    /// Their language and region.
    pub locale: Option<Option<String>>,
}

/// Everything that is kept of an account.
#[derive(Debug)]
pub struct Export {
    /// The account.
    pub account: AccountView,
    /// Numbers that it had, in clear.
    pub former_numbers: Vec<(PhoneNumber, FormerNumber)>,
    /// The name by which it is known who its owner is, masked.
    pub verified_name: Option<String>,
    /// Devices, sessions, login history, and what the app says.
    pub view: View,
}

impl<W: World> Service<'_, W> {
    /// The account.
    ///
    /// # Errors
    /// `unauthenticated`, by the account's own word.
    pub async fn account(&self, doer: Doer<'_>) -> Result<AccountView, Failure> {
        let here = self.here(doer).await?;
        let own = self.own_profile_of(here, doer.place).await?;
        Ok(self.account_view(here.account, own)?)
    }

    /// Changes the profile.
    ///
    /// # Errors
    /// As [`Service::account`].
    pub async fn change_profile(&self, doer: Doer<'_>, edit: ProfileEdit) -> Result<(), Failure> {
        let here = self.here(doer).await?;
        let change = |what, edit: Option<Option<String>>| -> Result<Change, Fault> {
            Ok(match edit {
                None => Change::Keep,
                Some(None) => Change::Clear,
                Some(Some(text)) => Change::Set(self.seal_for(here.account, what, text.as_bytes())?),
            })
        };
        let change = ProfileChange {
            display_name: change(DISPLAY_NAME, edit.display_name)?,
            avatar_url: change(AVATAR_URL, edit.avatar_url)?,
            locale: change(LOCALE, edit.locale)?,
        };
        self.act(here, doer.place, Deed::ChangeProfile(Box::new(change))).await.map(|_| ())
    }

    /// Everything that is kept.
    ///
    /// # Errors
    /// As [`Service::account`]; `reauthentication_required`.
    pub async fn export(&self, doer: Doer<'_>) -> Result<Export, Failure> {
        let account = self.account(doer).await?;
        let view = self.export_history(doer).await?;
        let name = view.seen.verified.as_ref().map(|name| self.open_text(account.id, VERIFIED_NAME, name));
        let verified_name = name.transpose()?.map(|name| masked(&name));
        Ok(Export { former_numbers: self.former_numbers(&account)?, account, verified_name, view })
    }

    /// Deletes the account: its ways in stop at once, its data goes after a grace.
    ///
    /// # Errors
    /// As [`Service::account`]; `reauthentication_required`. When its data goes.
    pub async fn delete_account(&self, doer: Doer<'_>) -> Result<Timestamp, Failure> {
        let here = self.here(doer).await?;
        match self.act(here, doer.place, Deed::Delete).await? {
            Outcome::Closing { until } => Ok(until),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    fn account_view(&self, id: AccountId, own: OwnProfile) -> Result<AccountView, Fault> {
        let text = |what, sealed: &Option<Sealed>| {
            sealed.as_ref().map(|sealed| self.open_text(id, what, sealed)).transpose()
        };
        let phone = own.identifiers.iter().find(|known| known.handle.is_phone());
        let views = |known: &[Identifier]| {
            known.iter().map(|known| self.identity(id, known)).collect::<Result<_, Fault>>()
        };
        let wish = own.phone_change.as_ref();
        Ok(AccountView {
            id,
            phone_change: wish.map(|wish| self.phone_change_view(id, wish)).transpose()?,
            trusted_phones: self.trusted_phone_views(id, &own.trusted_phones)?,
            phone: phone.map(|phone| self.open_phone(id, &phone.value)).transpose()?,
            identities: views(&own.identifiers)?,
            aliases: views(&own.aliases)?,
            display_name: text(DISPLAY_NAME, &own.profile.display_name)?,
            avatar_url: text(AVATAR_URL, &own.profile.avatar_url)?,
            locale: text(LOCALE, &own.profile.locale)?,
            own,
        })
    }
}

/// A name of which the first character is shown, unless that is all.
fn masked(name: &str) -> String {
    let shown = if name.chars().count() > 1 { 1 } else { 0 };
    (0..).zip(name.chars()).map(|(at, c)| if at < shown { c } else { '*' }).collect()
}
