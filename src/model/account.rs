//! A person: their identifiers, devices and sessions. One object each.

use serde::{Deserialize, Serialize};

use self::notify::Occasion;
pub use self::{
    act::{Act, Deed, Seen},
    sign_in::SignIn,
};
use super::{
    device::Device,
    device_trust::TrustRules,
    handle::HandleName,
    login_history::{Event, EventKind, LoginHistory, Place, Retention},
    notice::{NoticeKind, NoticeRules, NoticeTally},
    object::Machine,
    outbox::{Message, Outbox},
    session::{Ended, Lifetimes, Session},
};
use crate::kernel::{
    id::{AccountId, DeviceId, SessionId},
    seal::Sealed,
    time::Timestamp,
};

mod act;
mod notify;
mod sign_in;

/// The state of one account. Empty until the first sign-in creates it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    created: Option<Created>,
    phones: Vec<Phone>,
    devices: Vec<Device>,
    sessions: Vec<Session>,
    #[serde(default, skip_serializing_if = "LoginHistory::is_empty")]
    history: LoginHistory,
    #[serde(default, skip_serializing_if = "NoticeTally::is_empty")]
    notices: NoticeTally,
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
    Refresh(Box<Refresh>),
    /// Somebody who is signed in does something.
    Act(Box<Act>),
    /// Is this session still good?
    LookAtSession {
        /// Which.
        session: SessionId,
        /// Rules in force.
        rules: Rules,
    },
    /// A backend ends a session.
    EndSession {
        /// Which.
        session: SessionId,
        /// Rules in force.
        rules: Rules,
    },
    /// The number of the account.
    LookAtPhone,
}

/// What an operator has set for all accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// When a device is of standing.
    pub trust: TrustRules,
    /// How much login history is kept.
    pub retention: Retention,
    /// Who is told what, and how often.
    pub notices: NoticeRules,
    /// Most sessions kept; the one unused for longest gives way.
    pub sessions: usize,
    /// Most devices kept; the least used one that is not trusted gives way.
    pub devices: usize,
}

/// A refresh token that is no forgery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The account.
    pub account: AccountId,
    /// Family.
    pub session: SessionId,
    /// Generation given.
    pub generation: u32,
    /// Where it comes from.
    pub place: Place,
    /// Rules in force.
    pub rules: Rules,
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
    /// What was asked to be seen.
    Seen(Box<Seen>),
    /// It is done, or there was nothing left to do.
    Done,
    /// The account has no such thing.
    NotFound,
    /// A device that is neither known nor trusted may not do that.
    NeedsStanding,
}

impl Machine for Account {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        match operation {
            Operation::SignIn(sign_in) => self.sign_in(*sign_in, now, outbox),
            Operation::Refresh(refresh) => self.refresh(&refresh, now, outbox),
            Operation::Act(act) => self.act(*act, now, outbox),
            Operation::LookAtSession { session, rules } => match self.living(session, &rules, now) {
                Ok(session) => Outcome::Session { session: session.clone() },
                Err(ended) => Outcome::Ended { ended },
            },
            Operation::EndSession { session, rules } => {
                let end = End { kind: EventKind::Ended, place: &Place::default(), rules: &rules, now };
                self.end_sessions(&end, outbox, |known| known.id == session);
                Outcome::Done
            }
            Operation::LookAtPhone => Outcome::Phone { phone: self.phones.first().cloned() },
        }
    }

    fn tidy(&mut self, now: Timestamp) {
        self.history.tidy(now);
    }

    fn expires(&self) -> Option<Timestamp> {
        self.history.expires()
    }

    fn is_empty(&self) -> bool {
        self.created.is_none()
    }
}

/// How sessions come to an end, and who sees to it.
struct End<'a> {
    kind: EventKind,
    place: &'a Place,
    rules: &'a Rules,
    now: Timestamp,
}

impl Account {
    fn refresh(&mut self, refresh: &Refresh, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Refresh { account, session: id, generation, place, rules } = refresh;
        let Some(session) = self.sessions.iter_mut().find(|known| known.id == *id) else {
            return Outcome::Ended { ended: Ended::Revoked };
        };
        match session.rotate(*generation, now, &rules.lifetimes) {
            Ok(_) => {
                let session = session.clone();
                if let Some(device) = self.devices.iter_mut().find(|known| known.id == session.device) {
                    count_use(device, *account, now, outbox);
                }
                Outcome::Session { session }
            }
            // It stays until the next sign-in, so that who asks twice hears the same twice.
            Err(Ended::Expired) => Outcome::Ended { ended: Ended::Expired },
            Err(Ended::Revoked) => {
                let (device, app) = (session.device, session.app.clone());
                let end = End { kind: EventKind::TokenReused, place, rules, now };
                self.end_sessions(&end, outbox, |known| known.id == *id);
                let (session, device, kind) = (Some(*id), Some(device), NoticeKind::TokenReused);
                let occasion = Occasion { kind, account: *account, session, device, app: &app, rules, now };
                self.notify(&occasion, outbox);
                Outcome::Ended { ended: Ended::Revoked }
            }
        }
    }

    /// A session that is good.
    fn living(&self, id: SessionId, rules: &Rules, now: Timestamp) -> Result<&Session, Ended> {
        match self.sessions.iter().find(|known| known.id == id) {
            None => Err(Ended::Revoked),
            Some(known) if known.is_alive(now, &rules.lifetimes) => Ok(known),
            Some(_) => Err(Ended::Expired),
        }
    }

    /// Ends those sessions and sees to it that everybody learns of it; how many there were.
    fn end_sessions(
        &mut self,
        end: &End<'_>,
        outbox: &mut Outbox,
        which: impl Fn(&Session) -> bool,
    ) -> usize {
        let (over, left) = std::mem::take(&mut self.sessions).into_iter().partition::<Vec<_>, _>(which);
        self.sessions = left;
        for session in &over {
            // Nobody need be told that what is over by itself was ended.
            if session.is_alive(end.now, &end.rules.lifetimes) {
                let until = end.now.plus(end.rules.lifetimes.access);
                outbox.post(Message::PublishEnd { session: session.id, until }, end.now);
                self.remember(end, session);
            }
        }
        over.len()
    }

    fn remove_device(&mut self, device: DeviceId, end: &End<'_>, outbox: &mut Outbox) -> bool {
        let Some(at) = self.devices.iter().position(|known| known.id == device) else { return false };
        let removed = self.devices.remove(at);
        outbox.post(Message::RetractDevice { token_digest: removed.token_digest }, end.now);
        self.end_sessions(end, outbox, |known| known.device == device);
        true
    }

    fn remember(&mut self, end: &End<'_>, session: &Session) {
        let retention = end.rules.retention;
        let event = Event {
            number: 0,
            at: end.now,
            until: retention.until(end.now),
            kind: end.kind,
            session: session.id,
            device: session.device,
            method: session.method,
            app: session.app.clone(),
            place: end.place.clone(),
        };
        self.history.add(event, retention);
    }
}

/// Counts a use of a device, once a day.
fn count_use(device: &mut Device, account: AccountId, now: Timestamp, outbox: &mut Outbox) {
    if device.usage.count(now) {
        publish(device, account, now, outbox);
    }
}

fn publish(device: &Device, account: AccountId, now: Timestamp, outbox: &mut Outbox) {
    let (token_digest, record) = (device.token_digest.clone(), device.record(account));
    outbox.post(Message::PublishDevice { token_digest, record }, now);
}

#[cfg(test)]
mod tests;
