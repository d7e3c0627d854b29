//! What shows that the account is theirs who wait: which proofs it can be asked for, and whether one is right.
//!
//! Each kind is a room of its own behind one trait. What is compared outside the account (a password, a code) comes with
//! its result bound to what the account knows, so that an old one proves nothing.

use serde::{Deserialize, Serialize};

use self::{
    by_device::ByDevice, by_email::ByEmail, by_name::ByName, by_password::ByPassword, by_phone::ByPhone,
    by_questions::ByQuestions,
};
use super::{Account, AtTicket, Outcome, Rules, Step, Waiting};
use crate::{
    kernel::{id::DeviceId, time::Timestamp},
    model::{
        handle::HandleName,
        owner_proof::{MEDIUM, ProofKind, STRONG, WEAK, strength_of},
        step_up::{Reason, StepUp},
    },
};

mod by_device;
mod by_email;
mod by_name;
mod by_password;
mod by_phone;
mod by_questions;
mod tries;

pub use self::{
    by_questions::{Known, Questions},
    tries::{Tries, TryLimits},
};

/// Something that was proven, as the account can check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The code came back that was sent to the number of that name.
    Phone(HandleName),
    /// The code came back that was sent to the address of that name.
    Email(HandleName),
    /// The password that was set then was typed.
    Password(Timestamp),
    /// The verified name was typed, and an ID number of this keyed digest.
    NameId(String),
}

/// One kind of proof.
trait OwnerProof {
    /// Which.
    fn kind(&self) -> ProofKind;

    /// Whether the account can be asked for it.
    fn is_there(&self, account: &Account, step_up: &StepUp, rules: &Rules, now: Timestamp) -> bool;

    /// Whether this is one.
    fn is_right(&self, account: &Account, proof: &Proof, rules: &Rules, now: Timestamp) -> bool;
}

/// In the order in which they are offered: the strongest first.
const KINDS: [&dyn OwnerProof; 6] = [&ByDevice, &ByPhone, &ByPassword, &ByQuestions, &ByEmail, &ByName];

impl Account {
    /// How much must be proven by who waits for that reason.
    pub(super) fn need(&self, reason: Reason, rules: &Rules, now: Timestamp) -> u8 {
        let profile = self.profile(rules).need();
        match reason {
            // Whoever may be let in by a trusted phone alone where nobody doubts the number.
            Reason::NewDevice | Reason::Risk => 2,
            Reason::NumberMayBeRecycled if self.is_protected(rules) => STRONG,
            Reason::NumberMayBeRecycled | Reason::NumberRecycled => profile,
            // The password was given. Protection asks for what it would ask for on any new device, beside that.
            Reason::HistoricalNumber if self.protection_holds(rules, now) => MEDIUM.saturating_add(MEDIUM),
            Reason::HistoricalNumber => profile.saturating_add(WEAK),
        }
    }

    /// What can be proven by who waits, beside what was: only what helps, and nothing if it cannot be enough.
    pub(super) fn offered(&self, step_up: &StepUp, rules: &Rules, now: Timestamp) -> Vec<ProofKind> {
        let is_left = |kind: ProofKind| match kind {
            // Protection is there for who has lost the password along with the number.
            ProofKind::Password => step_up.action.is_some() || step_up.reason == Reason::NumberMayBeRecycled,
            _ => step_up.reason != Reason::NumberRecycled,
        };
        let there = KINDS.iter().filter(|proof| {
            is_left(proof.kind())
                && !step_up.proven.contains(&proof.kind())
                && proof.is_there(self, step_up, rules, now)
        });
        let mut offered: Vec<ProofKind> = there.map(|proof| proof.kind()).collect();
        let all: Vec<ProofKind> = step_up.proven.iter().chain(&offered).copied().collect();
        if strength_of(&all) < step_up.need {
            offered.clear();
        }
        // Proofs of two and three make up an even need without a weak one.
        let is_odd = !step_up.need.is_multiple_of(2);
        // An older number must not get past protection with less than a younger one.
        let is_guarded = step_up.reason == Reason::NumberMayBeRecycled && self.protection_holds(rules, now);
        let weak_helps = is_odd && !is_guarded && strength_of(&step_up.proven) < step_up.need;
        offered.retain(|kind| kind.strength() > WEAK || weak_helps);
        offered
    }

