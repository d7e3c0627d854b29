//! Friends vouch for who waits: the owner's, as the app names them, by a phrase that was passed on to them.
//!
//! It takes longer than a ticket lasts, so it is a case of its own, of one device. What friends have said counts at every ticket
//! of that device, for as long as the case stands granted: it ends when somebody comes in on the device, when the owner
//! refuses it or comes with the number, and when friends are friends no more.

use serde::{Deserialize, Serialize};

use super::{
    super::Supplied, Account, AtTicket, Outcome, OwnerProof, Proof, ProofKind, Rules, StepUp, Timestamp,
};
use crate::{
    kernel::id::{AccountId, CaseId, TicketId},
    model::{
        case::{AskedFriends, Case, Matter, State},
        friends::{FRIENDS_NEEDED, Friend, Vouched, Vouching, Whence},
        outbox::Outbox,
        step_up::Reason,
    },
};

/// Friends shall be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskFriends {
    /// Under what it is kept, unless they are asked already.
    pub case: CaseId,
    /// Keyed digest of the phrase of that case.
    pub phrase: String,
    /// Keyed digest of the network from which it is asked.
    pub network: String,
}

/// A friend confirms a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Keyed digest of the phrase.
    pub phrase: String,
    /// Whose word it is.
    pub friend: AccountId,
    /// By what they come.
    pub whence: Whence,
}

pub(super) struct ByFriends;

impl OwnerProof for ByFriends {
    fn kind(&self) -> ProofKind {
        ProofKind::Friends
    }

    fn is_there(&self, account: &Account, step_up: &StepUp, _: &Rules, now: Timestamp) -> bool {
        let counting = friends(account.supplied.as_ref()).iter().filter(|friend| friend.counts(now)).count();
        // Nobody waits a day to do something in an app.
        step_up.action.is_none() && counting >= FRIENDS_NEEDED
    }

    fn is_right(&self, _: &Account, _: &Proof, _: &Rules, _: Timestamp) -> bool {
        false
    }
}

impl Account {
    /// Asks friends for a sign-in that waits. Asked again on the same device it is the same case.
    pub(in super::super) fn ask_friends(
        &mut self,
        at: &AtTicket,
        asked: &AskFriends,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let rules = &at.rules;
        let Some(step_up) = self.step_ups.find(at.ticket, now).cloned() else {
            return Outcome::TicketInvalid;
        };
        let waits = |account: &Self| Outcome::Waits(account.waiting(&step_up, rules, now).into());
        if step_up.proven.contains(&ProofKind::Friends) {
            return waits(self);
        }
        // 1. They are asked already.
        let is_it = |known: &&mut Case| {
            known.id == asked.case || known.stands(now) && asks_on_device_of(&known.matter, &step_up)
        };
        if let Some(known) = self.cases.iter_mut().find(is_it) {
            return match (known.stands(now), &mut known.matter) {
                (true, Matter::Friends(friends)) => {
                    friends.vouching.comes_from(&asked.network);
                    waits(self)
                }
                _ => Outcome::ProofFailed,
            };
        }
        // 2. Room for it, as for an appeal.
        if !self.offered(&step_up, rules, now).contains(&ProofKind::Friends) {
            return Outcome::NotFound;
        }
        let on_own_device = self.waits_on_own_device(&step_up, rules, now);
        if let Some(retry_after) = self.cases_are_full("friends", (&step_up, on_own_device), rules, now) {
            return Outcome::Limited { retry_after };
        }
        if !self.may_try(&step_up, rules, now) {
            return Outcome::ProofsExhausted;
        }
        // 3. The owner is told in the same write.
        let vouching = Vouching::ask(asked.phrase.clone(), traces_of(&step_up, &asked.network), now);
        let mut kept = step_up.clone();
        // It outlives its ticket by far, and leads in by another one.
        (kept.question, kept.questions, kept.sign_in.new_password) = (None, None, None);
        let matter = Matter::Friends(Box::new(AskedFriends { waits: kept, vouching, on_own_device }));
        let (id, profile) = (asked.case, self.profile(rules));
        let case = Case { id, opened_at: now, state: State::Open, profile, votes: Vec::new(), matter };
        self.open_case(case, at.account, rules, now, outbox);
        waits(self)
    }

