//! What a code by SMS or e-mail is asked for.

use serde::{Deserialize, Serialize};

/// A purpose. A code sent for one is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Signing in or registering.
    Login,
    /// Binding the number or address to an account.
    Bind,
    /// Making it the account's number instead of another.
    ChangePhone,
    /// Setting a new password.
    ResetPassword,
    /// Adding it to the account's trusted phones.
    TrustedPhone,
    /// Proving more within a step-up.
    StepUp,
    /// Checking the real name against it.
    RealName,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Bind,
        Self::ChangePhone,
        Self::ResetPassword,
        Self::TrustedPhone,
        Self::StepUp,
        Self::RealName,
    ];

    /// The name in requests and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Bind => "bind",
            Self::ChangePhone => "change_phone",
            Self::ResetPassword => "reset_password",
            Self::TrustedPhone => "trusted_phone",
            Self::StepUp => "step_up",
            Self::RealName => "real_name",
        }
    }

    /// The purpose as one byte, as sealed references hold it; never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Login => 1,
            Self::Bind => 2,
            Self::ChangePhone => 3,
            Self::ResetPassword => 4,
            Self::TrustedPhone => 5,
            Self::StepUp => 6,
            Self::RealName => 7,
        }
    }

    /// Whether a code for it may go to an e-mail address: mail proves an address and nothing that takes an account over.
    pub const fn goes_by_email(self) -> bool {
        matches!(self, Self::Bind | Self::StepUp)
    }

    /// The reverse of [`Purpose::number`].
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.number() == number)
    }
}
