//! What somebody who is signed in can do, and what they see by it.

use serde::{Deserialize, Serialize};

use super::{Candidate, ProfileChange, ProvenInSession, Rules, Supplied, TrustedPhone};
use crate::{
    kernel::{
        id::{AccountId, ApprovalId, CaseId, DeviceId, SessionId, TicketId, TrustedPhoneId},
        seal::Sealed,
    },
    model::{
        case::Rival,
        device::Device,
        device_key::ProvenKey,
        handle::HandleName,
        login_history::{Event, Place},
        session::Session,
        step_up::Digits,
    },
};

/// Something done in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The account.
    pub account: AccountId,
    /// In which session.
    pub session: SessionId,
    /// What.
    pub deed: Deed,
    /// What was proven with it.
    #[serde(default)]
    pub proof: Option<ProvenInSession>,
    /// Where it comes from.
    pub place: Place,
    /// Rules in force.
    pub rules: Rules,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Look at sessions and devices.
    Look,
    /// Look at all that is kept, to take it along.
    Export,
    /// Read the login history, newest first.
    ReadHistory {
        /// Before the event of this number.
        before: Option<u64>,
        /// Events at most.
        most: usize,
    },
    /// End a session, perhaps this one.
    EndSession(SessionId),
    /// End all sessions but this one.
    EndOtherSessions,
    /// Rename a device, or trust it, or trust it no more.
    ChangeDevice {
        /// Which.
        device: DeviceId,
        /// Its new name.
        name: Option<Sealed>,
        /// Whether it is trusted.
        trusted: Option<bool>,
    },
    /// Forget a device, and end its sessions.
    RemoveDevice(DeviceId),
    /// Switch login protection on or off.
    ProtectLogin(bool),
    /// Nothing: the proof that comes with it is all.
    Prove,
    /// Nothing, but what follows needs a fresh proof.
    NeedFreshProof,
    /// Look at the account itself.
    LookAtProfile,
    /// Change what the account says about its owner.
    ChangeProfile(Box<ProfileChange>),
    /// Set the password.
    SetPassword {
        /// The new one.
        hash: Sealed,
        /// Name of the attempt.
        attempt: Option<String>,
        /// All other sessions end.
        end_others: bool,
    },
    /// Bind an identifier.
    Bind(Box<Candidate>),
    /// Take an identifier away.
    Unbind(HandleName),
    /// Take another number in place of the account's, at once or after a wait.
    ChangePhone(Box<Candidate>),
    /// Object to that, or withdraw it.
    DropPhoneChange,
    /// Object to losing the number.
    Object {
        /// Under what it is kept.
        case: CaseId,
        /// Who has the number now, if it went.
        rival: Option<Rival>,
    },
    /// Refuse an appeal.
    RefuseAppeal(CaseId),
    /// Trust a phone.
    TrustPhone(Box<TrustedPhone>),
    /// Trust a phone no more.
    DistrustPhone(TrustedPhoneId),
    /// Delete the account.
    Delete,
    /// Prove for an action of the app that the account is theirs.
    StepUp {
        /// The ticket of it.
        ticket: TicketId,
        /// For what, in the app's words.
        purpose: String,
        /// So much must be proven.
        need: u8,
    },
    /// Look at the sign-ins that wait for a trusted device.
    LookAtApprovals,
    /// Speak for somebody else, as their friend.
    SpeakForFriend {
        /// The key of the device, if it was proven.
        key: Option<ProvenKey>,
    },
    /// Answer one of them.
    Answer {
        /// Which.
        approval: ApprovalId,
        /// The digits that its device shows, for a yes; `None`: no.
        digits: Option<Digits>,
        /// The key of the device on which it is answered, if it was proven.
        key: Option<ProvenKey>,
    },
}

impl Deed {
    /// Whether it may cost the owner the account, so that a fresh proof must come first.
    pub(super) const fn is_sensitive(&self) -> bool {
        matches!(
            self,
            Self::NeedFreshProof
                | Self::SetPassword { .. }
                | Self::Bind(_)
                | Self::Unbind(_)
                | Self::TrustPhone(_)
                | Self::DistrustPhone(_)
                | Self::Export
                | Self::Delete
                | Self::ProtectLogin(false)
                | Self::ChangeDevice { trusted: Some(true), .. }
        )
    }
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The session that asks.
    pub session: SessionId,
    /// Sessions that are alive.
    pub sessions: Vec<Session>,
    /// Devices.
    pub devices: Vec<Device>,
    /// Login protection is on.
    #[serde(default)]
    pub is_protected: bool,
    /// And somebody can be asked.
    #[serde(default)]
    pub protection_holds: bool,
    /// Events, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// There are older ones.
    #[serde(default)]
    pub has_more: bool,
    /// What the app says, in an export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplied: Option<Supplied>,
    /// The name of a person of whom it is known, in an export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Sealed>,
}
