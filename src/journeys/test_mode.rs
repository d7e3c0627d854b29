//! API keys in test mode. They reach no provider, and nobody but the test numbers (`REVIEW_NUMBERS`): whatever such
//! a key asks, the answer is as if there were nobody else.

use super::{
    Failure, Service,
    provider::{Caller, Credential},
};
use crate::{
    kernel::{id::AccountId, phone::PhoneNumber},
    model::{
        api_key::Mode,
        refusal::{Code, Refusal},
    },
    ports::World,
    providers::Capability,
};

/// What stands before the number in the `token` of a credential that needs no carrier.
const TEST_TOKEN: &str = "test-";

impl<W: World> Service<'_, W> {
    /// Whether a backend may learn of a number. This is the one rule of test mode.
    pub(super) fn is_within_reach(&self, mode: Mode, phone: &PhoneNumber) -> bool {
        match mode {
            Mode::Live => true,
            Mode::Test => self.settings.review_numbers.iter().any(|number| number.phone == *phone),
        }
    }

    /// Whether a backend may learn of an account: by the number that the account has now.
    ///
    /// # Errors
    /// A fault: not known.
    pub(super) async fn is_account_within_reach(
        &self,
        mode: Mode,
        account: AccountId,
    ) -> Result<bool, Failure> {
        match mode {
            // Not worth a look.
            Mode::Live => Ok(true),
            Mode::Test => {
                let phone = self.number_of(account).await?;
                Ok(phone.is_some_and(|phone| self.is_within_reach(mode, &phone)))
            }
        }
    }

    /// The number that a credential of test mode stands for. It can be exchanged again and again.
    ///
    /// # Errors
    /// `invalid_request` for a provider or app that there is not; `one_tap_rejected` for anything but a test number.
    pub(super) fn test_number(
        &self,
        credential: &Credential,
        caller: &Caller<'_>,
    ) -> Result<PhoneNumber, Failure> {
        self.document(Capability::OneTap, credential, caller)?;
        let token = credential.fields.get("token").map_or("", |token| token.expose());
        let number = token.strip_prefix(TEST_TOKEN).and_then(|text| PhoneNumber::parse(text).ok());
        let number = number.filter(|phone| self.is_within_reach(Mode::Test, phone));
        number.ok_or_else(|| Refusal::to_otp(Code::OneTapRejected).into())
    }
}
