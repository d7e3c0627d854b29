//! A person: their identifiers, devices and sessions. One object each.

use serde::{Deserialize, Serialize};

use super::{
    device::{Device, DeviceProfile, Usage},
    handle::HandleName,
    login::Method,
    object::Machine,
    outbox::{Message, Outbox},
    session::{Ended, Lifetimes, Session},
};
use crate::kernel::{
    id::{AccountId, DeviceId, SessionId},
    seal::Sealed,
    time::Timestamp,
};

/// The state of one account. Empty until the first sign-in creates it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    created: Option<Created>,
    phones: Vec<Phone>,
    devices: Vec<Device>,
    sessions: Vec<Session>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Created {
    at: Timestamp,
    /// The sign-in that did it, so that its repeat is told the same.
    by: SessionId,
}

/// A phone number of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Its handle.
    pub handle: HandleName,
    /// The number, sealed for this account.
    pub number: Sealed,
    /// Since when it belongs to the account.
    pub since: Timestamp,
}

/// What can be asked of an account. Each names the account, which cannot know its own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A number of the account was proven: start a session. Creates the account at its first sign-in.
    SignIn(Box<SignIn>),
    /// Take a refresh token for the next one.
    Refresh {
        /// Family.
        session: SessionId,
        /// Generation given.
        generation: u32,
        /// How long sessions live.
        lifetimes: Lifetimes,
    },
    /// Is this session still good?
    LookAtSession {
        /// Which.
        session: SessionId,
        /// How long sessions live.
        lifetimes: Lifetimes,
    },
    /// The number of the account.
    LookAtPhone,
}

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
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// Most sessions and devices kept.
    pub caps: Caps,
}

/// How many of a kind an account keeps; the one unused for longest gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Sessions.
    pub sessions: usize,
    /// Devices.
    pub devices: usize,
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
        /// The device is new to the account: its token is to be handed out.
        device_issued: bool,
    },
    /// The session goes on.
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
}

impl Machine for Account {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        match operation {
            Operation::SignIn(sign_in) => self.sign_in(*sign_in, now, outbox),
            Operation::Refresh { session, generation, lifetimes } => {
                self.refresh(session, generation, now, &lifetimes)
            }
            Operation::LookAtSession { session, lifetimes } => {
                match self.sessions.iter().find(|known| known.id == session) {
                    None => Outcome::Ended { ended: Ended::Revoked },
                    Some(known) if known.is_alive(now, &lifetimes) => {
                        Outcome::Session { session: known.clone() }
                    }
                    Some(_) => Outcome::Ended { ended: Ended::Expired },
                }
            }
            Operation::LookAtPhone => Outcome::Phone { phone: self.phones.first().cloned() },
        }
    }

    fn tidy(&mut self, _: Timestamp) {}

    fn expires(&self) -> Option<Timestamp> {
        None
    }

    fn is_empty(&self) -> bool {
        self.created.is_none()
    }
}

impl Account {
    fn sign_in(&mut self, sign_in: SignIn, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let SignIn { account, phone, method, app, consent, session: id, lifetimes, caps, .. } = &sign_in;
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
        // 4. The session. Dead ones go, then the one unused for longest, until there is room.
        let session = Session::start(*id, device.id, app.clone(), *method, consent.clone(), now);
        self.sessions.retain(|known| known.is_alive(now, lifetimes));
        make_room(&mut self.sessions, caps.sessions, |known| known.last_used());
        self.sessions.push(session.clone());
        // 5. Others learn of it.
        let renewal =
            Message::RenewProof { handle: phone.handle.clone(), account: *account, at: now, method: *method };
        outbox.post(renewal, now);
        // Once a day is enough for scans and reports, and as much as one database can take.
        if is_first_today {
            outbox.post(Message::IndexAccount { account: *account, created_at, last_login_at: now }, now);
        }
        Outcome::SignedIn { is_new: self.is_creation(*id), session, device: device.into(), device_issued }
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
            if device.usage.count(now) {
                publish(device, sign_in.account, now, outbox);
            }
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
        let spare = self.devices.iter().filter(|known| known.trusted_since.is_none()).count();
        if self.devices.len() >= sign_in.caps.devices && spare > 0 {
            let oldest = (self.devices.iter().filter(|known| known.trusted_since.is_none()))
                .min_by_key(|known| (known.usage.days, known.usage.last_day))
                .map(|known| known.id);
            self.devices.retain(|known| Some(known.id) != oldest);
            self.sessions.retain(|session| Some(session.device) != oldest);
        }
        self.devices.push(device.clone());
        (device, true)
    }

    fn refresh(&mut self, id: SessionId, generation: u32, now: Timestamp, lifetimes: &Lifetimes) -> Outcome {
        let Some(session) = self.sessions.iter_mut().find(|known| known.id == id) else {
            return Outcome::Ended { ended: Ended::Revoked };
        };
        match session.rotate(generation, now, lifetimes) {
            Ok(_) => Outcome::Session { session: session.clone() },
            Err(ended) => {
                self.sessions.retain(|known| known.id != id);
                Outcome::Ended { ended }
            }
        }
    }
}

fn publish(device: &Device, account: AccountId, now: Timestamp, outbox: &mut Outbox) {
    let (token_digest, record) = (device.token_digest.clone(), device.record(account));
    outbox.post(Message::PublishDevice { token_digest, record }, now);
}

fn make_room<T>(list: &mut Vec<T>, cap: usize, last_used: impl Fn(&T) -> Timestamp) {
    list.sort_by_key(&last_used);
    let excess = list.len().saturating_add(1).saturating_sub(cap.max(1));
    list.drain(..excess.min(list.len()));
}

#[cfg(test)]
mod tests;
