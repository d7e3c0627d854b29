//! What somebody who is signed in does with the sessions and devices of their account.
//!
//! The session is looked at first: whoever was signed out a moment ago does nothing any more, however good the access
//! token still is.

use super::{Account, Act, Deed, End, Outcome, Rules, Seen, publish};
use crate::{
    kernel::{
        id::{AccountId, DeviceId, SessionId},
        time::Timestamp,
    },
    model::{
        device::Trust, device_key::ProvenKey, friends::Whence, login_history::EventKind, notice::NoticeKind,
        outbox::Outbox, session::Session,
    },
};

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
        if proof.is_some_and(|given| !self.take_proof(&given, (id, here), &rules, now)) {
            return Outcome::ProofFailed;
        }
        if deed.is_sensitive()
            && let Some(needs_proof) = self.needs_proof(id, &rules, now)
        {
            return needs_proof;
        }
        let end = |kind| End { kind, place: &place, rules: &rules, now };
        let by = Hand { account, session: id, device: here };
        match deed {
            Deed::StepUp { ticket, purpose, need } => {
                self.ask_for_action(by, ticket, (purpose, need), &end(EventKind::Held))
            }
            Deed::Prove | Deed::NeedFreshProof => Outcome::Done,
            Deed::LookAtProfile => Outcome::Profile(self.own_profile(id).into()),
            Deed::ChangeProfile(change) => {
                self.change_profile(*change);
                Outcome::Done
            }
            Deed::SetPassword { hash, attempt, end_others } => {
                // While those are signed in who must hear of it.
                self.tell(NoticeKind::PasswordChanged, account, Some(id), &rules, now, outbox);
                self.set_password(hash, attempt, id, now);
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
            Deed::ChangePhone(candidate) => self.change_phone(&candidate, by, &rules, now, outbox),
            Deed::DropPhoneChange => self.drop_phone_change(here, &rules, now),
            Deed::Object { case, rival } => self.object((case, rival), by, &rules, now, outbox),
            Deed::RefuseAppeal(case) => self.refuse_appeal(case, by, &rules, now, outbox),
            Deed::TrustPhone(phone) => self.trust_phone(*phone, by, &rules, now, outbox),
            Deed::DistrustPhone(phone) => self.distrust_phone(phone, by, &rules, now, outbox),
            Deed::Delete => {
                self.tell(NoticeKind::DeletionRequested, account, Some(id), &rules, now, outbox);
                self.close(account, &end(EventKind::Ended), outbox)
            }
            Deed::Look => Outcome::Seen(self.seen(id, &rules, now).into()),
            Deed::Export => {
                self.tell(NoticeKind::AccountExported, account, Some(id), &rules, now, outbox);
                let (events, has_more) = self.history.page(None, usize::MAX);
                let (supplied, verified) = (self.supplied.clone(), self.verified.as_ref());
                let verified = verified.map(|known| known.name.clone());
                let seen = self.seen(id, &rules, now);
                Outcome::Seen(Seen { events, has_more, supplied, verified, ..seen }.into())
            }
            Deed::ReadHistory { before, most } => {
                let (events, has_more) = self.history.page(before, most);
                Outcome::Seen(Seen { events, has_more, ..self.seen(id, &rules, now) }.into())
            }
            Deed::EndSession(which) => {
                let kind = if which == id { EventKind::SignedOut } else { EventKind::Ended };
                self.warn_of_ends(by, &|known| known.id == which, &rules, now, outbox);
                match self.end_sessions(&end(kind), outbox, &|known| known.id == which) {
                    0 => Outcome::NotFound,
                    _ => Outcome::Done,
                }
            }
            Deed::EndOtherSessions => {
                self.warn_of_ends(by, &|known| known.id != id, &rules, now, outbox);
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
                if trusted == Some(true) {
                    self.begin_to_ask(here, &rules, now);
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
            Deed::ProtectLogin(enabled) => self.protect(enabled, by, &end(EventKind::Ended), outbox),
            Deed::LookAtApprovals => self.approvals(here, &rules, now),
            Deed::SpeakForFriend { key } => self.speaks(here, key.as_ref(), &rules, now),
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

    /// By what whoever is signed in here comes, on a device that can speak for them.
    fn speaks(&mut self, here: DeviceId, key: Option<&ProvenKey>, rules: &Rules, now: Timestamp) -> Outcome {
        if !self.has_standing(here, rules, now) {
            return Outcome::NeedsStanding;
        }
        let Some(device) = self.devices.iter_mut().find(|known| known.id == here) else {
            return Outcome::NotFound;
        };
        if !device.takes(key, now) {
            return Outcome::NeedsKey;
        }
        let tokens = [&device.token_digest].into_iter().chain(&device.previous_token);
        let key = device.key.as_ref().map(|key| &key.thumbprint);
        Outcome::Speaks(Whence(tokens.chain(key).cloned().collect()))
    }

    /// Whoever has lost a phone must be able to sign it out from a new one, and so can a thief: the owner's devices are told
    /// while they are signed in.
    fn warn_of_ends(
        &mut self,
        by: Hand,
        which: &dyn Fn(&Session) -> bool,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let concerns = |known: &Session| {
            which(known) && known.device != by.device && self.has_standing(known.device, rules, now)
        };
        if !self.has_standing(by.device, rules, now) && self.sessions.iter().any(concerns) {
            self.tell(NoticeKind::SessionsEnded, by.account, Some(by.session), rules, now, outbox);
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
            supplied: None,
            verified: None,
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
