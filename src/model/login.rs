//! How somebody proved who they are.

use serde::{Deserialize, Serialize};

/// The way of a proof, as it stands in `amr` of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The carrier named the number of the SIM (一键登录).
    OneTap,
    /// The carrier confirmed that the SIM has the number typed (本机号码校验).
    NumberCheck,
    /// A code by SMS.
    Otp,
    /// More was proven than a number: in `amr` besides one of the others.
    StepUp,
}

impl Method {
    /// The name in tokens and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneTap => "one_tap",
            Self::NumberCheck => "number_check",
            Self::Otp => "otp",
            Self::StepUp => "step_up",
        }
    }
}
