//! What somebody who is signed in does with the sessions and devices of their account.
//!
//! The session is looked at first: whoever was signed out a moment ago does nothing any more, however good the access
//! token still is.

use serde::{Deserialize, Serialize};

use super::{Account, Candidate, End, Outcome, ProfileChange, ProvenInSession, Rules, TrustedPhone, publish};
use crate::{
    kernel::{
        id::{AccountId, ApprovalId, DeviceId, SessionId, TrustedPhoneId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        device::{Device, Trust},
        device_key::ProvenKey,
        handle::HandleName,
        login_history::{Event, EventKind, Place},
        notice::NoticeKind,
        outbox::Outbox,
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
    /// Trust a phone.
    TrustPhone(Box<TrustedPhone>),
    /// Trust a phone no more.
    DistrustPhone(TrustedPhoneId),
    /// Delete the account.
    Delete,
    /// Look at the sign-ins that wait for a trusted device.
    LookAtApprovals,
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
    const fn is_sensitive(&self) -> bool {
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
}

/// Whose hand does something: in which session, on which device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) account: AccountId,
    pub(super) session: SessionId,
    pub(super) device: DeviceId,
}

impl Account {
    pub(super) fn act(&mut self, act: Act, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Act { account, session: id, deed, proof, place, rules } = act;
        let here = match self.living(id, &rules, now) {
            Ok(session) => session.device,
            Err(ended) => return Outcome::Ended { ended },
        };
        // What is proven counts before it is asked for.
        if proof.is_some_and(|given| !self.take_proof(&given, id, now)) {
            return Outcome::ProofFailed;
        }
        if deed.is_sensitive()
            && let Some(needs_proof) = self.needs_proof(id, &rules, now)
        {
            return needs_proof;
        }
        let end = |kind| End { kind, place: &place, rules: &rules, now };
        match deed {
            Deed::Prove | Deed::NeedFreshProof => Outcome::Done,
            Deed::LookAtProfile => Outcome::Profile(self.own_profile(id).into()),
            Deed::ChangeProfile(change) => {
                self.change_profile(*change);
                Outcome::Done
            }
            Deed::SetPassword { hash, end_others } => {
                // While those are signed in who must hear of it.
                self.tell(NoticeKind::PasswordChanged, account, Some(id), &rules, now, outbox);
                self.set_password(hash, id, now);
                if end_others {
                    self.sign_out_others(id, &end(EventKind::Ended), outbox);
                }
                Outcome::Done
            }
            Deed::Bind(candidate) => self.intend(&candidate, account, &rules, now, outbox),
            Deed::Unbind(handle) => {
                let outcome = self.unbind(&handle, account, now, outbox);
                if outcome == Outcome::Done {
                    self.forget_proofs_but(id);
                    self.tell(NoticeKind::IdentityUnbound, account, Some(id), &rules, now, outbox);
                }
                outcome
            }
            Deed::ChangePhone(candidate) => {
                let by = Hand { account, session: id, device: here };
                self.change_phone(&candidate, by, &rules, now, outbox)
            }
            Deed::DropPhoneChange => self.drop_phone_change(here, &rules, now),
            Deed::TrustPhone(phone) => {
                let by = Hand { account, session: id, device: here };
                self.trust_phone(*phone, by, &rules, now, outbox)
            }
            Deed::DistrustPhone(phone) => {
                let by = Hand { account, session: id, device: here };
                self.distrust_phone(phone, by, &rules, now, outbox)
            }
            Deed::Delete => {
                self.tell(NoticeKind::DeletionRequested, account, Some(id), &rules, now, outbox);
                self.close(account, &end(EventKind::Ended), outbox)
            }
            Deed::Look => Outcome::Seen(self.seen(id, &rules, now).into()),
            Deed::Export => {
                self.tell(NoticeKind::AccountExported, account, Some(id), &rules, now, outbox);
                let (events, has_more) = self.history.page(None, usize::MAX);
                Outcome::Seen(Seen { events, has_more, ..self.seen(id, &rules, now) }.into())
            }
            Deed::ReadHistory { before, most } => {
                let (events, has_more) = self.history.page(before, most);
                Outcome::Seen(Seen { events, has_more, ..self.seen(id, &rules, now) }.into())
            }
            Deed::EndSession(which) => {
                let kind = if which == id { EventKind::SignedOut } else { EventKind::Ended };
                self.warn_of_ends(account, id, &|known| known.id == which, &rules, now, outbox);
                match self.end_sessions(&end(kind), outbox, &|known| known.id == which) {
                    0 => Outcome::NotFound,
                    _ => Outcome::Done,
                }
            }
            Deed::EndOtherSessions => {
                self.warn_of_ends(account, id, &|known| known.id != id, &rules, now, outbox);
                self.sign_out_others(id, &end(EventKind::Ended), outbox);
                Outcome::Done
            }
            Deed::ChangeDevice { device, name, trusted } => {
                // Every device may give up its own trust.
                let vouches = match trusted {
                    None => false,
                    Some(trusted) => trusted || device != here,
                };
                if vouches && !self.may_vouch(here, &rules, now) {
                    return Outcome::NeedsStanding;
                }
                // Who has just come in must not make the owner take one device for another.
                if device != here && !self.has_standing(here, &rules, now) {
                    return Outcome::NeedsStanding;
                }
                let Some(known) = self.devices.iter_mut().find(|known| known.id == device) else {
                    return Outcome::NotFound;
                };
                if let Some(name) = name {
                    known.profile.name = name;
                }
                if let Some(trusted) = trusted {
                    known.trusted_since = trusted.then_some(now);
                    publish(known, account, now, outbox);
                }
                Outcome::Done
            }
            Deed::RemoveDevice(device) => {
                // Nor may everybody take away those that could speak for the owner.
                let may = match self.trust_of(device, &rules, now) {
                    _ if device == here => true,
                    Trust::Trusted => self.may_vouch(here, &rules, now),
                    _ if self.has_standing(device, &rules, now) => self.has_standing(here, &rules, now),
                    _ => true,
                };
                if !may {
                    return Outcome::NeedsStanding;
                }
                match self.remove_device(device, &end(EventKind::Ended), outbox) {
                    true => Outcome::Done,
                    false => Outcome::NotFound,
                }
            }
            Deed::ProtectLogin(enabled) => {
                self.protect(enabled, here, account, &end(EventKind::Ended), outbox)
            }
            Deed::LookAtApprovals => self.approvals(here, &rules, now),
            Deed::Answer { approval, digits, key } => {
                // A stolen access token answers for nobody.
                let device = self.devices.iter_mut().find(|known| known.id == here);
                if !device.is_some_and(|device| device.takes(key.as_ref(), now)) {
                    return Outcome::NeedsKey;
                }
                self.answer((here, id), approval, digits, &end(EventKind::Denied), outbox)
            }
        }
    }

    /// Whoever has lost a phone must be able to sign it out from a new one, and so can a thief: the owner's devices are told
    /// while they are signed in.
    fn warn_of_ends(
        &mut self,
        account: AccountId,
        by: SessionId,
        which: &dyn Fn(&Session) -> bool,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let here = self.sessions.iter().find(|known| known.id == by).map(|known| known.device);
        let is_new = here.is_some_and(|here| !self.has_standing(here, rules, now));
        let concerns =
            |known: &Session| Some(known.device) != here && self.has_standing(known.device, rules, now);
        if is_new && self.sessions.iter().any(|known| which(known) && concerns(known)) {
            self.tell(NoticeKind::SessionsEnded, account, Some(by), rules, now, outbox);
        }
    }

    /// Whoever means all others means those too that are about to come in.
    pub(super) fn sign_out_others(&mut self, by: SessionId, end: &End<'_>, outbox: &mut Outbox) {
        self.end_sessions(end, outbox, &|known| known.id != by);
        self.step_ups.drop_those(&|_| true);
    }

    fn seen(&self, session: SessionId, rules: &Rules, now: Timestamp) -> Seen {
        let alive = self.sessions.iter().filter(|known| known.is_alive(now, &rules.lifetimes));
        Seen {
            session,
            sessions: alive.cloned().collect(),
            devices: self.devices.clone(),
            is_protected: self.is_protected(rules),
            protection_holds: self.protection_holds(rules, now),
            events: Vec::new(),
            has_more: false,
        }
    }

    /// Whether it is more than a device that came in by the number alone: by use, or a step-up, or as the first one.
    pub(super) fn has_standing(&self, device: DeviceId, rules: &Rules, now: Timestamp) -> bool {
        let known = self.devices.iter().find(|known| known.id == device);
        self.trust_of(device, rules, now) != Trust::New
            || known.is_some_and(|known| known.confirmed_at.is_some())
            || self.created.as_ref().is_some_and(|created| created.on == Some(device))
    }

    pub(super) fn trust_of(&self, device: DeviceId, rules: &Rules, now: Timestamp) -> Trust {
        let known = self.devices.iter().find(|known| known.id == device);
        known.map_or(Trust::New, |known| rules.trust.trust(known.usage, known.trusted_since, now))
    }
}
