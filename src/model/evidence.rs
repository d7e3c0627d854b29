//! What carriers and registers say of a number, asked before any question is put to a person.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;

/// What carriers and registers said is not asked for again for so long.
pub const WORD_KEPT: Duration = Duration::from_secs(86_400);

/// Nor are they, when none of them could say anything, for so long.
pub const SILENCE_KEPT: Duration = Duration::from_secs(600);

/// What a carrier says of a number since a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reassignment {
    /// Somebody else has it since 二次放号.
    Reassigned,
    /// It was given up since, and is nobody's 销号.
    Cancelled,
    /// The same person has it.
    NotReassigned,
    /// Nobody could say: no provider for it, all silent, or no record.
    #[default]
    Unknown,
}

/// What a carrier says of a number at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberStatus {
    /// Somebody has it, and can be reached 正常.
    Active,
    /// Somebody has it, and does not pay 停机.
    Suspended,
    /// Somebody has it; the phone is off 关机.
    Off,
    /// Nobody has it 空号.
    Vacant,
    /// Nobody could say.
    Unknown,
}

/// What is known of a number beside that somebody has just proven it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The carrier's word.
    pub reassignment: Reassignment,
    /// Whether the number is in the name that the account was verified with; `None`: not asked, or nobody could say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_matches: Option<bool>,
    /// Since when the carrier was asked: the last proof that was known.
    pub since: Timestamp,
    /// When it was asked.
    pub at: Timestamp,
}

impl Evidence {
    /// Nobody could say anything.
    pub const fn none(since: Timestamp, at: Timestamp) -> Self {
        Self { reassignment: Reassignment::Unknown, name_matches: None, since, at }
    }

    /// Whether it still counts at `now`: a carrier that was silent is asked again soon.
    pub fn counts(&self, now: Timestamp) -> bool {
        let silent = self.reassignment == Reassignment::Unknown && self.name_matches.is_none();
        now.since(self.at) < if silent { SILENCE_KEPT } else { WORD_KEPT }
    }
}
