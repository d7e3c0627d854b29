//! What must hold whatever happens, and what must be able to happen.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use stateright::{Model, Property};

use super::{
    Action, Deed, Protocol, State,
    calls::{Call, Step},
    machines::{Held, Listed, Post, Seen},
    requests::{Name, Person, is_proven},
};

/// So many steps later nothing is under way any more.
const SOON: usize = 60;

pub(super) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always("of one name, one account is sure", |protocol: &Protocol, state: &State| {
            protocol.names.iter().all(|name| {
                let sure = protocol.everybody().flat_map(|who| state.seen(who).listed.iter());
                sure.filter(|known| known.name == *name && !known.is_claiming).count() <= 1
            })
        }),
        Property::always("who holds a name lists it, or lets it go", |protocol: &Protocol, state: &State| {
            protocol.names.iter().all(|name| {
                let holder = state.holder(protocol, name);
                holder.is_none_or(|held| state.answers_for(held, name) || state.may_be_stray(protocol))
            })
        }),
        Property::always("another name is never without the one it belongs to", |protocol, state: &State| {
            protocol.everybody().all(|who| has_all_mains(state.seen(who)))
        }),
        Property::always("of several numbers an account has one", |protocol: &Protocol, state: &State| {
            protocol.everybody().all(|who| {
                let numbers = state.seen(who).listed.iter().filter(|known| known.name.starts_with("phone."));
                numbers.filter(|known| !known.is_claiming).count() <= 1
            })
        }),
        Property::always("when all is quiet, handles and accounts agree", |protocol, state: &State| {
            !state.is_quiet(protocol) || state.agree(protocol)
        }),
        Property::always(
            "when all is quiet, who comes for what nobody has gets it",
            |protocol, state: &State| {
                !state.is_quiet(protocol)
                    || protocol.everybody().all(|who| state.gets_what_is_free(protocol, who))
            },
        ),
        Property::always("soon all is quiet", |protocol: &Protocol, state: &State| state.ends(protocol)),
        Property::sometimes(
            "one who wants it has it, and all is quiet",
            |protocol: &Protocol, state: &State| {
                state.is_quiet(protocol) && state.holder(protocol, protocol.names[0]).is_some()
            },
        ),
    ]
}

/// Whether every other name stands beside the one it belongs to.
fn has_all_mains(seen: &Seen) -> bool {
    let has = |main: Name| seen.listed.iter().any(|known| known.name == main);
    seen.listed.iter().filter_map(|known| known.alias_of).all(has)
}

impl Protocol {
    pub(super) fn everybody(&self) -> impl Iterator<Item = Person> + use<> {
        1..=self.people
    }
}

impl State {
    pub(super) fn seen(&self, who: Person) -> &Seen {
        &self.accounts[usize::from(who) - 1].seen
    }

    /// Whose account a name leads to. One whose first sign-in has not finished is made by the next.
    fn holder(&self, protocol: &Protocol, name: Name) -> Option<Held> {
        let held = self.look(protocol, name)?;
        (held.is_proven || !is_proven(name) || self.seen(held.by).exists).then_some(held)
    }

    fn lists(&self, who: Person, name: Name) -> bool {
        self.seen(who).listed.iter().any(|known| known.name == name)
    }

    /// Whether its holder knows of it, or hears of it, or gives it up.
    fn answers_for(&self, held: Held, name: Name) -> bool {
        let lets_go = |call: &Call| match call.step {
            Step::Settle { name: known, is_won, .. } => call.who == held.by && known == name && is_won,
            Step::Release { name: known, up_to } => {
                call.who == held.by && known == name && held.claim <= up_to
            }
            Step::GiveBack { by, held: seen, .. } => by == name && seen == held,
            Step::Free { name: known, held: seen, .. } => known == name && seen == held,
            _ => false,
        };
        let gives_up = |post: &Post| match *post {
            Post::Release { name: known, up_to } => known == name && held.claim <= up_to,
            Post::Claim { .. } => false,
        };
        self.lists(held.by, name)
            || self.seen(held.by).posts.iter().any(gives_up)
            || self.calls.iter().any(lets_go)
    }

    /// What is still excused: a claim that comes late, and whose caller is gone, leaves the name with an account that
    /// knows nothing of it until somebody comes for it. That needs a mishap, and costs whoever comes nothing.
    const fn may_be_stray(&self, protocol: &Protocol) -> bool {
        self.mishaps < protocol.mishaps
    }

    fn is_quiet(&self, protocol: &Protocol) -> bool {
        self.calls.is_empty() && protocol.everybody().all(|who| self.seen(who).posts.is_empty())
    }

    fn agree(&self, protocol: &Protocol) -> bool {
        protocol.names.iter().all(|name| {
            let holder = self.holder(protocol, name);
            let is_true = |who: Person| {
                let listed = &self.seen(who).listed;
                listed.iter().all(|known| {
                    known.name != *name || !known.is_claiming && holder.is_some_and(|held| held.by == who)
                })
            };
            protocol.everybody().all(is_true)
                && holder.is_none_or(|held| self.lists(held.by, name) || self.may_be_stray(protocol))
        })
    }

    /// Whether somebody who comes now, alone, for a name that no account lists then has it.
    fn gets_what_is_free(&self, protocol: &Protocol, who: Person) -> bool {
        let (name, seen) = (protocol.names[0], self.seen(who));
        let is_number = name.starts_with("phone.");
        // The names of one identity go together; a number is on its own.
        let names = if is_number { &protocol.names[..1] } else { protocol.names };
        let is_taken = |name: &&Name| protocol.everybody().any(|who| self.lists(who, name));
        if seen.is_closing || names.iter().any(|name| is_taken(&name)) {
            return true;
        }
        let deeds: &[Deed] = match seen.exists {
            true if is_number => &[Deed::ChangeNumber],
            true if is_proven(name) => &[Deed::Bind, Deed::Enter],
            true => &[Deed::Bind],
            // Nobody comes in by what they need not prove; nor does who was deleted come back.
            false if is_proven(name) && who > protocol.residents => &[Deed::ComeIn],
            false => &[],
        };
        // Only who comes in by it makes the account of a first sign-in that has broken off.
        let is_half =
            |name: &&Name| self.look(protocol, name).is_some() && self.holder(protocol, name).is_none();
        if seen.exists && names.iter().any(|name| is_half(&name)) {
            return true;
        }
        deeds.iter().all(|deed| {
            let mut state = self.clone();
            state.begin(protocol, who, *deed);
            while !state.calls.is_empty() {
                state.go(protocol, 0);
            }
            let is_had = |known: &Listed| known.name == name && !known.is_claiming;
            let is_held = state.holder(protocol, name).is_some_and(|held| held.by == who);
            is_held && state.seen(who).listed.iter().any(is_had)
        })
    }

    /// Whether all comes to an end if nobody does anything more and nothing breaks.
    fn ends(&self, protocol: &Protocol) -> bool {
        let mut passed = Vec::new();
        let mut state = self.clone();
        let mut actions = Vec::new();
        while passed.len() < SOON {
            let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&state);
            let is_known = protocol.ending.lock().unwrap().contains(&digest);
            passed.push(digest);
            protocol.actions(&state, &mut actions);
            let next = actions.drain(..).find(|action| matches!(action, Action::Go(_) | Action::Send(..)));
            let next = next.filter(|_| !is_known).and_then(|action| protocol.next_state(&state, action));
            match next {
                Some(next) => state = next,
                None if is_known || state.is_quiet(protocol) => {
                    protocol.ending.lock().unwrap().extend(passed);
                    return true;
                }
                None => return false,
            }
        }
        false
    }
}
