//! What a person says about themselves, and what the account says about its own.

use serde::{Deserialize, Serialize};

use super::{Account, FormerNumber, Identifier, NumberClaim, PhoneChange, RealName, TrustedPhone};
use crate::{
    kernel::{id::SessionId, seal::Sealed, time::Timestamp},
    model::{case::Case, platform::Platform},
};

/// Profile, sealed for its account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How they want to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Sealed>,
    /// Where their picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<Sealed>,
    /// Language and region (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Sealed>,
}

/// What becomes of one part of the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It stays.
    Keep,
    /// It goes.
    Clear,
    /// It is that from now on.
    Set(Sealed),
}

/// A change of the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// Of the name.
    pub display_name: Change,
    /// Of the picture.
    pub avatar_url: Change,
    /// Of language and region.
    pub locale: Change,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnProfile {
    /// The app in which it is looked at.
    pub app: String,
    /// The kind of client.
    pub platform: Platform,
    /// Since when there is an account.
    pub created_at: Timestamp,
    /// What leads to it.
    pub identifiers: Vec<Identifier>,
    /// Other names of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Identifier>,
    /// Profile.
    pub profile: Profile,
    /// When the password was set, if there is one.
    pub password_set_at: Option<Timestamp>,
    /// By which attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_attempt: Option<String>,
    /// Numbers that it had, oldest first.
    pub former_numbers: Vec<FormerNumber>,
    /// Whether it is known who its owner is.
    #[serde(default)]
    pub real_name: RealName,
    /// Another number that is wished for.
    pub phone_change: Option<PhoneChange>,
    /// Trusted phones, oldest first.
    pub trusted_phones: Vec<TrustedPhone>,
    /// Somebody else waits for the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_claim: Option<NumberClaim>,
    /// Objections and appeals, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
}

impl Profile {
    /// Whether nothing is said.
    pub const fn is_empty(&self) -> bool {
        self.display_name.is_none() && self.avatar_url.is_none() && self.locale.is_none()
    }
}

impl Change {
    fn apply(self, to: &mut Option<Sealed>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

impl Account {
    pub(super) fn change_profile(&mut self, change: ProfileChange) {
        change.display_name.apply(&mut self.profile.display_name);
        change.avatar_url.apply(&mut self.profile.avatar_url);
        change.locale.apply(&mut self.profile.locale);
    }

    pub(super) fn own_profile(&self, session: SessionId) -> OwnProfile {
        let session = self.sessions.iter().find(|known| known.id == session);
        let device =
            self.devices.iter().find(|known| session.is_some_and(|session| session.device == known.id));
        OwnProfile {
            app: session.map(|session| session.app.clone()).unwrap_or_default(),
            platform: device.map_or(Platform::Web, |device| device.profile.platform),
            created_at: self.created.map_or(Timestamp::from_secs(0), |created| created.at),
            identifiers: self.bound().filter(|known| known.alias_of.is_none()).cloned().collect(),
            aliases: self.bound().filter(|known| known.alias_of.is_some()).cloned().collect(),
            profile: self.profile.clone(),
            password_set_at: self.password.as_ref().map(|password| password.set_at),
            password_attempt: self.password.as_ref().and_then(|password| password.attempt.clone()),
            former_numbers: self.former_numbers.clone(),
            real_name: self.real_name,
            phone_change: self.phone_change.clone(),
            trusted_phones: self.trusted_phones.clone(),
            number_claim: self.number_claim.clone(),
            cases: self.cases.clone(),
        }
    }
}
