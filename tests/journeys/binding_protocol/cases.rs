//! What is explored: enough of everything that each thing meets each other.

use stateright::{Checker, Model, Path};

use super::{
    Action, Deed, Protocol, State,
    requests::{Name, number_of},
};

const ONE_NAME: &[Name] = &["wechat.k1.openid"];
const TWO_NAMES: &[Name] = &["wechat.k1.unionid", "wechat.k1.openid"];

const USER_NAME: &[Name] = &["username.k1.name"];

/// The first is the one that all want.
const NUMBERS: &[Name] = &["phone.k1.new", number_of(1), number_of(2)];

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
            action => format!("\n  {action:?}"),
        })
    };
    path.into_vec().into_iter().filter_map(line).collect()
}

const OWN: &[Deed] = &[Deed::Bind, Deed::Unbind, Deed::Delete];

#[test]
fn of_two_who_want_one_name_one_has_it_and_then_the_other() {
    check(Protocol::of(ONE_NAME, &[Deed::Bind, Deed::Unbind], &[2, 2], 0), 50_000);
}

#[test]
fn of_two_who_want_one_name_one_has_it_whatever_breaks() {
    check(Protocol::of(ONE_NAME, OWN, &[2, 1], 1), 20_000);
}

#[test]
fn another_name_comes_and_goes_with_the_one_it_belongs_to() {
    check(Protocol::of(TWO_NAMES, &[Deed::Bind, Deed::Enter], &[1, 1], 0), 10_000);
    check(Protocol::of(TWO_NAMES, &[Deed::Enter, Deed::Unbind], &[2, 1], 0), 40_000);
}

#[test]
fn another_name_goes_with_the_one_it_belongs_to_whatever_breaks() {
    check(Protocol::of(TWO_NAMES, &[Deed::Enter, Deed::Unbind], &[2], 1), 2_000);
}

#[test]
fn who_comes_in_by_a_name_that_others_bind_comes_to_whom_it_leads() {
    let of =
        |names, deeds, each, mishaps| Protocol { residents: 1, ..Protocol::of(names, deeds, each, mishaps) };
    check(of(TWO_NAMES, &[Deed::ComeIn, Deed::Bind, Deed::Unbind], &[2, 1], 0), 10_000);
    check(of(TWO_NAMES, &[Deed::ComeIn, Deed::Bind], &[1, 1], 1), 1_000);
    check(of(ONE_NAME, &[Deed::ComeIn, Deed::Bind, Deed::Unbind, Deed::Delete], &[2, 1], 1), 2_000);
}

#[test]
fn of_two_who_want_one_number_one_has_it_and_each_has_one() {
    check(Protocol::of(NUMBERS, &[Deed::ChangeNumber], &[2, 1], 0), 10_000);
    check(Protocol::of(NUMBERS, &[Deed::ChangeNumber], &[1, 1], 1), 5_000);
}

#[test]
fn who_comes_in_by_a_number_that_another_wants_comes_to_whom_it_leads() {
    let protocol = Protocol::of(NUMBERS, &[Deed::ComeIn, Deed::ChangeNumber], &[1, 1], 1);
    check(Protocol { residents: 1, ..protocol }, 500);
}

#[test]
fn the_answer_to_a_claim_is_not_taken_for_that_to_another() {
    check(Protocol::of(ONE_NAME, &[Deed::Bind, Deed::Unbind], &[3, 1], 0), 10_000);
}

#[test]
fn a_release_frees_nothing_that_was_claimed_since() {
    check(Protocol::of(ONE_NAME, &[Deed::Bind, Deed::Unbind], &[3], 1), 1_000);
}

#[test]
fn the_last_claim_counts_of_all_that_one_has_made() {
    check(Protocol::of(ONE_NAME, &[Deed::Bind, Deed::Unbind], &[4], 0), 1_000);
}

#[test]
fn who_comes_in_by_what_is_being_bound_anew_settles_no_claim_that_its_handle_has_not_decided() {
    let protocol = Protocol::of(ONE_NAME, &[Deed::ComeIn, Deed::Bind, Deed::Unbind], &[3, 1, 1], 0);
    check(Protocol { residents: 1, ..protocol }, 20_000);
}

#[test]
fn of_two_who_want_one_user_name_one_has_it_whatever_breaks() {
    check(Protocol::of(USER_NAME, OWN, &[1, 1], 1), 2_000);
}
