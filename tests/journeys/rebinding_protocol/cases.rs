//! What is explored: enough of everything that each thing meets each other.

use stateright::{Checker, Model, Path};

use super::{
    Action,
    Asker::{Owner, Stranger},
    NEIGHBOUR, OWNER, Protocol, State,
};

/// Explores all, and tells the shortest story of what must not be. `least`: states that there are at least, so that a
/// model in which nothing happens does not count.
#[track_caller]
fn check(protocol: Protocol, least: usize) {
    let checker = protocol.checker().spawn_bfs().join();
    for property in checker.model().properties() {
        let found = checker.discovery(property.name);
        match property.expectation {
            stateright::Expectation::Sometimes => assert!(found.is_some(), "never: {}", property.name),
            _ => assert!(
                found.is_none(),
                "not always: {}{}",
                property.name,
                found.map(story).unwrap_or_default()
            ),
        }
    }
    let states = checker.unique_state_count();
    assert!(states >= least, "{states} states");
}

/// What happened, a line each.
fn story(path: Path<State, Action>) -> String {
    let line = |(state, action): (State, Option<Action>)| {
        Some(match action? {
            Action::Go(nth) => format!("\n  Go({:?})", state.calls[nth]),
            Action::Lose(nth) => format!("\n  Lose({:?})", state.calls[nth]),
            Action::Repeat(nth) => format!("\n  Repeat({:?})", state.calls[nth]),
            Action::Send(who, letter, is_told) => {
                let post = state.accounts[usize::from(who) - 1].seen.posts[letter];
                format!("\n  Send({who}, {post:?}, {is_told})")
            }
            action => format!("\n  {action:?}"),
        })
    };
    path.into_vec().into_iter().filter_map(line).collect()
}

#[test]
fn of_two_who_come_with_a_sold_number_one_has_it() {
    check(Protocol::of(&[Owner, Stranger], &[], false, 0), 1_000);
}

#[test]
fn of_two_who_come_with_a_sold_number_one_has_it_whatever_breaks() {
    check(Protocol::of(&[Owner, Stranger], &[], false, 1), 100_000);
}

#[test]
fn an_owner_who_can_be_heard_has_three_days_whatever_breaks() {
    check(Protocol::of(&[Owner, Stranger], &[], true, 1), 2_000);
    check(Protocol::of(&[Stranger, Stranger], &[], true, 0), 2_000);
}

#[test]
fn the_owner_takes_another_number_while_somebody_comes_with_the_sold_one() {
    check(Protocol::of(&[Stranger], &[OWNER], false, 1), 10_000);
    check(Protocol::of(&[Stranger], &[OWNER], true, 1), 10_000);
}

#[test]
fn a_neighbour_wants_the_number_that_somebody_gives_up() {
    check(Protocol::of(&[Stranger], &[NEIGHBOUR], false, 1), 50_000);
    check(Protocol::of(&[Stranger], &[OWNER, NEIGHBOUR], false, 0), 30_000);
}
