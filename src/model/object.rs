//! What every object has in common: one document that is read, changed by one operation and written whole.
//!
//! State and outbox stand in the same document, so that a change and the messages that follow from it are
//! stored in one write: after a crash either both are there or neither.

use serde::{Deserialize, Serialize};

use super::outbox::{Letter, Outbox};
use crate::kernel::time::Timestamp;

/// A state machine that lives in an object of its own.
pub trait Machine: Default {
    /// What can be asked of it.
    type Operation;
    /// What it answers.
    type Outcome;

    /// Carries out one whole step at service time `now`. Repeating an operation whose answer was lost gives
    /// the same outcome. Messages to others go to the outbox.
    fn apply(&mut self, operation: Self::Operation, now: Timestamp, outbox: &mut Outbox) -> Self::Outcome;

    /// Drops what is worth nothing any more at `now`. Messages to others go to the outbox.
    fn tidy(&mut self, now: Timestamp, outbox: &mut Outbox);

    /// When [`Machine::tidy`] finds something to drop; `None`: never.
    fn expires(&self) -> Option<Timestamp>;

    /// Whether the state holds nothing, so that the object may be deleted.
    fn is_empty(&self) -> bool;
}

/// The document an object persists. A change of form raises [`DOCUMENT_VERSION`] and gets a migration here.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Document<M> {
    version: u32,
    state: M,
    #[serde(default, skip_serializing_if = "Outbox::is_empty")]
    outbox: Outbox,
}

/// The version that this build writes; it reads this and older ones.
pub const DOCUMENT_VERSION: u32 = 1;

impl<M: Machine> Document<M> {
    /// An object that holds nothing yet.
    pub fn empty() -> Self {
        Self { version: DOCUMENT_VERSION, ..Self::default() }
    }

    /// Whether this build understands the document; a newer one is left alone rather than losing its fields.
    pub const fn is_known_version(&self) -> bool {
        self.version <= DOCUMENT_VERSION
    }

    /// Carries out one operation.
    pub fn apply(&mut self, operation: M::Operation, now: Timestamp) -> M::Outcome {
        self.state.apply(operation, now, &mut self.outbox)
    }

    /// The letters that are due at `now`, oldest first.
    pub fn due(&self, now: Timestamp) -> Vec<Letter> {
        self.outbox.due(now)
    }

    /// Takes note of which letters were delivered and which were not (they are tried again later).
    pub fn settle(&mut self, delivered: &[u64], failed: &[u64], now: Timestamp) {
        self.outbox.settle(delivered, failed, now);
    }

    /// When the object wants to be woken: for the next letter, or to drop something.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.outbox.next_due().into_iter().chain(self.state.expires()).min()
    }

    /// Drops what is worth nothing any more at `now`; true when the object holds nothing then and may be deleted.
    pub fn tidy(&mut self, now: Timestamp) -> bool {
        self.state.tidy(now, &mut self.outbox);
        self.outbox.is_empty() && self.state.is_empty()
    }
}
