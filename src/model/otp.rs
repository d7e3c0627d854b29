//! Codes sent to one number or address: who may have another, which one counts, and how often it was guessed at.
//!
//! Part of its handle, so that every race is a queue of one. There are two lanes: one for strangers, one
//! for devices that have signed in to the account which holds the number. What one lane uses up (sends, guesses,
//! its newest code), the other keeps: a lock-out is no weapon. A code belongs to the lane that asked for it.
//!
//! A try is counted and a code consumed here and nowhere else; the caller's own comparison is worth nothing
//! without the yes of [`Otp::redeem`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::lane::Lane;
pub use self::lane::REPEAT_KEPT;
use crate::kernel::{
    id::{AccountId, ChallengeId},
    time::Timestamp,
};

mod lane;
#[cfg(test)]
mod tests;

/// The codes of one number or address.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Otp {
    #[serde(default, skip_serializing_if = "Lane::is_empty")]
    strangers: Lane,
    #[serde(default, skip_serializing_if = "Lane::is_empty")]
    own_devices: Lane,
}

/// What can be asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A code is about to be sent; from now on it is the newest.
    Send(Box<NewCode>),
    /// Was a code sent under this name already? Answers as [`Operation::Send`] would, or [`Outcome::NotSent`].
    FindSent(FindSent),
    /// What came of it.
    Settle(Settled),
    /// Somebody typed a code.
    Redeem(Box<Redeem>),
}

/// A code about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCode {
    /// A fresh id.
    pub challenge: ChallengeId,
    /// The client's attempt: asked for again under the same name, the code is not sent again.
    pub operation: String,
    /// Keyed digest of the client's request.
    pub request: String,
    /// The code is good until then, by the clock that the record and the client's reference go by.
    pub expires: Timestamp,
    /// MAC of the code, for the time in which the record may not be visible everywhere.
    pub mac: String,
    /// The account that a device of the client has signed in to.
    pub device_of: Option<AccountId>,
    /// The client passed a bot check.
    pub bot_check_passed: bool,
    /// Limits in force.
    pub rules: Rules,
}

/// A client's attempt, looked for before anything is spent on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindSent {
    /// Its name.
    pub operation: String,
    /// Keyed digest of the client's request.
    pub request: String,
    /// The account that a device of the client has signed in to.
    pub device_of: Option<AccountId>,
    /// Between two codes.
    pub resend: Duration,
}

/// What came of a code that was about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Which.
    pub challenge: ChallengeId,
    /// A provider took it, or may have. Otherwise it is as if nobody had asked, and the code before it counts again.
    pub sent: bool,
    /// The record was written. Otherwise the MAC stays here as long as the code is good.
    pub recorded: bool,
    /// It counts in the funnels of the pumping guard.
    pub measured: bool,
}

/// A code being typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeem {
    /// Which.
    pub challenge: ChallengeId,
    /// The client's attempt: asked again under the same name, the outcome is the same and nothing is counted.
    pub operation: String,
    /// Keyed digest of the client's request.
    pub request: String,
    /// What the caller could find out.
    pub evidence: Evidence,
    /// Limits in force.
    pub rules: Rules,
}

/// What the caller of a redemption knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It saw the record, and the code typed is that of the record, or is not.
    Compared(bool),
    /// It saw no record. These are the MACs that the code typed would have, one for each pepper.
    Macs(Vec<String>),
}

/// Limits of one number or address. Two lanes at their stops stay below the 100 consecutive failures of NIST SP 800-63B-4
/// section 3.2.2. That failures are forgotten after a time of silence departs from it: a count that only the owner
/// could clear would let anybody shut the number for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Wrong guesses at one code.
    pub tries: u32,
    /// Between two codes.
    pub resend: Duration,
    /// Sends within windows of time.
    pub sends: [Sends; 2],
    /// Failures in a row, over all codes, without further ado.
    pub free_failures: u32,
    /// Wait for another code after them; doubles with each failure.
    pub first_wait: Duration,
    /// Longest such wait.
    pub longest_wait: Duration,
    /// Failures in a row after which a lane sends and takes no more codes.
    pub stop: u32,
    /// The same for who passed a bot check.
    pub stop_checked: u32,
    /// Failures are forgotten when none was added for so long.
    pub failure_memory: Duration,
}

