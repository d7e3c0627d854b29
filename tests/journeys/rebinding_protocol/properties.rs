//! What must hold whatever happens, and what must be able to happen.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use stateright::{Model, Property};

use super::{
    Action, Asker, Entry, OWNER, Protocol, State,
    calls::{SOLD, Step, fresh},
    machines::{Held, Post, Seen, Who},
};

/// So many steps later nothing is under way any more.
const SOON: usize = 80;

pub(super) fn all(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = vec![
        Property::always("of one number, one account is sure", |_, state: &State| {
            [0, 1].iter().all(|number| {
                let sure = |seen: &Seen| seen.numbers.contains(&(*number, false));
                state.accounts.iter().filter(|account| sure(&account.seen)).count() <= 1
            })
        }),
        Property::always("of several numbers an account has one", |_, state: &State| {
            let sure = |seen: &Seen| seen.numbers.iter().filter(|(_, is_claiming)| !is_claiming).count();
            state.accounts.iter().all(|account| sure(&account.seen) <= 1)
        }),
        Property::always(
            "who holds a number lists it, waits for it, or lets it go",
            |protocol: &Protocol, state: &State| {
                [0, 1].iter().all(|number| {
                    let held = state.holder(protocol, *number);
                    held.is_none_or(|held| state.answers_for(*number, held) || state.had_mishap(protocol))
                })
            },
        ),
        Property::always("the owner loses the number and nothing else", |_, state: &State| {
            state.seen(OWNER).has_all
        }),
        Property::always("of one ticket, mine and not mine never both count", |_, state: &State| {
            state.entries.iter().all(|entry| !entry.gave_up || !entry.has_proven)
        }),
        Property::always("nobody who has the number is sent away", |_, state: &State| {
            state.entries.iter().all(|entry| !entry.failed)
        }),
        Property::always(
            "when all is quiet, handles and accounts agree",
            |protocol: &Protocol, state: &State| {
                !state.is_quiet() || [0, 1].iter().all(|number| state.agree(protocol, *number))
            },
        ),
        Property::always(
            "when all is quiet, who comes with the number is heard",
            |protocol: &Protocol, state: &State| !state.is_quiet() || state.hears_who_comes(protocol),
        ),
        Property::always("soon all is quiet", |protocol: &Protocol, state: &State| state.ends(protocol)),
    ];
    // Who must wait comes again after that.
    if !protocol.is_active || protocol.askers == [Asker::Stranger; 2] {
        all.push(Property::sometimes("it goes to who says not mine", |_, state: &State| {
            let has = |nth| state.seen(fresh(nth)).numbers.contains(&(SOLD, false));
            let got_it = |nth: usize| state.entries[nth].gave_up && has(nth);
            state.is_quiet() && (0..state.entries.len()).any(got_it)
        }));
    }
    if protocol.askers.contains(&Asker::Owner) || !protocol.is_active {
        all.push(Property::sometimes("its owner keeps it", |_, state: &State| {
            let owner = state.seen(OWNER);
            let is_heard = |entry: &Entry| entry.has_proven || entry.is_in && !entry.gave_up;
            let is_theirs = owner.numbers.contains(&(SOLD, false)) && !owner.is_claimed;
            state.is_quiet() && is_theirs && state.entries.iter().any(is_heard)
        }));
    }
    if protocol.is_active {
        all.push(Property::sometimes("somebody waits for it", |_, state: &State| {
            state.accounts.iter().any(|account| account.seen.awaits)
        }));
    }
    all
}

impl State {
    fn seen(&self, who: Who) -> &Seen {
        &self.accounts[usize::from(who) - 1].seen
    }

    /// Whose account a number leads to. One whose first sign-in has not finished is made by the next.
    fn holder(&self, protocol: &Protocol, number: usize) -> Option<Held> {
        let held = self.look(protocol, number)?;
        (held.proven.is_some() || self.seen(held.by).exists).then_some(held)
    }

    fn lists(&self, who: Who, number: usize) -> bool {
        self.seen(who).numbers.iter().any(|(known, _)| *known == number)
    }

    /// Whether its holder knows of it, or hears of it, or gives it up.
    fn answers_for(&self, number: usize, held: Held) -> bool {
        let seen = self.seen(held.by);
        let gives_up = |post: &Post| matches!(post, Post::Release { number: known, up_to, .. } if *known == number && held.claim <= *up_to);
        let hears = |step: &Step| match step {
            Step::SignIn { held: known, .. } | Step::Rebind { held: known, .. } => {
                number == SOLD && *known == held
            }
            Step::Settle { who, is_won, .. } => *who == held.by && *is_won,
            Step::Free { held: known, .. } => *known == held,
            _ => false,
        };
        self.lists(held.by, number)
            || number == SOLD && seen.awaits
            || seen.posts.iter().any(gives_up)
            || self.calls.iter().any(|call| hears(&call.step))
    }

    /// What is still excused: a call that comes late, and whose caller is gone, leaves the number with an account that knows
    /// nothing of it until somebody comes for it.
    pub(super) const fn had_mishap(&self, protocol: &Protocol) -> bool {
        self.mishaps < protocol.mishaps
    }

    fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.accounts.iter().all(|account| account.seen.posts.is_empty())
    }

    fn agree(&self, protocol: &Protocol, number: usize) -> bool {
        let holder = self.holder(protocol, number);
        let is_true = |(who, account): (Who, &super::machines::Kept)| {
            let mut listed = account.seen.numbers.iter().filter(|(known, _)| *known == number);
            listed.all(|(_, is_claiming)| !is_claiming && holder.is_some_and(|held| held.by == who))
        };
        (1..).zip(&self.accounts).all(is_true)
            && holder.is_none_or(|held| self.answers_for(number, held) || self.had_mishap(protocol))
    }

    /// Whether somebody who comes now, alone, is signed in to an account that has the number then, or asked whose it is.
    fn hears_who_comes(&self, protocol: &Protocol) -> bool {
        let (nth, mut state) = (self.entries.len(), self.clone());
        state.entries.push(Entry { has_come: true, ..Entry::default() });
        state.call(Step::Resolve { nth, is_anew: false });
        while !state.calls.is_empty() {
            state.go(protocol, 0);
        }
        let holder = state.holder(protocol, SOLD);
        let is_held = holder.is_some_and(|held| state.seen(held.by).numbers.contains(&(SOLD, false)));
        let entry = state.entries[nth];
        is_held && !entry.failed && (entry.is_in || entry.asked_at == holder.map(|held| held.by))
    }

    /// Whether all comes to an end if nobody does anything more and nothing breaks.
    fn ends(&self, protocol: &Protocol) -> bool {
        let mut passed = Vec::new();
        let (mut state, mut actions) = (self.clone(), Vec::new());
        while passed.len() < SOON {
            let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&state);
            let is_known = protocol.ending.lock().unwrap().contains(&digest);
            passed.push(digest);
            protocol.actions(&state, &mut actions);
            let goes_on = |action: &Action| matches!(action, Action::Go(_) | Action::Send(.., true));
            let next = actions.drain(..).find(goes_on).filter(|_| !is_known);
            match next.and_then(|action| protocol.next_state(&state, action)) {
                Some(next) => state = next,
                None if is_known || state.is_quiet() => {
                    protocol.ending.lock().unwrap().extend(passed);
                    return true;
                }
                None => return false,
            }
        }
        false
    }
}
