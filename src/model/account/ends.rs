//! How sessions and devices come to an end, so that everybody learns of it.

use super::{Account, Rules};
use crate::{
    kernel::{
        id::{DeviceId, SessionId},
        time::Timestamp,
    },
    model::{
        case::State,
        login_history::{Event, EventKind, Place},
        outbox::{Message, Outbox},
        session::{Ended, Session},
    },
};

/// How sessions come to an end, and who sees to it.
pub(super) struct End<'a> {
    pub(super) kind: EventKind,
    pub(super) place: &'a Place,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

impl Account {
    /// A session that is good.
    pub(super) fn living(&self, id: SessionId, rules: &Rules, now: Timestamp) -> Result<&Session, Ended> {
        match self.sessions.iter().find(|known| known.id == id) {
            None => Err(Ended::Revoked),
            Some(known) if known.is_alive(now, &rules.lifetimes) => Ok(known),
            Some(_) => Err(Ended::Expired),
        }
    }

    /// Ends those sessions and sees to it that everybody learns of it; how many there were.
    pub(super) fn end_sessions(
        &mut self,
        end: &End<'_>,
        outbox: &mut Outbox,
        which: &dyn Fn(&Session) -> bool,
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

    pub(super) fn remove_device(&mut self, device: DeviceId, end: &End<'_>, outbox: &mut Outbox) -> bool {
        let Some(at) = self.devices.iter().position(|known| known.id == device) else { return false };
        let removed = self.devices.remove(at);
        // What waits on it, and what was approved from it and not fetched yet, goes along.
        let sessions = &self.sessions;
        let is_its = |by: SessionId| sessions.iter().any(|known| known.id == by && known.device == device);
        self.step_ups.drop_those(&|step_up| {
            removed.has_token(&step_up.device_token) || step_up.decided_by().is_some_and(is_its)
        });
        self.end_asking(State::Refused, &|waits| removed.has_token(&waits.device_token));
        for token_digest in std::iter::once(removed.token_digest).chain(removed.previous_token) {
            outbox.post(Message::RetractDevice { token_digest }, end.now);
        }
        self.end_sessions(end, outbox, &|known| known.device == device);
        true
    }

    pub(super) fn remember(&mut self, end: &End<'_>, session: &Session) {
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
