//! One sign-in: account, device and session, in one step that can be repeated.

use serde::{Deserialize, Serialize};

use super::{Account, Created, End, Occasion, Outcome, Phone, Rules, count_use, publish};
use crate::{
    kernel::{
        id::{AccountId, DeviceId, SessionId},
        time::Timestamp,
    },
    model::{
        device::{Device, DeviceProfile, Usage},
        login::Method,
        login_history::{EventKind, Place},
        notice::NoticeKind,
        outbox::{Message, Outbox},
        session::Session,
    },
};

/// A sign-in, with fresh ids for what it may have to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The account.
    pub account: AccountId,
    /// The number proven.
    pub phone: Phone,
    /// How it was proven.
    pub method: Method,
    /// For which app.
    pub app: String,
    /// Version of the terms agreed to.
    pub consent: Option<String>,
    /// Id of the session; a sign-in with the id of an existing one is a repeat.
    pub session: SessionId,
    /// Digest of the device token that the client presented.
    pub presented_token: Option<String>,
    /// Id and token digest in case the device is not one of this account's.
    pub new_device: (DeviceId, String),
    /// What the client says about its device.
    pub profile: DeviceProfile,
    /// Where it comes from.
    pub place: Place,
    /// Rules in force.
    pub rules: Rules,
}

impl Account {
    pub(super) fn sign_in(&mut self, sign_in: SignIn, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let SignIn { account, phone, method, app, consent, session: id, rules, .. } = &sign_in;
        // 1. A repeat whose answer was lost finds what the first one did.
        if let Some(session) = self.sessions.iter().find(|known| known.id == *id).cloned()
            && let Some(device) = self.devices.iter().find(|known| known.id == session.device).cloned()
        {
            let device_issued = device.id == sign_in.new_device.0;
            return Outcome::SignedIn {
                is_new: self.is_creation(*id),
                session,
                device: device.into(),
                device_issued,
            };
        }
        // 2. The account and its number.
        let created_at = self.created.get_or_insert(Created { at: now, by: *id }).at;
        match self.phones.iter_mut().find(|known| known.handle == phone.handle) {
            // Freshly sealed, so that a number in use moves to the current key by itself.
            Some(known) => known.number = phone.number.clone(),
            None => self.phones.push(phone.clone()),
        }
        let is_first_today = self.devices.iter().all(|known| !known.usage.includes(now));
        // 3. The device: the one whose token was presented, or a new one.
        let (device, device_issued) = self.use_device(&sign_in, now, outbox);
        // 4. The session. Dead ones go, then those unused for longest, until there is room.
        self.sessions.retain(|known| known.is_alive(now, &rules.lifetimes));
        let excess = self.sessions.len().saturating_add(1).saturating_sub(rules.sessions.max(1));
        let mut oldest: Vec<&Session> = self.sessions.iter().collect();
        oldest.sort_unstable_by_key(|known| known.last_used());
        let oldest: Vec<SessionId> = oldest.iter().take(excess).map(|known| known.id).collect();
        let end = End { kind: EventKind::Ended, place: &sign_in.place, rules, now };
        self.end_sessions(&end, outbox, |known| oldest.contains(&known.id));
        let session = Session::start(*id, device.id, app.clone(), *method, consent.clone(), now);
        self.sessions.push(session.clone());
        let is_new = self.is_creation(*id);
        let kind = match device_issued && !is_new {
            true => EventKind::SignedInOnNewDevice,
            false => EventKind::SignedIn,
        };
        self.remember(&End { kind, ..end }, &session);
        // 5. Others learn of it.
        let renewal =
            Message::RenewProof { handle: phone.handle.clone(), account: *account, at: now, method: *method };
        outbox.post(renewal, now);
        // Once a day is enough for scans and reports, and as much as one database can take.
        if is_first_today {
            outbox.post(Message::IndexAccount { account: *account, created_at, last_login_at: now }, now);
        }
        let news = match (is_new, device_issued) {
            (true, _) => Some(NoticeKind::AccountCreated),
            (false, true) => Some(NoticeKind::NewDevice),
            (false, false) => None,
        };
        if let Some(kind) = news {
            let (session, device) = (Some(*id), Some(device.id));
            let occasion = Occasion { kind, account: *account, session, device, app, rules, now };
            self.notify(&occasion, outbox);
        }
        Outcome::SignedIn { is_new, session, device: device.into(), device_issued }
    }

    fn is_creation(&self, session: SessionId) -> bool {
        self.created.as_ref().is_some_and(|created| created.by == session)
    }

    fn use_device(&mut self, sign_in: &SignIn, now: Timestamp, outbox: &mut Outbox) -> (Device, bool) {
        let (id, token_digest) = sign_in.new_device.clone();
        // A repeat whose session has ended meanwhile finds the device that the first one made.
        let known = self
            .devices
            .iter_mut()
            .find(|known| Some(&known.token_digest) == sign_in.presented_token.as_ref() || known.id == id);
        if let Some(device) = known {
            device.profile.update(sign_in.profile.clone());
            count_use(device, sign_in.account, now, outbox);
            return (device.clone(), device.id == id);
        }
        let device = Device {
            id,
            token_digest,
            profile: sign_in.profile.clone(),
            usage: Usage::start(now),
            trusted_since: None,
        };
        publish(&device, sign_in.account, now, outbox);
        // A stranger who proves the number again and again must not push out devices the owner trusts.
        let spare = self.devices.iter().filter(|known| known.trusted_since.is_none());
        let least_used =
            spare.min_by_key(|known| (known.usage.days, known.usage.last_day)).map(|known| known.id);
        if let Some(least_used) = least_used.filter(|_| self.devices.len() >= sign_in.rules.devices) {
            let end = End { kind: EventKind::Ended, place: &sign_in.place, rules: &sign_in.rules, now };
            self.remove_device(least_used, &end, outbox);
        }
        self.devices.push(device.clone());
        (device, true)
    }
}
