//! Counters against a model that keeps the time of everything it counted: no window ever holds more than its cap,
//! nothing is counted halfway, nothing that is given back makes room that was not taken, and the end comes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::time::Duration;

use onetap::{
    kernel::time::Timestamp,
    model::{
        counter::{Budget, Cap, Counter, Operation, Outcome, Spend},
        object::Document,
        pumping::{Guard, Policy},
    },
};
use proptest::{collection::vec, prelude::*};

const NAMES: [&str; 3] = ["all", "7", "8"];

/// Of each tally; windows that twelve does not divide, too.
const CAPS: [[Cap; 2]; 3] = [
    [Cap { window_seconds: 3600, most: 9 }, Cap { window_seconds: 86_400, most: 20 }],
    [Cap { window_seconds: 5, most: 2 }, Cap { window_seconds: 100, most: 6 }],
    [Cap { window_seconds: 600, most: 3 }, Cap { window_seconds: 601, most: 4 }],
];

const SPENT: Outcome = Outcome::Spent { turned: None };

fn spend(tallies: &[usize], guard: Option<Guard>) -> Operation {
    let budget = |&at: &usize| Budget { tally: NAMES[at].to_owned(), caps: CAPS[at].to_vec() };
    Operation::Spend(Spend { budgets: tallies.iter().map(budget).collect(), guard })
}

fn withdraw(tallies: &[usize], at: Timestamp) -> Operation {
    let tallies = tallies.iter().map(|&at| NAMES[at].to_owned()).collect();
    Operation::Withdraw { tallies, at, measured: false }
}

/// As an object is stored and read again.
fn stored(counter: &Document<Counter>) -> Document<Counter> {
    let json = serde_json::to_string(counter).unwrap();
    let again = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);
    again
}

#[derive(Debug, Clone)]
enum Step {
    Spend(Vec<usize>),
    /// Of what was counted, this one was not sent.
    Withdraw(prop::sample::Index),
    /// Of what never was: an hour before and after, and under a name that counts nothing.
    WithdrawNothing,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let tallies = prop::sample::subsequence(vec![0, 1, 2], 1..=3);
    prop_oneof![
        6 => tallies.prop_map(Step::Spend),
        1 => any::<prop::sample::Index>().prop_map(Step::Withdraw),
        1 => Just(Step::WithdrawNothing),
        4 => prop_oneof![0..2000_u64, 0..60_000_u64, 0..900_000_u64, 0..90_000_000_u64].prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn caps_hold_whatever_happens(steps in vec(step(), 1..150)) {
        let mut counter = Document::<Counter>::empty();
        let mut counted: Vec<(Timestamp, Vec<usize>)> = Vec::new();
        let mut now = Timestamp::from_secs(1_795_132_800);
        for step in steps {
            counter = stored(&counter);
            match step {
                Step::Pass(millis) => now = now.plus(Duration::from_millis(millis)),
                Step::Withdraw(_) if counted.is_empty() => {}
                Step::Withdraw(which) => {
                    let (at, tallies) = counted.remove(which.index(counted.len()));
                    counter.apply(withdraw(&tallies, at), now);
                }
                Step::WithdrawNothing => {
                    let tallies = vec!["nobody".to_owned()];
                    counter.apply(Operation::Withdraw { tallies, at: now, measured: true }, now);
                    for apart in [-90_000_000, 90_000_000] {
                        let at = Timestamp::from_millis(now.millis() + apart);
                        // Nothing may have been counted then: else it would be no refund of nothing.
                        if counted.iter().all(|(then, _)| then.millis().abs_diff(at.millis()) > 7_200_000) {
                            counter.apply(withdraw(&[0, 1, 2], at), now);
                        }
                    }
                }
                Step::Spend(tallies) => match counter.apply(spend(&tallies, None), now) {
                    SPENT => counted.push((now, tallies)),
                    Outcome::Full { retry_after, .. } => {
                        // There is room when it says so, and not a second before.
                        let later = |secs: u32| {
                            let at = now.plus(Duration::from_secs(u64::from(secs)));
                            stored(&counter).apply(spend(&tallies, None), at)
                        };
                        prop_assert!(retry_after >= 1);
                        prop_assert_eq!(later(retry_after), SPENT);
                        let early = matches!(later(retry_after - 1), Outcome::Full { .. });
                        prop_assert!(early, "room a second early");
                        // And a cap was reached, give or take one bucket.
                        let is_reached = |&at: &usize| CAPS[at].iter().any(|cap| {
                            let longest = Duration::from_millis(cap.window_seconds * 1000 * 13 / 12 + 1);
                            let of_tally = counted.iter().filter(|(_, tallies)| tallies.contains(&at));
                            of_tally.filter(|(then, _)| now.since(*then) <= longest).count() as u64 >= cap.most
                        });
                        prop_assert!(tallies.iter().any(is_reached));
                    }
                    outcome => panic!("{outcome:?}"),
                },
            }
            for (at, caps) in CAPS.iter().enumerate() {
                for cap in caps {
                    let window = Duration::from_secs(cap.window_seconds);
                    let inside = counted.iter().filter(|(then, tallies)| {
                        tallies.contains(&at) && now.since(*then) < window
                    });
                    prop_assert!(inside.count() as u64 <= cap.most);
                }
            }
        }
        ends(counter, now)?;
    }

    #[test]
    fn whatever_is_reported_a_guard_answers_and_ends(
        steps in vec((0..6_u8, 0..400_i64, 0..200_i64), 1..200),
    ) {
        let policy = Policy {
            min_sends: 3,
            check_below_percent: 40,
            stop_below_percent: 20,
            measure_one_in_check: 2,
            measure_one_in_stop: 5,
            mature_seconds: 120,
        };
        let mut counter = Document::<Counter>::empty();
        let mut now = Timestamp::from_secs(1_795_132_800);
        for (what, pass, ago) in steps {
            counter = stored(&counter);
            now = now.plus(Duration::from_secs(u64::try_from(pass).unwrap()));
            let then = Timestamp::from_secs(now.secs() - ago);
            let exempt = what == 0;
            match what {
                0..=2 => {
                    let guard = (!exempt).then_some(Guard { policy, has_bot_check: what == 1 });
                    let outcome = counter.apply(spend(&[0], guard), now);
                    let held = matches!(outcome, Outcome::Held { retry_after: 1.., .. });
                    let is_word = matches!(outcome, Outcome::Spent { .. } | Outcome::Full { .. });
                    prop_assert!(is_word || held && !exempt, "{:?}", outcome);
                }
                3 => drop(counter.apply(Operation::Redeemed { sent_at: then }, now)),
                4 => drop(counter.apply(Operation::Withdraw { tallies: vec![], at: then, measured: true }, now)),
                _ => drop(counter.apply(Operation::NoteCall { ok: ago % 2 == 0 }, now)),
            }
        }
        ends(counter, now)?;
    }
}

/// Woken when it wants to be, a counter that nobody asks any more is over within its longest window.
fn ends(mut counter: Document<Counter>, last: Timestamp) -> Result<(), TestCaseError> {
    let mut now = last;
    while !counter.tidy(now) {
        let wake_at = counter.wake_at();
        prop_assert!(wake_at.is_some_and(|at| at > now), "it would stay, or wake for ever");
        now = wake_at.unwrap();
        prop_assert!(now <= last.plus(Duration::from_secs(86_400 * 13 / 12)));
    }
    Ok(())
}
