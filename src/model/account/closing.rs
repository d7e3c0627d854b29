//! Deletion: the ways in stop at once, the data goes after a grace in which it can be taken back.
//!
//! In the grace the identifiers stay the account's, so that nobody who got hold of a session can delete an account
//! and its owner finds a stranger in their place.

use serde::{Deserialize, Serialize};

use super::{Account, End, Outcome};
use crate::{
    kernel::{id::AccountId, time::Timestamp},
    model::{
        handle::Parting,
        outbox::{Message, Outbox},
    },
};

/// An account that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    account: AccountId,
    /// Its data goes then.
    pub until: Timestamp,
}

impl Account {
    /// Deletes the account: nobody comes in any more.
    pub(super) fn close(&mut self, account: AccountId, end: &End<'_>, outbox: &mut Outbox) -> Outcome {
        let until = end.now.plus(end.rules.deletion_grace);
        self.closing = Some(Closing { account, until });
        self.step_ups.drop_those(&|_| true);
        self.end_sessions(end, outbox, &|_| true);
        // Nor does anything of it speak for its number.
        for device in &self.devices {
            for token_digest in std::iter::once(&device.token_digest).chain(&device.previous_token) {
                let token_digest = token_digest.clone();
                outbox.post(Message::RetractDevice { token_digest }, end.now);
            }
        }
        Outcome::Closing { until }
    }

    /// Takes it back, in the grace.
    pub(super) fn restore(&mut self, now: Timestamp) -> Outcome {
        match self.closing.take_if(|closing| now < closing.until) {
            Some(_) => Outcome::Done,
            None => Outcome::NotFound,
        }
    }

    /// Once the grace is over: its identifiers are free, and nothing is left.
    pub(super) fn close_when_due(&mut self, now: Timestamp, outbox: &mut Outbox) {
        let Some(Closing { account, .. }) = self.closing.take_if(|closing| closing.until <= now) else {
            return;
        };
        for known in std::mem::take(&mut self.identifiers) {
            let (handle, up_to, cause) = (known.handle, known.claim, Parting::Deleted);
            let heir = self
                .number_claim
                .take_if(|claim| claim.handle == handle)
                .and_then(|claim| claim.waiting(now));
            outbox.post(Message::Release { handle, account, up_to, cause, heir }, now);
        }
        self.drop_cases(true, now, outbox);
        outbox.post(Message::UnindexAccount { account }, now);
        // Whoever imports the same file once more must not bring back who has left.
        let has_left = self.created.is_some_and(|created| created.by.is_none());
        *self = Self { has_left, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{
        Act, Deed, Operation,
        tests::{RULES, sign_in},
    };
    use super::*;
    use crate::{
        kernel::id::SessionId,
        model::{login_history::Place, object::Document},
    };

    const DAY: i64 = 86_400;

    fn closed() -> Document<Account> {
        let mut document = Document::<Account>::empty();
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), Timestamp::from_secs(0));
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([1; 16]));
        let (deed, place, proof) = (Deed::Delete, Place::default(), None);
        let act = Act { account, session, deed, place, rules: RULES, proof };
        let outcome = document.apply(Operation::Act(Box::new(act)), Timestamp::from_secs(1));
        let until = Timestamp::from_secs(1).plus(RULES.deletion_grace);
        assert_eq!(outcome, Outcome::Closing { until });
        document
    }

    #[test]
    fn nobody_comes_in_and_after_the_grace_nothing_is_left() {
        assert_eq!(RULES.deletion_grace, Duration::from_secs(15 * 86_400));
        let mut document = closed();
        let again = sign_in(2, None);
        let at = |days: i64| Timestamp::from_secs(1 + days * DAY);
        assert_eq!(document.apply(Operation::SignIn(Box::new(again.clone())), at(14)), Outcome::Frozen);
        assert_eq!(document.apply(Operation::LookAtPhone, at(14)), Outcome::Phone { phone: None });
        assert!(!document.tidy(at(15)), "first its identifiers must be free");
        let due = document.due(at(15));
        let released = due.iter().filter(|letter| matches!(letter.message, Message::Release { .. })).count();
        let unindexed = Message::UnindexAccount { account: AccountId::from_bytes([100; 16]) };
        assert!(released == 1 && due.iter().any(|letter| letter.message == unindexed), "{due:?}");
        document.settle(&due.iter().map(|letter| letter.id).collect::<Vec<_>>(), &[], at(15));
        assert!(document.tidy(at(15)));
    }

    #[test]
    fn it_can_be_taken_back_in_the_grace() {
        let mut document = closed();
        let at = |days: i64| Timestamp::from_secs(1 + days * DAY);
        assert_eq!(document.apply(Operation::Restore, at(14)), Outcome::Done);
        assert_eq!(document.apply(Operation::Restore, at(14)), Outcome::NotFound);
        assert!(!document.tidy(at(16)));
        let again = document.apply(Operation::SignIn(Box::new(sign_in(2, None))), at(16));
        assert!(matches!(again, Outcome::SignedIn { is_new: false, .. }));
        // Not by an alarm's delay afterwards.
        assert_eq!(closed().apply(Operation::Restore, at(15)), Outcome::NotFound);
    }
}
