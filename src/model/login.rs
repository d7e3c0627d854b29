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
    /// A code by e-mail. Nobody signs in by it.
    Email,
    /// The account's password.
    #[serde(rename = "pwd")]
    Password,
    /// An account with 微信.
    #[serde(rename = "wechat")]
    WeChat,
    /// An account with QQ.
    #[serde(rename = "qq")]
    Qq,
    /// An account with 微博.
    Weibo,
    /// An account with an OpenID Connect provider.
    Oidc,
    /// The word of whoever kept the account before us. Nobody signs in by it.
    Imported,
    /// More was proven than a number: in `amr` besides one of the others.
    StepUp,
}

impl Method {
    /// That of an identity provider, by what clients call it.
    pub fn of_identity(kind: &str) -> Self {
        match kind {
            "wechat" => Self::WeChat,
            "qq" => Self::Qq,
            "weibo" => Self::Weibo,
            _ => Self::Oidc,
        }
    }

    /// Whether the carrier vouches, without anything that its user typed.
    pub const fn is_of_carrier(self) -> bool {
        matches!(self, Self::OneTap | Self::NumberCheck)
    }

    /// The name in tokens and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneTap => "one_tap",
            Self::NumberCheck => "number_check",
            Self::Otp => "otp",
            Self::Email => "email",
            Self::Password => "pwd",
            Self::WeChat => "wechat",
            Self::Qq => "qq",
            Self::Weibo => "weibo",
            Self::Oidc => "oidc",
            Self::Imported => "imported",
            Self::StepUp => "step_up",
        }
    }
}
