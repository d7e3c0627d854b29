//! One sign-in: account, device and session, in one step that can be repeated.

use serde::{Deserialize, Serialize};

use super::{
    Account, Candidate, Created, End, Identifier, NumberFacts, Occasion, Outcome, Profile, Rules, count_use,
    publish,
};
use crate::{
    kernel::{
        id::{AccountId, DeviceId, SessionId, TicketId},
        order::in_order,
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        binding::Binding,
        case::State,
        device::{Device, DeviceProfile, Presented},
        login::Method,
        login_history::{EventKind, Place},
        notice::NoticeKind,
        outbox::{Message, Outbox},
        session::{Ended, Session},
        step_up::StepUp,
    },
};

/// A sign-in, with fresh ids for what it may have to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The account.
    pub account: AccountId,
    /// By which identifier; its claim is the one by which its handle leads here.
    pub identifier: Identifier,
    /// How its owner proved to be it.
    pub method: Method,
    /// By the password that was set then; `None`: the identifier itself was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Timestamp>,
    /// What the handle of a number that was proven knows of it; `None`: nothing was proven but a password, or it is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberFacts>,
    /// The identifier leads elsewhere still: the account waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits: bool,
    /// The account may not be there yet: its first sign-in has never finished.
    pub creates: bool,
    /// More identifiers that were proven, which shall be bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binds: Vec<Candidate>,
    /// What a new account says about its owner.
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub introduction: Profile,
    /// A new password, which ends all other sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_password: Option<Sealed>,
    /// For which app.
    pub app: String,
    /// Version of the terms agreed to.
    pub consent: Option<String>,
    /// Id of the session; a sign-in with the id of an existing one is a repeat.
    pub session: SessionId,
    /// By what the client shows which device it is.
    pub presented: Presented,
    /// Id and token digest in case the device is not one of this account's, or its token is exchanged.
    pub new_device: (DeviceId, String),
    /// Its ticket in case it must wait.
    pub ticket: TicketId,
    /// What the client says about its device.
    pub profile: DeviceProfile,
    /// Where it comes from.
    pub place: Place,
    /// Keyed digest of the network that it comes from: who asks, as far as tries are counted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asker: String,
    /// Rules in force.
    pub rules: Rules,
}

/// How it came that a sign-in is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Its device need not be confirmed.
    Direct,
    /// It was.
    Confirmed {
        /// It got its token with the ticket.
        token_issued: bool,
    },
}

impl Account {
    pub(super) fn sign_in(&mut self, sign_in: SignIn, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        // 1. A repeat whose answer was lost finds what the first one did.
        if let Some(outcome) = self.repeat_of(&sign_in) {
            return outcome;
        }
        // Its number may be another person's by now, who shall not be kept out with it.
        if self.is_closed() && sign_in.number.is_none() {
            return Outcome::Frozen;
        }
        if let Some(importing) = &self.importing {
            return Outcome::Importing(importing.clone());
        }
        // What it only waits for must not be kept by it.
        if self.is_closed() && !self.is_led_to_by(&sign_in.identifier.handle) {
            self.awaits.take_if(|awaited| *awaited == sign_in.identifier.handle);
        }
        // What was unbound leads nowhere, also while its handle has not heard of it.
        let is_mine = match self.created {
            Some(_) => {
                let handle = &sign_in.identifier.handle;
                self.may_lead_here(handle)
            }
            None => sign_in.creates,
        };
        if !is_mine && !self.comes_back(&sign_in) {
            return self.not_mine(&sign_in.identifier.handle);
        }
        if !self.has_password_of(&sign_in) {
            return Outcome::ProofFailed;
        }
        let is_full =
            |candidate: &Candidate| self.binding_of(&candidate.identifier, &sign_in.rules) == Binding::Full;
        if sign_in.binds.iter().any(is_full) {
            return Outcome::Full;
        }
        if let Some(step_up) = self.step_ups.of(sign_in.session, now) {
            return Outcome::Waits(self.waiting(step_up, &sign_in.rules, now).into());
        }
        // Whoever was signed out since does not come back by a repeat: old tokens of theirs would count again.
        if self.history.tells_of(sign_in.session) {
            return Outcome::Ended { ended: Ended::Revoked };
        }
        // 2. A device with a key proves it anew.
        if let Some(device) = self.devices.iter_mut().find(|known| known.is(&sign_in.presented))
            && !device.takes(sign_in.presented.key.as_ref(), now)
        {
            return Outcome::NeedsKey;
        }
        // 3. Whoever has the number may not be who had it.
        let recycled = match self.number_says(&sign_in, now, outbox) {
            Ok(reason) => reason,
            Err(outcome) => return *outcome,
        };
        if self.is_closed() && recycled.is_none() {
            return Outcome::Frozen;
        }
        // 4. It waits, or it is done.
        let reason = recycled.or_else(|| self.history_says(&sign_in, now));
        match reason.or_else(|| self.must_wait(&sign_in, now)) {
            Some(reason) => self.hold(sign_in, reason, now, outbox),
            None => self.carry_out(&sign_in, Way::Direct, now, outbox),
        }
    }

