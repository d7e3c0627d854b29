//! Devices as an account knows them.
//!
//! What a device *is* is the token the account issued to it; name and model are what the client says.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    device_key::{DeviceKey, ProvenKey},
    platform::Platform,
};
use crate::kernel::{
    id::{AccountId, DeviceId},
    seal::Sealed,
    time::Timestamp,
};

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id in the API.
    pub id: DeviceId,
    /// Digest of the device token; the token itself is only with the client.
    pub token_digest: String,
    /// When it was issued; `None`: with the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_since: Option<Timestamp>,
    /// Digest of the token before it, good until the new one has been seen: its answer may have been lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_token: Option<String>,
    /// Its key; without it the tokens of this device are worth nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<DeviceKey>,
    /// What the client says it is.
    pub profile: DeviceProfile,
    /// How much it has been used.
    pub usage: Usage,
    /// When the user, or a step-up on it, made it trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_since: Option<Timestamp>,
    /// When a step-up on it confirmed it: it need not wait again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
}

/// By what a client shows which device it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// Digest of the device token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The key that it has proven to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ProvenKey>,
}

/// What a client says about its device. Name and push token are personal, so they are sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceProfile {
    /// Kind of client.
    pub platform: Platform,
    /// Name for people (`小明的手机`).
    pub name: Sealed,
    /// Model name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Operating system and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Version of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// Where push messages go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_token: Option<Sealed>,
}

/// Use of a device, counted in days (UTC) so that it is written at most once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// First sign-in.
    pub first_at: Timestamp,
    /// Latest day of use, as days since the epoch.
    pub last_day: i64,
    /// Number of different days.
    pub days: u32,
}

/// How well the account knows a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Not used long enough.
    New,
    /// Used on enough days.
    Known,
    /// Made trusted, and used lately.
    Trusted,
}

impl Trust {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Trusted => "trusted",
        }
    }
}

/// The edge copy of a device, for places that ask no object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// Whose device it is.
    pub account: AccountId,
    /// Its id.
    pub device: DeviceId,
    /// Its use, as of the last write.
    pub usage: Usage,
    /// When it was made trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_since: Option<Timestamp>,
    /// Thumbprint of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Presented {
    /// Whether it shows that it holds this key, where there is one to hold.
    pub fn holds(&self, key: Option<&str>) -> bool {
        key.is_none_or(|key| self.key.as_ref().is_some_and(|proven| proven.thumbprint == key))
    }
}

impl Device {
    /// A device that the account has not seen before.
    pub const fn new(id: DeviceId, token_digest: String, profile: DeviceProfile, now: Timestamp) -> Self {
        Self {
            id,
            token_digest,
            token_since: None,
            previous_token: None,
            key: None,
            profile,
            usage: Usage::start(now),
            trusted_since: None,
            confirmed_at: None,
        }
    }

    /// A step-up on it was passed: it need not wait again, and what people carry with them is trusted.
    pub fn confirm(&mut self, stepped_up: bool, now: Timestamp) {
        if stepped_up {
            self.confirmed_at = Some(now);
            self.trusted_since =
                self.trusted_since.or_else(|| self.profile.platform.is_mobile().then_some(now));
        }
    }

    /// Binds it to the key it has proven, if it has none; whether that is new.
    pub fn bind(&mut self, presented: &Presented) -> bool {
        let had_none = self.key.is_none();
        self.key = self.key.take().or_else(|| presented.key.as_ref().map(DeviceKey::bind));
        had_none && self.key.is_some()
    }

    /// Exchanges a token that is too old, or that did not come along, for a fresh one; which ones are good no more.
    pub fn exchange_token(
        &mut self,
        presented: &Presented,
        fresh: String,
        oldest: Duration,
        now: Timestamp,
    ) -> Vec<String> {
        let token = presented.token.as_ref();
        let mut over = Vec::new();
        if fresh == self.token_digest {
            return over;
        }
        if token == Some(&self.token_digest) {
            // Now that the new one has been seen, who comes with the one before has a copy.
            over.extend(self.previous_token.take());
            if now.since(self.token_since.unwrap_or(self.usage.first_at)) > oldest {
                self.previous_token = Some(std::mem::replace(&mut self.token_digest, fresh));
                self.token_since = Some(now);
            }
        } else {
            // The answer with the newest was lost; or the client keeps none, where the key counts.
            over.push(std::mem::replace(&mut self.token_digest, fresh));
            self.token_since = Some(now);
            over.extend(self.previous_token.take_if(|known| token != Some(known)));
        }
        over
    }

    /// Whether this is the device that shows itself so: by its key where it has one, else by its token.
    pub fn is(&self, presented: &Presented) -> bool {
        match &self.key {
            Some(key) => presented.holds(Some(&key.thumbprint)),
            None => presented.token.as_ref().is_some_and(|token| self.has_token(token)),
        }
    }

    /// Whether a token of this digest is its own.
    pub fn has_token(&self, digest: &str) -> bool {
        digest == self.token_digest || Some(digest) == self.previous_token.as_deref()
    }

    /// Takes a proof of the key, where the device has one; `false`: it is missing, another's, or not fresh.
    pub fn takes(&mut self, proven: Option<&ProvenKey>, now: Timestamp) -> bool {
        match (&mut self.key, proven) {
            (None, _) => true,
            (Some(key), Some(proven)) => key.is_proven_by(proven, now),
            (Some(_), None) => false,
        }
    }

    /// The edge copy.
    pub fn record(&self, account: AccountId) -> DeviceRecord {
        let key = self.key.as_ref().map(|key| key.thumbprint.clone());
        let Self { id: device, usage, trusted_since, .. } = *self;
        DeviceRecord { account, device, usage, trusted_since, key }
    }
}

impl DeviceProfile {
    /// Takes what the client says now; what it leaves out stays as it was.
    pub fn update(&mut self, said: Self) {
        *self = Self {
            platform: said.platform,
            name: said.name,
            model: said.model.or_else(|| self.model.take()),
            os: said.os.or_else(|| self.os.take()),
            app_version: said.app_version.or_else(|| self.app_version.take()),
            push_token: said.push_token.or_else(|| self.push_token.take()),
        };
    }
}

impl Usage {
    /// Whether a use on the day of `now` was counted.
    pub const fn includes(&self, now: Timestamp) -> bool {
        self.last_day >= day(now)
    }

    /// The first use.
    pub const fn start(now: Timestamp) -> Self {
        Self { first_at: now, last_day: day(now), days: 1 }
    }

    /// Counts a use; true when it is the first on its day.
    pub const fn count(&mut self, now: Timestamp) -> bool {
        let today = day(now);
        if today <= self.last_day {
            return false;
        }
        self.last_day = today;
        self.days = self.days.saturating_add(1);
        true
    }
}

const SECONDS_A_DAY: i64 = 86_400;

const fn day(now: Timestamp) -> i64 {
    now.secs().div_euclid(SECONDS_A_DAY)
}
