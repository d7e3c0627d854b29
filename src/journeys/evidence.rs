//! Evidence before questions: what carriers and registers say of a number whose last proof is old.
//!
//! Whoever does not answer has said nothing: no sign-in fails here, it only goes on knowing less.

use std::time::Duration;

use futures_util::future::join;

use super::{
    Service,
    provider::{Caller, Tender},
    vendors::{Calls, health_counter},
};
use crate::{
    kernel::{country::country_code, phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::evidence::{Evidence, Reassignment},
    ports::World,
    providers::{Answer, Capability, Inquiry},
};

/// A question about a number, whoever is asked it.
#[derive(Clone, Copy)]
struct Question<'a> {
    phone: &'a PhoneNumber,
    inquiry: Inquiry<'a>,
    caller: &'a Caller<'a>,
    deadline: Timestamp,
}

impl<W: World> Service<'_, W> {
    /// Asks side by side whether the number was given to somebody else since then, and, where the account has a verified
    /// name, whether the number is still in it. Each of the caller's app's vendors for the number's country gets up to
    /// `EVIDENCE_TIMEOUT_MS`, all of them have until the deadline; the first that knows is believed.
    pub async fn evidence(
        &self,
        phone: &PhoneNumber,
        since: Timestamp,
        name: Option<&Secret<String>>,
        caller: &Caller<'_>,
        deadline: Timestamp,
    ) -> Evidence {
        let name = name.map(|name| name.expose().as_str());
        let question = Question { phone, inquiry: Inquiry { since, name }, caller, deadline };
        let named = async {
            match name {
                Some(_) => self.ask_in_turn(Capability::TwoFactor, question).await,
                None => None,
            }
        };
        let (said, named) = join(self.ask_in_turn(Capability::Reassigned, question), named).await;
        let reassignment = match said {
            Some(Answer::Reassignment(reassignment)) => reassignment,
            _ => Reassignment::Unknown,
        };
        let name_matches = match named {
            Some(Answer::NameCheck { matches }) => matches,
            _ => None,
        };
        Evidence { reassignment, name_matches, since, at: self.world.now() }
    }

    /// The word of the first vendor that has one.
    async fn ask_in_turn(&self, capability: Capability, question: Question<'_>) -> Option<Answer> {
        let Question { phone, inquiry, caller, deadline } = question;
        let country = country_code(phone.e164());
        let choices = self.choices(capability, caller);
        let choices: Vec<_> = choices.filter(|choice| choice.serves_country(capability, country)).collect();
        let limit = self.settings.limits.evidence_timeout_ms;
        let mut calls = Calls::new();
        let mut word = None;
        for at in self.order(&choices).await {
            let Some(choice) = choices.get(at) else { continue };
            let Some(timeout) = self.time_for(limit, deadline) else { break };
            let tender = Tender::of(*choice, caller, capability, limit);
            let tender = Tender { timeout, phone: Some(phone), inquiry: Some(inquiry), ..tender };
            let Some(answer) = self.pass_over(self.offer(&tender).await) else { break };
            let is_well = !matches!(answer, Answer::Unavailable { .. } | Answer::AccountFault { .. });
            // What it could not do in less than its time says nothing about it.
            if is_well || timeout == Duration::from_millis(limit) {
                calls.push((health_counter(choice.document.id(), caller.app), is_well));
            }
            // Who has no record has been asked for nothing, so another may be.
            word = match answer {
                Answer::Reassignment(Reassignment::Unknown) | Answer::NameCheck { matches: None } => continue,
                Answer::Reassignment(_) | Answer::NameCheck { .. } => Some(answer),
                _ => continue,
            };
            break;
        }
        // How the only one does is never looked at.
        if choices.len() > 1 {
            self.note_calls_in_passing(calls).await;
        }
        word
    }
}
