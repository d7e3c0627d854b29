//! What must hold whatever happens, and what must be able to happen.

use onetap::model::account::Outcome;
use stateright::{Model, Property};

use super::{
    Action, Protocol, State,
    calls::{Call, Step},
    machines::{Post, Seen, ToHandle},
    requests::{Name, Person, Request},
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
                holder.is_none_or(|who| state.answers_for(who, name) || state.is_left_behind(protocol, name))
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
    fn holder(&self, protocol: &Protocol, name: Name) -> Option<Person> {
        let held = self.clone().handle(protocol, name, ToHandle::Look)?;
        (held.is_proven || self.seen(held.by).exists).then_some(held.by)
    }

    fn lists(&self, who: Person, name: Name) -> bool {
        self.seen(who).listed.iter().any(|known| known.name == name)
    }

    fn answers_for(&self, who: Person, name: Name) -> bool {
        let lets_go = |call: &Call| match call.step {
            Step::Settle { name: known, is_won, .. } => call.who == who && known == name && is_won,
            Step::Release(known) => call.who == who && known == name,
            Step::GiveBack { by, held, .. } => held.by == who && by == name,
            _ => false,
        };
        self.lists(who, name)
            || self.seen(who).posts.contains(&Post::Release(name))
            || self.calls.iter().any(lets_go)
    }

    /// Whether a claim that came too late, and whose caller was gone, has left the name with an account that lets
    /// nobody in by it: the next who comes by the name takes it.
    fn is_left_behind(&self, protocol: &Protocol, name: Name) -> bool {
        let mut state = self.clone();
        let Some(held) = state.handle(protocol, name, ToHandle::Look) else { return false };
        let sign_in = Request::SignIn { by: name, creates: !held.is_proven, binds: None, other: None };
        let is_refused = state.ask(protocol, held.by, sign_in) == Outcome::NotMine;
        let left = state.handle(protocol, name, ToHandle::Release(held.by, Some(held.since)));
        self.mishaps < protocol.mishaps && is_refused && left.is_none()
    }

    fn is_quiet(&self, protocol: &Protocol) -> bool {
        self.calls.is_empty() && protocol.everybody().all(|who| self.seen(who).posts.is_empty())
    }

    fn agree(&self, protocol: &Protocol) -> bool {
        protocol.names.iter().all(|name| {
            let holder = self.holder(protocol, name);
            let is_true = |who: Person| {
                let listed = &self.seen(who).listed;
                listed.iter().all(|known| known.name != *name || !known.is_claiming && holder == Some(who))
            };
            protocol.everybody().all(is_true)
                && holder.is_none_or(|who| self.lists(who, name) || self.is_left_behind(protocol, name))
        })
    }

    /// Whether all comes to an end if nobody does anything more and nothing breaks.
    fn ends(&self, protocol: &Protocol) -> bool {
        let mut passed = vec![self.clone()];
        while let Some(state) = passed.last().filter(|_| passed.len() < SOON) {
            let mut actions = Vec::new();
            protocol.actions(state, &mut actions);
            let next = actions.into_iter().find(|action| matches!(action, Action::Go(_) | Action::Send(..)));
            let next = next.and_then(|action| protocol.next_state(state, action));
            if next.is_none() && !state.is_quiet(protocol) {
                return false;
            }
            let mut ending = protocol.ending.lock().unwrap();
            match next.filter(|next| !ending.contains(next)) {
                Some(next) => passed.push(next),
                None => {
                    ending.extend(passed);
                    return true;
                }
            }
        }
        false
    }
}