/// At most so many sends in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sends {
    /// How long the window is.
    pub window: Duration,
    /// How many; twice as many for who passed a bot check.
    pub most: usize,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was not, or not lately.
    NotSent {
        /// A device of the holder asks.
        own_device: bool,
    },
    /// Go on and send it.
    Sending {
        /// A device of the holder asked.
        own_device: bool,
    },
    /// It was sent already.
    SentBefore {
        /// Under this id.
        challenge: ChallengeId,
        /// The code is good until then.
        expires: Timestamp,
        /// Another may be asked for then.
        resend_at: Timestamp,
    },
    /// The first of two equal requests is still sending it.
    Running,
    /// The same attempt, with another request.
    Conflict,
    /// Not yet.
    TooSoon {
        /// Whole seconds until it makes sense to ask again.
        retry_after: u32,
        /// The same for who passes a bot check then; 0: at once.
        if_checked: u32,
    },
    /// Too many failures in a row.
    Stopped {
        /// Whole seconds until they are forgotten.
        retry_after: u32,
        /// A passed bot check helps.
        bot_check_helps: bool,
    },
    /// Noted.
    Settled,
    /// The right code, for the first time (or its repeat).
    Redeemed {
        /// When it was sent, if the redemption counts in the funnels.
        measured: Option<Timestamp>,
    },
    /// Wrong, used, superseded, out of tries, unknown: nobody is told which.
    Incorrect,
    /// There is nothing to compare with, so nothing was counted.
    NoRecord,
}

impl Otp {
    /// Carries out one operation for a number that `holder` holds.
    pub fn apply(&mut self, operation: Operation, holder: Option<AccountId>, now: Timestamp) -> Outcome {
        self.tidy(now);
        let is_own = |device_of: Option<AccountId>| device_of.is_some() && device_of == holder;
        match operation {
            Operation::Send(new) => {
                let own_device = is_own(new.device_of);
                let lane = if own_device { &mut self.own_devices } else { &mut self.strangers };
                lane.send(*new, now).unwrap_or(Outcome::Sending { own_device })
            }
            Operation::FindSent(find) => {
                let own_device = is_own(find.device_of);
                let mut lanes = self.lanes().into_iter();
                lanes.find_map(|lane| lane.repeat(&find, now)).unwrap_or(Outcome::NotSent { own_device })
            }
            Operation::Settle(settled) => {
                if let Some(lane) = self.lane_of(settled.challenge) {
                    lane.settle(&settled);
                }
                Outcome::Settled
            }
            Operation::Redeem(redeem) => match self.lane_of(redeem.challenge) {
                Some(lane) => lane.redeem(*redeem, now),
                None => Outcome::Incorrect,
            },
        }
    }

    /// The holder has proven the number: see [`Lane::pardon`].
    pub(super) fn pardon(&mut self, now: Timestamp) {
        self.strangers.pardon(now);
    }

    /// Drops what is worth nothing any more.
    pub fn tidy(&mut self, now: Timestamp) {
        self.lanes().into_iter().for_each(|lane| lane.tidy(now));
    }

    /// When [`Otp::tidy`] finds something to drop.
    pub fn expires(&self) -> Option<Timestamp> {
        [&self.strangers, &self.own_devices].into_iter().filter_map(Lane::expires).min()
    }

    /// Nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.strangers.is_empty() && self.own_devices.is_empty()
    }

    fn lane_of(&mut self, challenge: ChallengeId) -> Option<&mut Lane> {
        self.lanes().into_iter().find(|lane| lane.newest_is(challenge))
    }

    const fn lanes(&mut self) -> [&mut Lane; 2] {
        [&mut self.strangers, &mut self.own_devices]
    }
}