    /// Carries a sign-in out, on a device that a step-up confirmed or that needs none.
    pub(super) fn carry_out(
        &mut self,
        sign_in: &SignIn,
        way: Way,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let SignIn { account, identifier, method, app, consent, session: id, rules, .. } = sign_in;
        if let Some(outcome) = self.repeat_of(sign_in) {
            return outcome;
        }
        // 1. The account and its identifiers.
        let created_at =
            self.created.get_or_insert(Created { at: now, by: Some(*id), on: Some(sign_in.new_device.0) }).at;
        if sign_in.awaits {
            self.awaits = Some(identifier.handle.clone());
        } else if !self.comes_back(sign_in) {
            self.awaits.take_if(|awaited| *awaited == identifier.handle);
            match self.identifiers.iter_mut().find(|known| known.handle == identifier.handle) {
                // Freshly sealed, so that what is in use moves to the current key by itself.
                Some(known) => known.value = identifier.value.clone(),
                None => {
                    // One that was waited for takes the place of the one before it.
                    self.part_with_former_number(&identifier.handle, *account, rules, now, outbox);
                    self.identifiers.push(identifier.clone());
                }
            }
            // Its handle led here, so one that was being claimed is won; unless that was by an earlier claim.
            self.settle_claim(&identifier.handle, (identifier.claim, true), *account, rules, now, outbox);
        }
        // Who is in on a device has asked friends on it for the last time.
        let Presented { token, key } = &sign_in.presented;
        let is_here = |waits: &StepUp| {
            let keys = waits.key.as_ref().zip(key.as_ref());
            let has_token = |known: &String| waits.device_token == *known;
            keys.is_some_and(|(asked, proven)| asked.thumbprint == proven.thumbprint)
                || has_token(&sign_in.new_device.1)
                || token.as_ref().is_some_and(has_token)
        };
        self.end_asking(State::Done, &is_here);
        if sign_in.number.is_some() {
            self.keep_number(&identifier.handle);
        }
        if way != Way::Direct {
            self.tries.pardon(&sign_in.asker);
        }
        if self.is_creation(*id) {
            self.profile = sign_in.introduction.clone();
        }
        for candidate in &sign_in.binds {
            self.intend(candidate, *account, rules, now, outbox);
        }
        let is_first_today = self.devices.iter().all(|known| !known.usage.includes(now));
        // 2. People and backends are told, while those are signed in who must give way to it.
        let known = self.devices.iter().find(|known| known.is(&sign_in.presented)).map(|known| known.id);
        let (device, is_new_device) = match known.filter(|known| *known != sign_in.new_device.0) {
            Some(known) => (known, false),
            None => (sign_in.new_device.0, true),
        };
        let news = match (self.is_creation(*id), is_new_device) {
            (true, _) => Some(NoticeKind::AccountCreated),
            (false, true) if !method.is_of_carrier() || rules.one_tap_is_told => Some(NoticeKind::NewDevice),
            _ => None,
        };
        let password = sign_in.new_password.as_ref().map(|_| NoticeKind::PasswordChanged);
        for kind in news.into_iter().chain(password) {
            let (session, device) = (Some(*id), Some(device));
            let occasion = Occasion { kind, account: *account, session, device, app, rules, now };
            self.notify(&occasion, outbox);
        }
        // 3. The device: the one that showed itself, or a new one.
        let device = self.use_device(sign_in, way, now, outbox);
        // 4. The session. Dead ones go, then those unused for longest, until there is room.
        self.sessions.retain(|known| known.is_alive(now, &rules.lifetimes));
        let excess = self.sessions.len().saturating_add(1).saturating_sub(rules.sessions.max(1));
        let oldest = in_order(&self.sessions, |one, other| one.last_used() <= other.last_used());
        let oldest: Vec<SessionId> = oldest.iter().take(excess).map(|known| known.id).collect();
        let end = End { kind: EventKind::Ended, place: &sign_in.place, rules, now };
        self.end_sessions(&end, outbox, &|known| oldest.contains(&known.id));
        let mut session = Session::start(*id, device.id, app.clone(), *method, consent.clone(), now);
        session.stepped_up = way != Way::Direct;
        self.sessions.push(session.clone());
        let kind = match is_new_device && !self.is_creation(*id) {
            true => EventKind::SignedInOnNewDevice,
            false => EventKind::SignedIn,
        };
        self.remember(&End { kind, ..end }, &session);
        // Handle and index learn of it.
        if sign_in.password.is_none() && !sign_in.awaits {
            let (handle, account, method) = (identifier.handle.clone(), *account, *method);
            outbox.post(Message::RenewProof { handle, account, at: now, method }, now);
        }
        // Once a day is enough for scans and reports, and as much as one database can take.
        if is_first_today {
            outbox.post(Message::IndexAccount { account: *account, created_at, last_login_at: now }, now);
        }
        // 5. A new password signs all others out.
        if let Some(hash) = &sign_in.new_password {
            self.set_password(hash.clone(), None, *id, now);
            let end = End { kind: EventKind::Ended, place: &sign_in.place, rules, now };
            self.sign_out_others(*id, &end, outbox);
        }
        self.signed_in(sign_in, session, device)
    }

