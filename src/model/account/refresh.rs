//! A refresh token comes back: the session goes on, or its thief ends it.

use super::{Account, End, Occasion, Outcome, Refresh, count_use};
use crate::{
    kernel::time::Timestamp,
    model::{login_history::EventKind, notice::NoticeKind, outbox::Outbox, session::Ended},
};

impl Account {
    pub(super) fn refresh(&mut self, refresh: &Refresh, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Refresh { account, session: id, generation, key, place, rules } = refresh;
        let Some(session) = self.sessions.iter_mut().find(|known| known.id == *id) else {
            return if self.frozen { Outcome::Frozen } else { Outcome::Ended { ended: Ended::Revoked } };
        };
        let Some(device) = self.devices.iter_mut().find(|known| known.id == session.device) else {
            return Outcome::Ended { ended: Ended::Revoked };
        };
        // A copied token does nothing without the key, not even end the session.
        if !device.takes(key.as_ref(), now) {
            return Outcome::NeedsKey;
        }
        match session.rotate(*generation, now, &rules.lifetimes) {
            Ok(_) => {
                let session = session.clone();
                count_use(device, *account, rules, now, outbox);
                let trust = rules.trust.trust(device.usage, device.trusted_since, now);
                Outcome::Refreshed { session, platform: device.profile.platform, trust }
            }
            // It stays until the next sign-in, so that who asks twice hears the same twice.
            Err(Ended::Expired) => Outcome::Ended { ended: Ended::Expired },
            Err(Ended::Revoked) => {
                let (device, app) = (session.device, session.app.clone());
                let end = End { kind: EventKind::TokenReused, place, rules, now };
                self.end_sessions(&end, outbox, &|known| known.id == *id);
                let (session, device, kind) = (Some(*id), Some(device), NoticeKind::TokenReused);
                let occasion = Occasion { kind, account: *account, session, device, app: &app, rules, now };
                self.notify(&occasion, outbox);
                Outcome::Ended { ended: Ended::Revoked }
            }
        }
    }

    /// Ends the session of a refresh token that could still be exchanged, on a device that proves its key.
    pub(super) fn give_up(&mut self, refresh: &Refresh, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Refresh { session: id, generation, key, place, rules, .. } = refresh;
        let Some(session) = self.sessions.iter().find(|known| known.id == *id) else { return Outcome::Done };
        let (here, newest) = (session.device, session.generation());
        let device = self.devices.iter_mut().find(|known| known.id == here);
        if !device.is_some_and(|device| device.takes(key.as_ref(), now)) {
            return Outcome::NeedsKey;
        }
        // An older one is a copy: whoever has it ends nothing.
        if newest.saturating_sub(*generation) <= 1 {
            let end = End { kind: EventKind::SignedOut, place, rules, now };
            self.end_sessions(&end, outbox, &|known| known.id == *id);
        }
        Outcome::Done
    }
}
