//! Whether it is known who the owner of an account is by law.

use serde::{Deserialize, Serialize};

use crate::kernel::seal::Sealed;

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

/// By what it is known. Nobody is shown it; it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The name.
    pub name: Sealed,
    /// Keyed digest of the ID number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
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