    /// Takes what was proven at a ticket; `None`: it counts, or nothing was, and it goes on.
    pub(super) fn take_owner_proof(&mut self, at: &AtTicket, now: Timestamp) -> Option<Outcome> {
        let kind = match &at.step {
            Step::AnswerQuestion { round, option } => {
                return self.answer_question(at.ticket, (*round, *option), now);
            }
            Step::Try(kind) => *kind,
            Step::Prove(Proof::Phone(_)) => ProofKind::TrustedPhone,
            Step::Prove(Proof::Email(_)) => ProofKind::EmailCode,
            Step::Prove(Proof::Password(_)) => ProofKind::Password,
            Step::Prove(Proof::NameId(_)) => ProofKind::NameId,
            _ => return None,
        };
        let step_up = self.step_ups.find(at.ticket, now)?.clone();
        if step_up.approved().is_some() || step_up.proven.contains(&kind) {
            return None;
        }
        if !self.offered(&step_up, &at.rules, now).contains(&kind) {
            return Some(Outcome::ProofFailed);
        }
        let Step::Prove(proof) = &at.step else {
            return (!self.may_try(&step_up, &at.rules, now)).then_some(Outcome::ProofsExhausted);
        };
        let room = KINDS.iter().find(|room| room.kind() == kind);
        if !room.is_some_and(|room| room.is_right(self, proof, &at.rules, now)) {
            return Some(Outcome::ProofFailed);
        }
        self.step_ups.prove(at.ticket, kind, now);
        None
    }

    /// Counts a try of who waits; whether it may be made. Strangers must not use up what is left to the owner.
    fn may_try(&mut self, step_up: &StepUp, rules: &Rules, now: Timestamp) -> bool {
        let here = self.devices.iter().find(|known| known.has_token(&step_up.device_token));
        let stands = here.is_some_and(|known| self.has_standing(known.id, rules, now));
        let by_all = if stands { usize::MAX } else { rules.tries.by_all };
        let limits = TryLimits { by_all, ..rules.tries };
        self.tries.take((&step_up.sign_in.asker, stands || step_up.stands_out()), limits, now)
    }

    /// Whether it is this device that waits.
    pub(super) fn waits_on(&self, step_up: &StepUp, device: DeviceId) -> bool {
        let known = self.devices.iter().find(|known| known.id == device);
        known.is_some_and(|known| known.has_token(&step_up.device_token))
    }

    /// A sign-in that waits, as its device may see it.
    pub(super) fn waiting(&self, step_up: &StepUp, rules: &Rules, now: Timestamp) -> Waiting {
        let question = step_up.question.as_ref().filter(|_| step_up.approved().is_none());
        let offered = self.offered(step_up, rules, now);
        let has = |kind: ProofKind| offered.contains(&kind);
        let by_phone = match has(ProofKind::TrustedPhone) {
            true => self.phones_to_ask(rules, now).cloned().collect(),
            false => Vec::new(),
        };
        let asks = step_up.reason == Reason::NumberMayBeRecycled;
        let hints = self.created.filter(|_| asks);
        Waiting {
            ticket: step_up.ticket,
            reason: step_up.reason,
            until: step_up.until,
            token_issued: step_up.token_issued,
            question: question.map(|question| (question.digits, question.until)),
            need: step_up.need,
            proven: step_up.proven.clone(),
            by_phone,
            round: step_up
                .questions
                .as_ref()
                .and_then(Questions::round)
                .map(|(at, shown)| (at, shown.clone())),
            name: self.verified.as_ref().filter(|_| has(ProofKind::NameId)).map(|known| known.name.clone()),
            email: self.email().filter(|_| has(ProofKind::EmailCode)).map(|email| email.value.clone()),
            offered,
            hints: hints.map(|created| (self.profile.display_name.clone(), created.at)),
            app: step_up.sign_in.app.clone(),
            platform: step_up.sign_in.profile.platform,
        }
    }
}
