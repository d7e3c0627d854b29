//! What an account answers.

use serde::{Deserialize, Serialize};

use super::{
    Identifier, Importing, Known, NumberClaim, OwnProfile, Password, Pending, PhoneChange, Profile, RealName,
    Seen, SignIn, TrustedPhone, Waiting,
};
use crate::{
    kernel::{id::AccountId, seal::Sealed, time::Timestamp},
    model::{
        case::Case,
        device::{Device, Trust},
        friends::Whence,
        handle::Parting,
        login::Method,
        platform::Platform,
        session::{Ended, Session},
    },
};

/// The number of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// This one, sealed for the account.
    Is(Sealed),
    /// It has none.
    None,
    /// It has none since its last one went to another person.
    Lost,
}

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
        /// The account's number.
        phone: Number,
        /// What its owner says about themselves.
        profile: Box<Profile>,
        /// Whether it is known who its owner is.
        #[serde(default)]
        real_name: RealName,
        /// The claim on the first identifier that is bound along with it, while its handle has not decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim: Option<u64>,
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
        phone: Option<Identifier>,
    },
    /// The password.
    Password {
        /// `None`: no such account, or it has none.
        password: Option<Password>,
    },
    /// The account as its owner sees it.
    Profile(Box<OwnProfile>),
    /// What was asked to be seen.
    Seen(Box<Seen>),
    /// It is done, or there was nothing left to do.
    Done,
    /// The account has no such thing.
    NotFound,
    /// The identifier does not lead to this account (any more).
    NotMine {
        /// Why.
        cause: Parting,
        /// To whom it goes, if that is known.
        heir: Option<AccountId>,
    },
    /// Carriers and registers must be asked about the number first.
    NeedsEvidence {
        /// Also whether it is in this name, with which the account was verified.
        name: Option<Sealed>,
    },
    /// Whoever waited has said that the account is not theirs.
    GivenUp {
        /// How they had come in.
        sign_in: Box<SignIn>,
        /// The number goes to them later.
        claim: Option<NumberClaim>,
    },
    /// The number may be another person's by now, and nobody has said so.
    MayBeRecycled,
    /// It goes to who brought it, when its owner could object.
    NumberClaimed(Box<NumberClaim>),
    /// Its handle decides whether the identifier is bound.
    Claiming {
        /// Which of the account's claims it is.
        claim: u64,
    },
    /// The account is being imported, which must end first.
    Importing(Importing),
    /// The account has as many identifiers of the kind as it may.
    Full,
    /// Another number is wished for, and waits.
    PhoneChangeWaits(Box<PhoneChange>),
    /// It is trusted from now on.
    PhoneTrusted(Box<TrustedPhone>),
    /// It is the account's own number.
    OwnNumber,
    /// The account has as many trusted phones as it may.
    TooManyPhones,
    /// Nothing else would lead to the account.
    LastWayIn,
    /// The last proof of who this is is too old.
    NeedsProof {
        /// The ways in which the account's owner can give one.
        proofs: Vec<Method>,
    },
    /// The account is deleted, and its data gone then.
    Closing {
        /// When.
        until: Timestamp,
    },
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
    /// What questions can be made of.
    Known(Box<Known>),
    /// Whoever waits has no such choice.
    NotOffered,
    /// Too much was tried that was wrong.
    ProofsExhausted,
    /// The trusted devices said no, or the digits are wrong.
    ProofFailed,
    /// The device can speak for its owner, who comes by this.
    Speaks(Whence),
    /// A case.
    Case(Box<Case>),
    /// The case was decided in another way.
    CaseDecided,
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