    /// Whether nobody signs in: it is frozen, or on its way to be deleted.
    pub(super) const fn is_closed(&self) -> bool {
        self.frozen || self.closing.is_some()
    }

    /// Whether the password that it came by, if it did, is still the account's.
    pub(super) fn has_password_of(&self, sign_in: &SignIn) -> bool {
        let set_at = self.password.as_ref().map(|password| password.set_at);
        sign_in.password.is_none() || sign_in.password == set_at
    }

    fn signed_in(&self, sign_in: &SignIn, session: Session, device: Device) -> Outcome {
        Outcome::SignedIn {
            is_new: self.is_creation(session.id),
            session,
            token_issued: device.token_digest == sign_in.new_device.1,
            device: device.into(),
            phone: self.number(),
            profile: self.profile.clone().into(),
            real_name: self.real_name,
            claim: sign_in.binds.first().and_then(|bound| {
                let known = self.identifiers.iter().find(|known| known.handle == bound.identifier.handle);
                known.filter(|known| known.claiming).map(|known| known.claim)
            }),
        }
    }

    pub(super) fn repeat_of(&self, sign_in: &SignIn) -> Option<Outcome> {
        let session = self.sessions.iter().find(|known| known.id == sign_in.session)?;
        let device = self.devices.iter().find(|known| known.id == session.device)?;
        Some(self.signed_in(sign_in, session.clone(), device.clone()))
    }

    fn is_creation(&self, session: SessionId) -> bool {
        self.created.as_ref().is_some_and(|created| created.by == Some(session))
    }

    fn use_device(&mut self, sign_in: &SignIn, way: Way, now: Timestamp, outbox: &mut Outbox) -> Device {
        let SignIn { account, presented, rules, .. } = sign_in;
        let (id, token_digest) = sign_in.new_device.clone();
        // A repeat whose session has ended meanwhile finds the device that the first one made.
        if let Some(device) = self.devices.iter_mut().find(|known| known.is(presented) || known.id == id) {
            let before = (device.record(*account), device.token_digest.clone());
            device.profile.update(sign_in.profile.clone());
            count_use(device, *account, rules, now, outbox);
            device.confirm(way != Way::Direct, now);
            device.bind(presented);
            // A token that is not handed out must not take the place of one that the client has.
            if way != (Way::Confirmed { token_issued: false }) {
                for token_digest in device.exchange_token(presented, token_digest, rules.device_token, now) {
                    outbox.post(Message::RetractDevice { token_digest }, now);
                }
            }
            if before != (device.record(*account), device.token_digest.clone()) {
                publish(device, *account, now, outbox);
            }
            return device.clone();
        }
        let mut device = Device::new(id, token_digest, sign_in.profile.clone(), now);
        device.confirm(way != Way::Direct, now);
        device.bind(presented);
        // Where protection is on from the start somebody must be there to be asked.
        let is_first = self.is_creation(sign_in.session);
        if is_first && self.is_protected(rules) && device.profile.platform.is_mobile() {
            device.trusted_since = Some(now);
        }
        publish(&device, *account, now, outbox);
        // A stranger who proves the number again and again must not push out devices the owner trusts.
        let spare = self.devices.iter().filter(|known| known.trusted_since.is_none());
        let least_used =
            spare.min_by_key(|known| (known.usage.days, known.usage.last_day)).map(|known| known.id);
        if let Some(least_used) = least_used.filter(|_| self.devices.len() >= rules.devices) {
            let end = End { kind: EventKind::Ended, place: &sign_in.place, rules, now };
            self.remove_device(least_used, &end, outbox);
        }
        self.devices.push(device.clone());
        device
    }
}
