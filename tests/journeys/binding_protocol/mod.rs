//! The protocol of binding between accounts, handles and outboxes: model-checked over the machines that run at the
//! edge, with every call late, lost, or carried out again long after it was given up, and every caller dying between
//! any two steps.

mod calls;
mod cases;
mod machines;
mod properties;
mod requests;

use std::{collections::HashSet, sync::Mutex, time::Duration};

use onetap::kernel::time::Timestamp;
use stateright::{Model, Property};

use self::{
    calls::{Call, Step, Waits},
    machines::{Kept, Machines, Post, Seen, ToAccount, ToHandle},
    requests::{Name, Person, Request, number_of},
};

/// Who they are, what they may do, and what may go wrong meanwhile.
struct Protocol {
    machines: Machines,
    /// What they want, from the widest name on.
    names: &'static [Name],
    /// How many have an account with a number from the start; whoever else there is has none.
    residents: Person,
    people: Person,
    deeds: &'static [Deed],
    /// How many each of them may do.
    each: &'static [u8],
    mishaps: u8,
    /// States from which all comes to an end, by digest.
    ending: Mutex<HashSet<u64>>,
}

/// What people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Deed {
    /// Bind what a third party says of them.
    Bind,
    /// Sign in by their number, and have it bound along with that.
    Enter,
    /// Sign in by it, as who has no account yet.
    ComeIn,
    /// Take the number that all want in place of their own, or their own again.
    ChangeNumber,
    Unbind,
    Delete,
}

/// All that is persisted, and what is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    handles: Vec<Kept>,
    accounts: Vec<Kept>,
    calls: Vec<Call>,
    /// How many deeds each of them has left.
    left: Vec<u8>,
    mishaps: u8,
    now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Do(Person, Deed),
    GraceIsOver(Person),
    /// The outbox sends a letter.
    Send(Person, usize),
    /// A call takes its next step.
    Go(usize),
    /// It never arrives, or whoever waits for the answer dies.
    Lose(usize),
    /// It is carried out, and once more at any time later.
    Repeat(usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let people = usize::from(self.people);
        let mut state = State {
            handles: vec![self.machines.nothing(); self.names.len()],
            accounts: vec![self.machines.nothing(); people],
            calls: Vec::new(),
            left: self.each.to_vec(),
            mishaps: self.mishaps,
            now: Timestamp::from_secs(0),
        };
        for who in 1..=self.residents {
            let request =
                Request::SignIn { by: number_of(who), claim: 0, creates: true, binds: None, other: None };
            state.ask(self, who, request);
            state.handle(self, number_of(who), ToHandle::Resolve(who));
            state.handle(self, number_of(who), ToHandle::RenewProof(who));
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for who in 1..=self.people {
            let at = usize::from(who) - 1;
            let seen = state.seen(who);
            let may = |deed: &Deed| match deed {
                Deed::ComeIn => who > self.residents && state.left[at] == self.each[at],
                Deed::Unbind => self.shown(seen).is_some(),
                _ => true,
            };
            if state.left[at] > 0 {
                let deeds = self
                    .deeds
                    .iter()
                    .filter(|deed| (seen.exists && !seen.is_closing || **deed == Deed::ComeIn) && may(deed));
                actions.extend(deeds.map(|deed| Action::Do(who, *deed)));
            }
            // No call is under way for as long.
            if seen.is_closing && state.calls.iter().all(|call| call.who != who) {
                actions.push(Action::GraceIsOver(who));
            }
            // One after the other, in whatever order the failures before have left them.
            let rings = |call: &Call| call.who == who && matches!(call.waits, Waits::Outbox(_));
            if !state.calls.iter().any(rings) {
                actions.extend((0..seen.posts.len()).map(|letter| Action::Send(who, letter)));
            }
        }
        for (nth, call) in state.calls.iter().enumerate() {
            actions.push(Action::Go(nth));
            if state.mishaps > 0 {
                actions.push(Action::Lose(nth));
                actions.extend(call.may_be_repeated().then_some(Action::Repeat(nth)));
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Do(who, deed) => state.carry_out(self, who, deed),
            Action::GraceIsOver(who) => _ = state.account(self, who, ToAccount::GraceIsOver),
            Action::Send(who, letter) => {
                let account = state.seen(who);
                let step = match account.posts[letter] {
                    Post::Claim { name, claim } => Step::Claim { name, claim, is_second: false, then: None },
                    Post::Release { name, up_to } => Step::Release { name, up_to },
                };
                let waits = Waits::Outbox(Some(letter.try_into().unwrap()));
                state.calls.push(Call { who, step, waits });
            }
            Action::Go(nth) => state.go(self, nth),
            Action::Lose(nth) => {
                state.calls.remove(nth);
                state.mishaps -= 1;
            }
            Action::Repeat(nth) => {
                state.calls.push(Call { waits: Waits::Nobody, ..state.calls[nth] });
                state.mishaps -= 1;
                state.go(self, nth);
            }
        }
        state.calls.retain(|call| (call.step, call.waits) != (Step::Acknowledge, Waits::Outbox(None)));
        state.calls.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Protocol {
    /// Of people who have an account each.
    fn of(names: &'static [Name], deeds: &'static [Deed], each: &'static [u8], mishaps: u8) -> Self {
        let people = each.len().try_into().unwrap();
        let (machines, ending) = (Machines::of(names), Mutex::default());
        Self { machines, names, residents: people, people, deeds, each, mishaps, ending }
    }

    /// What somebody sees of what is bound: the one name that they can take away.
    fn shown(&self, seen: &Seen) -> Option<Name> {
        let shown = seen.listed.iter().find(|known| !known.is_claiming && known.alias_of.is_none());
        shown.map(|known| known.name)
    }
}

impl State {
    fn carry_out(&mut self, protocol: &Protocol, who: Person, deed: Deed) {
        let at = usize::from(who) - 1;
        self.left[at] -= 1;
        self.now = self.now.plus(Duration::from_secs(1));
        let shown = protocol.shown(self.seen(who));
        match deed {
            Deed::Unbind => {
                if let Some(name) = shown {
                    self.ask(protocol, who, Request::Unbind(name));
                }
            }
            Deed::Delete => _ = self.ask(protocol, who, Request::Delete),
            _ => self.begin(protocol, who, deed),
        }
    }

    /// What they ask for arrives with its first step.
    fn begin(&mut self, protocol: &Protocol, who: Person, deed: Deed) {
        let Some(step) = self.find(protocol, who, deed) else { return };
        self.calls.push(Call { who, step, waits: Waits::Journey });
        self.go(protocol, self.calls.len() - 1);
    }
}
