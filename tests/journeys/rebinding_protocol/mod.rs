//! The protocol by which a number that was sold again goes from one account to another: model-checked over the machines
//! that run at the edge. Two people have its SIM card in hand, each says whose account it is, both numbers change hands
//! meanwhile; callers die between any two steps, letters come late and twice.

mod calls;
mod cases;
mod machines;
mod properties;

use std::{collections::HashSet, sync::Mutex, time::Duration};

use onetap::kernel::time::Timestamp;
use stateright::{Model, Property};

use self::{
    calls::{Call, Step},
    machines::{Kept, Machines, Request, Who},
};

/// The number that was sold, and another one.
const NUMBERS: [&str; 2] = ["phone.k1.sold", "phone.k1.other"];

/// Who has had the sold number from the start, and whose the other one is where there are two.
const OWNER: Who = 1;
const NEIGHBOUR: Who = 2;

/// The last proof of the sold number, and when the story begins: exactly when it counts no more.
const PROVEN: Timestamp = Timestamp::from_secs(0);
const BEGIN: Timestamp = Timestamp::from_secs(120 * 86_400);

/// What may happen.
struct Protocol {
    machines: Machines,
    /// Who comes with the sold number: the owner, on his device, or somebody else.
    askers: &'static [Asker],
    /// Accounts that take another number in place of theirs.
    changes: &'static [Who],
    /// The owner was there lately, on a device that the account knows.
    is_active: bool,
    mishaps: u8,
    /// States from which all comes to an end, by digest.
    ending: Mutex<HashSet<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Owner,
    Stranger,
}

/// How far somebody is who came with the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Entry {
    has_come: bool,
    /// Asked whose account it is.
    asked_at: Option<Who>,
    is_in: bool,
    /// How often they have said that it is not theirs; and whether it was heard.
    said_not_mine: u8,
    gave_up: bool,
    has_tried: bool,
    has_proven: bool,
    /// They were sent away for no fault of theirs.
    failed: bool,
}

/// All that is persisted, and what is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    handles: Vec<Kept>,
    /// The owner's, the neighbour's, and one that each who comes may get.
    accounts: Vec<Kept>,
    entries: Vec<Entry>,
    calls: Vec<Call>,
    changed: Vec<Who>,
    mishaps: u8,
    now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Come(usize),
    NotMine(usize),
    Prove(usize),
    Change(Who),
    ThreeDays,
    /// The outbox delivers a letter, and is told so or not.
    Send(Who, usize, bool),
    Go(usize),
    /// Whoever waits for the answer dies.
    Lose(usize),
    /// It is carried out, and once more at any time later.
    Repeat(usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (nth, entry) in state.entries.iter().enumerate() {
            if !entry.has_come {
                actions.push(Action::Come(nth));
            }
            if entry.asked_at.is_some() {
                // Who got no answer asks again.
                let may = entry.said_not_mine == 0 || entry.said_not_mine == 1 && state.had_mishap(self);
                actions.extend(may.then_some(Action::NotMine(nth)));
                actions.extend((!entry.has_tried).then_some(Action::Prove(nth)));
            }
        }
        let changes = self.changes.iter().filter(|who| !state.changed.contains(who));
        actions.extend(changes.map(|who| Action::Change(*who)));
        // No call is under way for as long.
        if self.is_active && state.now == BEGIN && state.calls.is_empty() {
            actions.push(Action::ThreeDays);
        }
        for (who, account) in (1..).zip(&state.accounts) {
            for letter in 0..account.seen.posts.len() {
                actions.push(Action::Send(who, letter, true));
                actions.extend((state.mishaps > 0).then_some(Action::Send(who, letter, false)));
            }
        }
        for nth in 0..state.calls.len() {
            actions.push(Action::Go(nth));
            if state.mishaps > 0 {
                actions.push(Action::Lose(nth));
                actions.extend(state.calls[nth].is_waited_for.then_some(Action::Repeat(nth)));
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Come(nth) => {
                state.entries[nth].has_come = true;
                state.call(Step::Resolve { nth, is_anew: false });
            }
            Action::NotMine(nth) => {
                let entry = &mut state.entries[nth];
                entry.said_not_mine += 1;
                let at = entry.asked_at?;
                state.call(Step::Choose { nth, at });
            }
            Action::Prove(nth) => {
                let entry = &mut state.entries[nth];
                entry.has_tried = true;
                let at = entry.asked_at?;
                state.call(Step::Prove { nth, at });
            }
            Action::Change(who) => {
                state.changed.push(who);
                state.changed.sort_unstable();
                state.call(Step::Change(who));
            }
            Action::ThreeDays => state.now = state.now.plus(Duration::from_secs(3 * 86_400)),
            Action::Send(who, letter, is_told) => state.send(self, who, letter, is_told),
            Action::Go(nth) => state.go(self, nth),
            Action::Lose(nth) => {
                state.calls.remove(nth);
                state.mishaps -= 1;
            }
            Action::Repeat(nth) => {
                state.calls.push(Call { is_waited_for: false, ..state.calls[nth] });
                state.mishaps -= 1;
                state.go(self, nth);
            }
        }
        if let Action::Send(.., false) = action {
            state.mishaps -= 1;
        }
        state.calls.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}

impl Protocol {
    /// With one mishap at most.
    fn of(askers: &'static [Asker], changes: &'static [Who], is_active: bool, mishaps: u8) -> Self {
        let (machines, ending) = (Machines::default(), Mutex::default());
        Self { machines, askers, changes, is_active, mishaps, ending }
    }

    fn has_neighbour(&self) -> bool {
        self.changes.contains(&NEIGHBOUR)
    }

    /// Whether they come on the device that the owner's account knows.
    fn is_known_device(&self, nth: usize) -> bool {
        self.is_active && self.askers.get(nth) == Some(&Asker::Owner)
    }
}

impl State {
    /// The owner has a number, a name and a password.
    fn first(protocol: &Protocol) -> Self {
        let accounts = usize::from(NEIGHBOUR) + protocol.askers.len() + 1;
        let mut state = Self {
            handles: vec![protocol.machines.nothing(); NUMBERS.len()],
            accounts: vec![protocol.machines.nothing(); accounts],
            entries: vec![Entry::default(); protocol.askers.len()],
            calls: Vec::new(),
            changed: Vec::new(),
            mishaps: protocol.mishaps,
            now: PROVEN,
        };
        state.register(protocol, OWNER, 0);
        state.ask(protocol, OWNER, Request::BindName);
        state.ask(protocol, OWNER, Request::SetPassword);
        if protocol.is_active {
            state.now = Timestamp::from_secs(119 * 86_400);
            state.ask(protocol, OWNER, Request::UseDevice);
        }
        state.now = BEGIN;
        if protocol.has_neighbour() {
            state.register(protocol, NEIGHBOUR, 1);
        }
        for who in 1..=2 {
            while let Some(letter) = state.accounts[usize::from(who) - 1].seen.posts.len().checked_sub(1) {
                state.send(protocol, who, letter, true);
            }
        }
        state
    }

    fn call(&mut self, step: Step) {
        self.calls.push(Call { step, is_waited_for: true });
    }
}
