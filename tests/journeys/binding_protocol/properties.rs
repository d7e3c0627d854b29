//! What must hold whatever happens, and what must be able to happen.

use stateright::{Model, Property};

use super::{
    Action, Protocol, State,
    calls::Step,
    machines::{Name, Person, Post, Seen, ToHandle},
};

/// So many steps later nothing is under way any more.
const SOON: usize = 60;

pub(super) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always("of one name, one account is sure", |protocol: &Protocol, state: &State| {
            protocol.names.iter().all(|name| {
                let is_sure = |who: &Person| {
                    let listed = &state.seen(*who).listed;
                    listed.iter().any(|known| known.name == *name && !known.is_claiming)
                };
                protocol.everybody().filter(is_sure).count() <= 1
            })
        }),
        Property::always("who holds a name lists it, or lets it go", |protocol: &Protocol, state: &State| {
            protocol.names.iter().all(|name| state.holder(protocol, name).is_none_or(|who| state.answers_for(protocol, who, name)))
        }),
        Property::always("another name is never without the one it belongs to", |protocol: &Protocol, state: &State| {
            protocol.everybody().all(|who| has_all_mains(state.seen(who)))
        }),
        Property::always("when all is quiet, handles and accounts agree", |protocol: &Protocol, state: &State| {
            !state.is_quiet(protocol) || state.agree(protocol)
        }),
        Property::always("soon all is quiet", |protocol: &Protocol, state: &State| state.ends(protocol)),
        Property::sometimes("a name has changed hands", |protocol: &Protocol, state: &State| {
            state.is_quiet(protocol) && state.holder(protocol, protocol.names[0]) == Some(2) && state.seen(1).exists && state.left[0] == 0
        }),
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
    pub(super) fn seen(&self, who: Person) -> &std::sync::Arc<Seen> {
        &self.accounts[usize::from(who) - 1].seen
    }

    /// Whose account a name leads to. One whose first sign-in has not finished is made by the next.
    fn holder(&self, protocol: &Protocol, name: Name) -> Option<Person> {
        let held = self.clone().handle(protocol, name, ToHandle::Look)?;
        (held.is_proven || self.seen(held.by).exists).then_some(held.by)
    }

    fn answers_for(&self, protocol: &Protocol, who: Person, name: Name) -> bool {
        let seen = self.seen(who);
        seen.listed.iter().any(|known| known.name == name)
            || seen.posts.contains(&Post::Release(name))
            || self.calls.iter().any(|call| match call.step {
                Step::Settle { name: known, is_won, .. } => call.who == who && known == name && is_won,
                Step::Release(known) => call.who == who && known == name,
                Step::GiveBack { by, held, .. } => held.by == who && by == name,
                _ => false,
            })
    }

    fn is_quiet(&self, protocol: &Protocol) -> bool {
        self.calls.is_empty() && protocol.everybody().all(|who| self.seen(who).posts.is_empty())
    }

    fn agree(&self, protocol: &Protocol) -> bool {
        let listed = protocol.everybody().flat_map(|who| {
            let seen = self.seen(who);
            let sure = seen.listed.iter().map(|known| (known.name, who, known.is_claiming));
            sure.collect::<Vec<_>>()
        });
        let mut listed: Vec<_> = listed.collect();
        let mut held: Vec<_> = protocol
            .names
            .iter()
            .filter_map(|name| Some((*name, self.holder(protocol, name)?, false)))
            .collect();
        listed.sort_unstable();
        held.sort_unstable();
        listed == held && protocol.everybody().all(|who| has_all_mains(self.seen(who)))
    }

    /// Whether all comes to an end if nobody does anything more and nothing breaks.
    fn ends(&self, protocol: &Protocol) -> bool {
        let mut passed = vec![self.clone()];
        while let Some(state) = passed.last().filter(|_| passed.len() < SOON) {
            let mut actions = Vec::new();
            protocol.actions(state, &mut actions);
            let next = actions.into_iter().find(|action| matches!(action, Action::Go(_) | Action::Send(..)));
            let next = next.and_then(|action| protocol.next_state(state, action));
            let mut ending = protocol.ending.lock().unwrap();
            if next.is_none() && !state.is_quiet(protocol) { return false }
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
