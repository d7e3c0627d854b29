//! What accounts keep of people, sealed so that it opens as itself only, and for its account only.

use super::Service;
use crate::{
    kernel::{
        fault::Fault,
        id::AccountId,
        phone::PhoneNumber,
        seal::{NONCE_BYTES, Sealed, open, seal},
        secret::Secret,
    },
    model::handle,
    ports::World,
};

/// What a value of an account is sealed for: it does not open as another value, or another account's.
pub(super) fn context(account: AccountId, what: &str) -> String {
    format!("{what}:{account}")
}

/// The `what` of a device's name.
pub(super) const DEVICE_NAME: &str = "device-name";

/// The `what` of a device's push token.
pub(super) const PUSH_TOKEN: &str = "push-token";

/// The `what` of the number of a trusted phone.
pub(super) const TRUSTED_PHONE: &str = "trusted-phone";

/// The `what` of what its owner calls it.
pub(super) const TRUSTED_PHONE_LABEL: &str = "trusted-phone-label";

/// The `what` of the name of an account's owner.
pub(super) const DISPLAY_NAME: &str = "display-name";

/// The `what` of where their picture is.
pub(super) const AVATAR_URL: &str = "avatar-url";

/// The `what` of their language.
pub(super) const LOCALE: &str = "locale";

/// The `what` of a fact that the app knows of them.
pub(super) const FACT: &str = "fact";

/// The `what` of a round of questions to who may be them.
pub(super) const ROUND: &str = "round";

/// The `what` of the name of a person of whom it is known who they are.
pub(super) const VERIFIED_NAME: &str = "verified-name";

/// What the keyed digest of an ID number is made for.
pub(super) const ID_NUMBER: &str = "id-number";

/// The `what` of their password.
pub(super) const PASSWORD: &str = "password";

/// The `what` of what somebody tells in an appeal.
pub(super) const APPEAL: &str = "appeal";

/// The `what` of an image of an appeal.
pub(super) const APPEAL_IMAGE: &str = "appeal-image";

/// The `what` of why a case was decided so.
pub(super) const CASE_REASON: &str = "case-reason";

impl<W: World> Service<'_, W> {
    /// The number that an account keeps.
    pub(super) fn open_phone(&self, account: AccountId, number: &Sealed) -> Result<PhoneNumber, Fault> {
        self.open_number(account, handle::PHONE, number)
    }

    /// A number that an account keeps for that.
    pub(super) fn open_number(
        &self,
        account: AccountId,
        what: &str,
        number: &Sealed,
    ) -> Result<PhoneNumber, Fault> {
        let text = Secret::new(self.open_text(account, what, number)?);
        PhoneNumber::parse(text.expose()).map_err(|_| NOT_A_NUMBER)
    }

    /// A text that an account keeps.
    pub(super) fn open_text(&self, account: AccountId, what: &str, sealed: &Sealed) -> Result<String, Fault> {
        let bytes = open(&self.settings.sealing, &context(account, what), sealed)?;
        String::from_utf8(bytes.expose().clone()).map_err(|_| NOT_A_TEXT)
    }

    pub(super) fn seal_for(&self, account: AccountId, what: &str, plain: &[u8]) -> Result<Sealed, Fault> {
        seal(&self.settings.sealing, self.fresh::<NONCE_BYTES>()?, &context(account, what), plain)
    }
}

const NOT_A_TEXT: Fault = Fault::new("sealed_text_is_none");

const NOT_A_NUMBER: Fault = Fault::new("sealed_number_is_none");
