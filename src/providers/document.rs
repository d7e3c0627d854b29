//! What a provider document can say. docs/PROVIDERS.md explains the language to people who write one.
//!
//! Invariant: a [`Document`] that the engine holds has passed `validate`. Shared with the build script.

use serde::{Deserialize, Serialize};

use crate::kernel::table::Table;

use super::{
    countries,
    operation::{Operation, ReceiptRule, Redirect},
    template::Template,
};

/// One provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) certainty: Certainty,
    /// Where the facts come from. For who writes or reviews the document: what is built in does without.
    #[serde(default, skip_serializing)]
    pub(super) sources: Vec<String>,
    /// What an operator's account with the provider consists of.
    pub(super) settings: Table<String, Setting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    one_tap: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_check: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_check: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reassigned: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_status: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    two_factor: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_subject: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_profile: Option<Operation>,
    /// Identity only: where the browser goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redirect: Option<Redirect>,
    /// Identity only: the names under which the vendor knows a person, the widest first. One that rests on an absent
    /// value is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) subjects: Vec<Template>,
    /// OpenID Connect: the URLs are found at the issuer, which signs who it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) discovery: bool,
    /// What the vendor pushes when it knows whether an SMS arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receipt: Option<ReceiptRule>,
}

/// How sure the facts of a document are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Published by the vendor.
    Vendor,
    /// Independent implementations agree.
    Independent,
    /// Neither; off in production until an operator confirms it.
    Assumed,
}

/// What a provider can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Which number belongs to this credential? 一键登录
    OneTap,
    /// Does this number belong to this credential? 本机号码校验
    NumberCheck,
    /// Send this SMS.
    Sms,
    /// Send this e-mail.
    Email,
    /// Is a person behind this? 验证码
    BotCheck,
    /// How risky are this number and address?
    Risk,
    /// Has somebody else got this number since? 二次放号
    Reassigned,
    /// Is this number in use? 号码状态
    NumberStatus,
    /// Is this number in this name? 二要素
    TwoFactor,
    /// Show this on a device. 推送
    Push,
    /// Exchange this code of a third-party login. 第三方登录
    Identity,
    /// Who is that? Where the exchange alone does not say so.
    IdentitySubject,
    /// What do they call themselves, and what do they look like?
    IdentityProfile,
}

/// One value of an operator's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) secret: bool,
    /// Exact number of characters, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_length: Option<usize>,
    /// An account may lack it; fields that rest on it are then left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) optional: bool,
}

impl Document {
    /// The id that clients and accounts name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How sure its facts are.
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Whether the provider can be asked this.
    pub fn offers(&self, capability: Capability) -> bool {
        self.operation(capability).is_some()
    }

    /// Whether it does this for numbers of a country, named by its E.164 country code (`86`).
    pub fn serves_country(&self, capability: Capability, code: &str) -> bool {
        self.operation(capability).is_some_and(|operation| countries::serve(&operation.countries, code))
    }

    /// Whether every account must say where its provider is: many speak this protocol, each at a host of its own, and
    /// the document names one that cannot be (RFC 2606, `invalid`).
    pub(super) fn is_homeless(&self) -> bool {
        let mut operations = Capability::ALL.into_iter().filter_map(|capability| self.operation(capability));
        operations.any(|operation| operation.request.url.source().contains(".invalid/"))
    }

    /// Whether its messages are made of templates that the vendor has registered, not of our text.
    pub fn is_template(&self) -> bool {
        self.sms.as_ref().or(self.email.as_ref()).is_some_and(|message| message.template)
    }

    /// Whether it is OpenID Connect: the issuer, a setting, says where to go, and signs who somebody is.
    pub fn is_openid(&self) -> bool {
        self.discovery
    }

    /// Whether people can be sent there from a browser.
    pub fn redirects(&self) -> bool {
        self.redirect.is_some()
    }

    pub(super) fn operation(&self, capability: Capability) -> Option<&Operation> {
        match capability {
            Capability::OneTap => self.one_tap.as_ref(),
            Capability::NumberCheck => self.number_check.as_ref(),
            Capability::Sms => self.sms.as_ref(),
            Capability::Email => self.email.as_ref(),
            Capability::BotCheck => self.bot_check.as_ref(),
            Capability::Risk => self.risk.as_ref(),
            Capability::Reassigned => self.reassigned.as_ref(),
            Capability::NumberStatus => self.number_status.as_ref(),
            Capability::TwoFactor => self.two_factor.as_ref(),
            Capability::Push => self.push.as_ref(),
            Capability::Identity => self.identity.as_ref(),
            Capability::IdentitySubject => self.identity_subject.as_ref(),
            Capability::IdentityProfile => self.identity_profile.as_ref(),
        }
    }
}

impl Capability {
    /// All capabilities.
    pub const ALL: [Self; 13] = [
        Self::OneTap,
        Self::NumberCheck,
        Self::Sms,
        Self::Email,
        Self::BotCheck,
        Self::Risk,
        Self::Reassigned,
        Self::NumberStatus,
        Self::TwoFactor,
        Self::Push,
        Self::Identity,
        Self::IdentitySubject,
        Self::IdentityProfile,
    ];

    /// Whether it is one of the calls of a third-party login.
    pub(super) const fn is_identity(self) -> bool {
        matches!(self, Self::Identity | Self::IdentitySubject | Self::IdentityProfile)
    }

    /// Whether it brings a message to somebody.
    pub(super) const fn is_message(self) -> bool {
        matches!(self, Self::Sms | Self::Email)
    }

    /// Whether it asks a carrier or a register about a number.
    pub(super) const fn is_inquiry(self) -> bool {
        matches!(self, Self::Reassigned | Self::NumberStatus | Self::TwoFactor)
    }

    /// Whether it is done for numbers of some countries and not of others.
    pub(super) const fn has_countries(self) -> bool {
        matches!(self, Self::Sms) || self.is_inquiry()
    }

    /// Whether several accounts share the work.
    pub(super) const fn is_shared(self) -> bool {
        self.is_message() || self.is_inquiry()
    }

    /// The words of `verdict`: those that need values, and those that may have some.
    pub(super) const fn verdicts(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::NumberCheck => (&["match", "mismatch"], &[]),
            Self::TwoFactor => (&["match", "mismatch"], &["unknown"]),
            Self::Reassigned => (&["reassigned", "not_reassigned"], &["cancelled", "unknown"]),
            Self::NumberStatus => (&["active"], &["suspended", "off", "vacant", "unknown"]),
            _ => (&[], &[]),
        }
    }

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneTap => "one_tap",
            Self::NumberCheck => "number_check",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::BotCheck => "bot_check",
            Self::Risk => "risk",
            Self::Reassigned => "reassigned",
            Self::NumberStatus => "number_status",
            Self::TwoFactor => "two_factor",
            Self::Push => "push",
            Self::Identity => "identity",
            Self::IdentitySubject => "identity_subject",
            Self::IdentityProfile => "identity_profile",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}
