//! Whether it is known who the owner of an account is by law.

use serde::{Deserialize, Serialize};

/// Whether it is known who the owner of an account is (实名).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RealName {
    /// It is not.
    #[default]
    None,
    /// Their name was compared with an official register.
    Verified,
}

impl RealName {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Verified => "verified",
        }
    }

    /// Whether nothing is known.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
