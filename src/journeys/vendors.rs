//! Vendors that share work: in which order they are asked, and how they do.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};

use super::{Service, provider::Choice};
use crate::{
    kernel::fault::Fault,
    model::counter::{Operation, Outcome},
    ports::World,
    rules::routing::{self, Candidate},
};

/// So long anybody waits to hear how vendors do, or to tell it.
const LOOK_AT_MOST: Duration = Duration::from_millis(300);

/// How calls of vendors went: the counter of their health, and whether they did their work.
pub(super) type Calls = Vec<(String, bool)>;

impl<W: World> Service<'_, W> {
    /// In which order vendors are tried: by health, then by weight.
    pub(super) async fn order(&self, choices: &[Choice<'_>]) -> Vec<usize> {
        // Nobody is asked how the only one is. What is not known speaks neither for nor against a vendor.
        let asked = choices.iter().filter(|_| choices.len() > 1);
        let looks = asked.map(|choice| {
            (health_counter(choice.document.id(), &choice.account.app), Operation::LookAtHealth)
        });
        // Nor does anybody wait long for it.
        let looks = pin!(self.counters(looks.collect()));
        let outcomes = match select(looks, pin!(self.world.pause(LOOK_AT_MOST))).await {
            Either::Left((outcomes, _)) => outcomes,
            Either::Right(_) => Vec::new(),
        };
        let health = outcomes.into_iter().map(|outcome| match outcome {
            Ok(Outcome::Health { health }) => Some(health),
            _ => None,
        });
        let health = health.chain(std::iter::repeat(None));
        let candidates: Vec<Candidate> = choices
            .iter()
            .zip(health)
            .map(|(choice, health)| Candidate { weight: choice.account.weight(), health })
            .collect();
        let random = self.fresh().map(u64::from_be_bytes).unwrap_or_default();
        routing::order(&candidates, random)
    }

    /// Books how calls went. What is lost here is only health.
    pub(super) async fn note_calls(&self, calls: Calls) {
        let notes = calls.into_iter().map(|(health, ok)| (health, Operation::NoteCall { ok }));
        for noted in self.counters(notes.collect()).await {
            self.pass_over(noted);
        }
    }

    /// The same while somebody waits: not for long.
    pub(super) async fn note_calls_in_passing(&self, calls: Calls) {
        select(pin!(self.note_calls(calls)), pin!(self.world.pause(LOOK_AT_MOST))).await;
    }

    /// Books the receipts that a provider pushed, for every app that sends by it: a receipt names none. A push that is
    /// repeated is booked again: what it weighs in a half hour's health is not worth remembering every message.
    ///
    /// # Errors
    /// [`Fault`]: not booked; the provider may push again.
    pub(super) async fn note_receipts(
        &self,
        provider: &str,
        delivered: u64,
        undelivered: u64,
    ) -> Result<(), Fault> {
        let operation = Operation::NoteReceipts { delivered, undelivered };
        let accounts = self.settings.provider_accounts.iter().filter(|account| account.provider == provider);
        let notes = accounts.map(|account| (health_counter(provider, &account.app), operation.clone()));
        self.counters(notes.collect()).await.into_iter().try_for_each(|noted| noted.map(|_| ()))
    }
}

/// An app's accounts are its own: an empty one makes the vendor unwell for nobody else.
pub(super) fn health_counter(provider: &str, app: &str) -> String {
    format!("health.{provider}.{app}")
}
