//! What an account answers.

use serde::{Deserialize, Serialize};

use super::{Pending, Phone, Seen, Waiting};
use crate::{
    kernel::seal::Sealed,
    model::{
        device::{Device, Trust},
        platform::Platform,
        session::{Ended, Session},
    },
};

/// What an account answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Signed in.
    SignedIn {
        /// The account did not exist before.
        is_new: bool,
        /// The session.
        session: Session,
        /// The device it runs on.
        device: Box<Device>,
        /// The device has a new token, which is to be handed out.
        token_issued: bool,
        /// The number it was by.
        phone: Sealed,
    },
    /// The sign-in waits until its device is confirmed.
    Waits(Box<Waiting>),
    /// The session goes on, on a device that the account knows so well.
    Refreshed {
        /// As it stands now.
        session: Session,
        /// Kind of client.
        platform: Platform,
        /// How well.
        trust: Trust,
    },
    /// The session is good.
    Session {
        /// As it stands now.
        session: Session,
    },
    /// The session is over.
    Ended {
        /// Why.
        ended: Ended,
    },
    /// The number.
    Phone {
        /// `None`: no such account, or it has no number.
        phone: Option<Phone>,
    },
    /// What was asked to be seen.
    Seen(Box<Seen>),
    /// It is done, or there was nothing left to do.
    Done,
    /// The account has no such thing.
    NotFound,
    /// A device that is neither known nor trusted may not do that.
    NeedsStanding,
    /// Only a trusted device may.
    Forbidden,
    /// The device has a key: a proof by it must come along, and a fresh one.
    NeedsKey,
    /// The account is frozen.
    Frozen,
    /// No such ticket, or not on this device.
    TicketInvalid,
    /// The trusted devices said no, or the digits are wrong.
    ProofFailed,
    /// Questions that wait for a trusted device.
    Approvals {
        /// Oldest first.
        pending: Vec<Pending>,
    },
    /// Too many questions.
    Limited {
        /// Seconds until there is room.
        retry_after: u32,
    },
}
