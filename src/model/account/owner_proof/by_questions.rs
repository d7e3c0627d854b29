//! Questions about what happened in the account. Whoever is asked learns nothing between two rounds.

use serde::{Deserialize, Serialize};

use super::{Account, Outcome, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp};
use crate::{
    kernel::{id::TicketId, seal::Sealed},
    model::{
        fact::Fact,
        questions::{Answered, ROUNDS, Series},
    },
};

/// A series that is being asked at a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions {
    /// How it stands.
    pub series: Series,
    /// What is shown in each round, sealed for the account.
    pub rounds: Vec<Sealed>,
}

/// What a series is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What the app has said.
    pub facts: Vec<Fact>,
    /// Models of the account's devices, but not of the one that waits.
    pub models: Vec<String>,
    /// What whoever waits may know: the name of its owner.
    pub display_name: Option<Sealed>,
    /// And since when there is an account.
    pub since: Timestamp,
}

pub(super) struct ByQuestions;

impl OwnerProof for ByQuestions {
    fn kind(&self) -> ProofKind {
        ProofKind::HistoryQuestions
    }

    fn is_there(&self, account: &Account, step_up: &StepUp, _: &Rules, _: Timestamp) -> bool {
        account.facts().len().saturating_add(account.models(step_up).len()) >= ROUNDS
    }

    fn is_right(&self, _: &Account, _: &Proof, _: &Rules, _: Timestamp) -> bool {
        false
    }
}

impl Questions {
    /// The round that is asked, counted from 0, and what is shown in it.
    pub fn round(&self) -> Option<(usize, &Sealed)> {
        match self.series.state() {
            Answered::Next(round) => self.rounds.get(round).map(|shown| (round, shown)),
            Answered::Over { .. } => None,
        }
    }
}

impl Account {
    /// Begins to ask: what a series can be made of, unless one stands. A series is one try.
    pub(in super::super) fn begin_questions(
        &mut self,
        ticket: TicketId,
        rules: &Rules,
        now: Timestamp,
    ) -> Outcome {
        let Some(step_up) = self.step_ups.find(ticket, now).cloned() else { return Outcome::TicketInvalid };
        if step_up.questions.as_ref().is_some_and(|known| known.round().is_some()) {
            return Outcome::Waits(self.waiting(&step_up, rules, now).into());
        }
        if !self.offered(&step_up, rules, now).contains(&ProofKind::HistoryQuestions) {
            return Outcome::NotFound;
        }
        if !self.may_try(&step_up, rules, now) {
            return Outcome::ProofsExhausted;
        }
        let known = Known {
            facts: self.facts().to_vec(),
            models: self.models(&step_up),
            display_name: self.profile.display_name.clone(),
            since: self.created.map_or(now, |created| created.at),
        };
        Outcome::Known(known.into())
    }

    /// Asks a series, unless one stands.
    pub(in super::super) fn ask_questions(
        &mut self,
        ticket: TicketId,
        questions: &Questions,
        rules: &Rules,
        now: Timestamp,
    ) -> Outcome {
        let Some(step_up) = self.step_ups.find(ticket, now) else { return Outcome::TicketInvalid };
        if step_up.questions.as_ref().is_none_or(|known| known.round().is_none()) {
            step_up.questions = Some(questions.clone());
        }
        let step_up = step_up.clone();
        Outcome::Waits(self.waiting(&step_up, rules, now).into())
    }

    /// Takes the option chosen in a round; `None`: it goes on. One of a round before is a repeat.
    pub(super) fn answer_question(
        &mut self,
        ticket: TicketId,
        (round, option): (usize, usize),
        now: Timestamp,
    ) -> Option<Outcome> {
        let step_up = self.step_ups.find(ticket, now)?;
        if step_up.proven.contains(&ProofKind::HistoryQuestions) {
            return None;
        }
        let questions = step_up.questions.as_mut();
        let asked = questions.as_ref().and_then(|known| known.round()).map(|(asked, _)| asked);
        let (Some(questions), Some(asked)) = (questions, asked) else { return Some(Outcome::ProofFailed) };
        if round < asked {
            return None;
        }
        if round > asked {
            return Some(Outcome::ProofFailed);
        }
        match questions.series.answer(option) {
            Answered::Next(_) => None,
            Answered::Over { passed: false } => Some(Outcome::ProofFailed),
            Answered::Over { passed: true } => {
                self.step_ups.prove(ticket, ProofKind::HistoryQuestions, now);
                None
            }
        }
    }

    fn facts(&self) -> &[Fact] {
        self.supplied.as_ref().and_then(|said| said.facts.as_deref()).unwrap_or_default()
    }

    fn models(&self, step_up: &StepUp) -> Vec<String> {
        let others = self.devices.iter().filter(|known| !known.has_token(&step_up.device_token));
        others.filter_map(|known| known.profile.model.clone()).collect()
    }
}
