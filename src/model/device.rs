//! Devices as an account knows them.
//!
//! What a device *is* is the token the account issued to it; name and model are what the client says.

use serde::{Deserialize, Serialize};

use super::platform::Platform;
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
    /// What the client says it is.
    pub profile: DeviceProfile,
    /// How much it has been used.
    pub usage: Usage,
    /// When the user, or a step-up on it, made it trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_since: Option<Timestamp>,
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
}

impl Device {
    /// The edge copy.
    pub const fn record(&self, account: AccountId) -> DeviceRecord {
        DeviceRecord { account, device: self.id, usage: self.usage, trusted_since: self.trusted_since }
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
