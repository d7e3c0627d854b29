//! A proof for an action of the app: who is signed in shows once more that the account is theirs, by the ways in which a
//! sign-in that waits would.

use super::{Account, End, Outcome, SignIn, act::Hand};
use crate::{
    kernel::{id::TicketId, time::Timestamp},
    model::{
        device::Presented,
        owner_proof::MEDIUM,
        session::ActionProof,
        step_up::{Reason, StepUp},
    },
};

impl Account {
    /// Begins it; what was begun in the session before is over.
    pub(super) fn ask_for_action(
        &mut self,
        by: Hand,
        ticket: TicketId,
        (purpose, need): (String, u8),
        end: &End<'_>,
    ) -> Outcome {
        let session = self.sessions.iter().find(|known| known.id == by.session);
        let device = self.devices.iter().find(|known| known.id == by.device);
        let identifier = self.bound().next();
        let (Some(session), Some(device), Some(identifier)) = (session, device, identifier) else {
            return Outcome::NotFound;
        };
        let token = device.token_digest.clone();
        let sign_in = SignIn {
            account: by.account,
            identifier: identifier.clone(),
            method: session.method,
            password: None,
            number: None,
            awaits: false,
            creates: false,
            binds: Vec::new(),
            introduction: super::Profile::default(),
            new_password: None,
            app: session.app.clone(),
            consent: None,
            session: session.id,
            presented: Presented { token: Some(token.clone()), key: None },
            new_device: (device.id, token.clone()),
            ticket,
            profile: device.profile.clone(),
            place: end.place.clone(),
            asker: device.id.to_string(),
            rules: *end.rules,
        };
        let step_up = StepUp {
            ticket,
            reason: Reason::Risk,
            sign_in,
            device_token: token,
            key: device.key.clone(),
            token_issued: false,
            until: end.now.plus(end.rules.patience.ticket),
            question: None,
            need,
            proven: Vec::new(),
            questions: None,
            action: Some(purpose),
            carried_out: false,
            not_mine: false,
        };
        self.step_ups.tidy(end.now);
        self.step_ups.forget_action(by.session);
        let step_up = self.step_ups.hold(step_up);
        Outcome::Waits(self.waiting(&step_up, end.rules, end.now).into())
    }

    /// It was proven: the session says so.
    pub(super) fn confirm_action(&mut self, ticket: TicketId, now: Timestamp) -> Outcome {
        let Some(step_up) = self.step_ups.find(ticket, now) else { return Outcome::TicketInvalid };
        let is_first = !std::mem::replace(&mut step_up.carried_out, true);
        let (sign_in, strength, methods) = (step_up.sign_in.clone(), step_up.strength(), step_up.shown());
        let purpose = step_up.action.clone().unwrap_or_default();
        // Whoever was signed out since proves nothing any more.
        let Some(session) = self.sessions.iter_mut().find(|known| known.id == sign_in.session) else {
            return Outcome::TicketInvalid;
        };
        if is_first {
            // What others may know says something to the app, and nothing to us.
            if strength >= MEDIUM {
                (session.stepped_up, session.proven_at) = (true, Some(now));
            }
            self.tries.pardon(&sign_in.asker);
            session.step_up = Some(ActionProof { purpose, strength, methods, at: now });
        }
        let mut outcome = self.repeat_of(&sign_in).unwrap_or(Outcome::TicketInvalid);
        // Nobody is new who does something more in a session.
        if let Outcome::SignedIn { is_new, .. } = &mut outcome {
            *is_new = false;
        }
        outcome
    }
}