    /// A friend confirms a phrase. Whatever is wrong with it, it comes to the same.
    pub(in super::super) fn hear_friend(&mut self, word: &Word, now: Timestamp) -> Outcome {
        let hears = !self.is_closed();
        let friends = friends(self.supplied.as_ref());
        for case in self.cases.iter_mut().filter(|known| hears && known.is_open()) {
            let Matter::Friends(asked) = &mut case.matter else { continue };
            match asked.vouching.confirm(&word.phrase, friends, (word.friend, &word.whence), now) {
                Vouched::Counts => return Outcome::Done,
                Vouched::Enough => {
                    case.state = State::Granted(now);
                    return Outcome::Done;
                }
                Vouched::Over | Vouched::NoFriend | Vouched::SameHand => {}
            }
        }
        Outcome::ProofFailed
    }

    /// The app names other friends: what those said counts no more whom it does not name.
    pub(in super::super) fn forget_old_friends(&mut self) {
        let friends = friends(self.supplied.as_ref());
        for case in self.cases.iter_mut().filter(|known| known.is_open()) {
            let Matter::Friends(asked) = &mut case.matter else { continue };
            asked.vouching.keep(friends);
            if !asked.vouching.is_enough() {
                case.state = State::Open;
            }
        }
    }

    /// Has what friends say counted at a ticket, or counted no more.
    pub(in super::super) fn count_friends(&mut self, ticket: TicketId, now: Timestamp) {
        let step_up = self.step_ups.find(ticket, now).filter(|known| !known.carried_out);
        let Some(step_up) = step_up else { return };
        let vouch = |known: &Case| {
            matches!(known.state, State::Granted(_))
                && now < known.until()
                && asks_on_device_of(&known.matter, step_up)
        };
        let may = step_up.action.is_none() && step_up.reason != Reason::NumberRecycled;
        let counts = may && self.cases.iter().any(vouch);
        step_up.proven.retain(|kind| counts || *kind != ProofKind::Friends);
        if counts && !step_up.proven.contains(&ProofKind::Friends) {
            step_up.proven.push(ProofKind::Friends);
        }
    }

    /// Ends what friends are asked by those.
    pub(in super::super) fn end_asking(&mut self, state: State, which: &dyn Fn(&StepUp) -> bool) {
        for case in self.cases.iter_mut().filter(|known| known.is_open()) {
            if matches!(&case.matter, Matter::Friends(asked) if which(&asked.waits)) {
                case.state = state;
            }
        }
    }

    /// Whether friends were asked on the device that has this token, which it got with its ticket.
    pub(in super::super) fn asks_friends_on(&self, token: &str, now: Timestamp) -> bool {
        let is_on = |known: &&Case| matches!(&known.matter, Matter::Friends(asked) if asked.waits.device_token == token);
        self.cases.iter().filter(is_on).any(|known| known.stands(now))
    }

    /// The case in which friends can still confirm for a sign-in that waits: its id, its end, and until when they can.
    pub(super) fn asked_friends(
        &self,
        step_up: &StepUp,
        now: Timestamp,
    ) -> Option<(CaseId, Timestamp, Timestamp)> {
        self.cases.iter().find_map(|known| match &known.matter {
            Matter::Friends(asked)
                if known.state == State::Open
                    && known.stands(now)
                    && asks_on_device_of(&known.matter, step_up) =>
            {
                Some((known.id, known.until(), asked.vouching.until))
            }
            _ => None,
        })
    }
}

/// The owner's friends, as the app names them.
fn friends(supplied: Option<&Supplied>) -> &[Friend] {
    supplied.and_then(|said| said.friends.as_deref()).unwrap_or_default()
}

/// Whether friends were asked on the device that waits: by its key where it has one, else by its token.
fn asks_on_device_of(matter: &Matter, step_up: &StepUp) -> bool {
    let Matter::Friends(asked) = matter else { return false };
    match (&asked.waits.key, &step_up.key) {
        (None, None) => asked.waits.device_token == step_up.device_token,
        (Some(one), Some(other)) => one.thumbprint == other.thumbprint,
        _ => false,
    }
}

/// By what whoever waits comes, now and when they proved the number.
fn traces_of(step_up: &StepUp, network: &str) -> Whence {
    let sign_in = &step_up.sign_in;
    let tokens = [&step_up.device_token].into_iter().chain(&sign_in.presented.token);
    let key = step_up.key.as_ref().map(|key| &key.thumbprint);
    let mut traces: Vec<String> = tokens.chain(key).chain([&sign_in.asker]).cloned().collect();
    traces.push(network.to_owned());
    Whence(traces)
}

#[cfg(test)]
mod tests;
