#![allow(clippy::print_stdout, reason = "figures of a simulation, to be read")]

use super::*;
use crate::model::language::Language;

const YEAR: u16 = 2026;

/// Facts of a person: two of each kind.
fn facts(seed: u8) -> Vec<Askable> {
    let mut dice = Dice::new([seed; 32]);
    let kinds = Kind::ALL.into_iter().cycle().take(12);
    kinds
        .map(|kind| {
            // A person's own values are spread as decoys are.
            let options = loop {
                let right = kind.throw(&mut dice);
                if let Some(options) = options(kind, right, &[], YEAR, &mut dice) {
                    break options;
                }
            };
            Askable { kind, options }
        })
        .collect()
}

fn play(series: &mut Series, mut choose: impl FnMut(usize) -> usize) -> (usize, bool) {
    let mut rounds = 0;
    loop {
        match series.state() {
            Answered::Next(round) => {
                series.answer(choose(round));
                rounds += 1;
            }
            Answered::Over { passed } => return (rounds, passed),
        }
    }
}

fn binomial(rounds: u64, most_wrong: u64) -> f64 {
    let ways = |wrong: u64| match wrong {
        0 => 1,
        _ => rounds,
    };
    let chance = |wrong: u64| (ways(wrong) * 8_u64.pow(wrong.try_into().unwrap())) as f64;
    (0..=most_wrong).map(chance).sum::<f64>() / 9_f64.powi(rounds.try_into().unwrap())
}

#[test]
fn guessing_passes_as_seldom_as_the_table_says_also_for_who_knows_the_home_city() {
    const SERIES: u32 = 250_000;
    let (facts, mut dice) = (facts(1), Dice::new([2; 32]));
    let (mut blind, mut knowing) = (0_u32, 0_u32);
    for _ in 0..SERIES {
        let (mut series, rounds) = draw(&facts, &mut dice).unwrap();
        let mut other = series.clone();
        blind += u32::from(play(&mut series, |_| dice.below(OPTIONS)).1);
        // Where the city is not asked for, something else is known in its place.
        let known = rounds.iter().position(|round| facts[round.fact].kind == Kind::City).unwrap_or(0);
        let choose = |round: usize| {
            let fact = &facts[rounds[round].fact];
            let right = rounds[round].options.iter().position(|option| *option == fact.options[0]);
            right.filter(|_| round == known).unwrap_or_else(|| dice.below(OPTIONS))
        };
        knowing += u32::from(play(&mut other, choose).1);
    }
    for (who, passed, expected) in
        [("nothing", blind, binomial(7, 1)), ("one answer, the home city", knowing, binomial(6, 1))]
    {
        println!(
            "who knows {who} passed {passed} of {SERIES} series, {:.1} expected",
            expected * f64::from(SERIES)
        );
        let mean = expected * f64::from(SERIES);
        assert!((f64::from(passed) - mean).abs() < 5.0 * mean.sqrt(), "{who}: {passed}, not {mean}");
        assert!(passed * 1000 < SERIES, "{who}");
    }
    // The figures of the table.
    for (rounds, one_in) in [(7, 83_912.0), (6, 10_846.0), (5, 1_440.0), (4, 199.0)] {
        assert!((1.0 / binomial(rounds, 1) - one_in).abs() < 1.0, "{rounds}");
    }
}

#[test]
fn who_knows_what_is_common_and_chooses_that_gains_little() {
    let mut dice = Dice::new([3; 32]);
    let mut right = 0_u32;
    let persons = 1500_u32;
    for person in 0..persons {
        let seed = person.to_be_bytes();
        for fact in facts(seed[3] ^ seed[2].wrapping_mul(101)) {
            // The commonest stands first in its list; of those that are thrown evenly any is as good.
            let likeliest = match fact.kind {
                Kind::Month | Kind::Amount => fact.options[dice.below(OPTIONS)],
                _ => *fact.options.iter().min().unwrap(),
            };
            right += u32::from(likeliest == fact.options[0]);
        }
    }
    let share = f64::from(right) / f64::from(persons * 12);
    println!("the likeliest option is right in {:.1} of 100 rounds", share * 100.0);
    assert!(share < 0.18, "{share}");
    // With that in every round, and one answer known besides.
    let passes = 6.0 * share.powi(5) * (1.0 - share) + share.powi(6);
    assert!(passes < 0.001, "{passes}");
}

#[test]
fn a_series_holds_what_it_promises_whatever_was_drawn() {
    let facts = facts(4);
    let mut dice = Dice::new([5; 32]);
    let mut seen = [0_u32; OPTIONS];
    for _ in 0..2000 {
        let (series, rounds) = draw(&facts, &mut dice).unwrap();
        assert_eq!(rounds.len(), ROUNDS);
        let mut kinds = Vec::new();
        let mut asked = Vec::new();
        for (round, right) in rounds.iter().zip(&series.right) {
            let fact = &facts[round.fact];
            assert_eq!(round.options[usize::from(*right)], fact.options[0]);
            let sorted = |options: &[Place]| {
                let mut options = options.to_vec();
                options.sort_unstable();
                options
            };
            assert_eq!(sorted(&round.options), sorted(&fact.options), "always the same nine");
            seen[usize::from(*right)] += 1;
            kinds.push(fact.kind.name());
            asked.push(round.fact);
        }
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), ROUNDS, "no fact twice");
        assert!(
            Kind::ALL.iter().all(|kind| kinds.iter().filter(|known| **known == kind.name()).count() <= 3)
        );
        kinds.sort_unstable();
        kinds.dedup();
        assert!(kinds.len() >= 3);
    }
    // 1,556 expected at each place, and a standard deviation of 37.
    assert!(seen.iter().all(|count| count.abs_diff(1556) < 5 * 37), "{seen:?}");
}

#[test]
fn options_stand_apart_and_read_differently() {
    let mut dice = Dice::new([6; 32]);
    for kind in Kind::ALL {
        for _ in 0..300 {
            let Some(options) = options(kind, kind.throw(&mut dice), &[], YEAR, &mut dice) else {
                assert_eq!(kind, Kind::Month, "only months are asked for in a window");
                continue;
            };
            assert_eq!(options.len(), OPTIONS);
            for language in Language::ALL {
                let mut texts: Vec<_> = options.iter().map(|place| kind.text(*place, language)).collect();
                texts.sort_unstable();
                texts.dedup();
                assert_eq!(texts.len(), OPTIONS, "{texts:?}");
            }
            for (at, one) in options.iter().enumerate() {
                assert!(options[at + 1..].iter().all(|other| !kind.are_near(*one, *other)));
            }
        }
    }
}

#[test]
fn a_year_later_most_decoys_of_a_month_are_the_same() {
    let right = Kind::Month.place("2022-06").unwrap();
    let nine =
        |seed: u8, year: u16| options(Kind::Month, right, &[], year, &mut Dice::new([seed; 32])).unwrap();
    let kept = |seed: u8| nine(seed, 2027).iter().filter(|option| nine(seed, 2026).contains(option)).count();
    let kept: usize = (0..100).map(kept).sum();
    assert!(kept >= 100 * (OPTIONS - 2), "{kept}");
    for gone in ["2026-01", "2015-12"] {
        let right = Kind::Month.place(gone).unwrap();
        assert_eq!(options(Kind::Month, right, &[], YEAR, &mut Dice::new([7; 32])), None, "{gone}");
    }
}

#[test]
fn too_few_facts_or_kinds_make_no_series() {
    let mut dice = Dice::new([8; 32]);
    let all = facts(1);
    assert!(draw(&[], &mut dice).is_none());
    assert!(draw(&all[..6], &mut dice).is_none());
    assert!(draw(&all[..7], &mut dice).is_some());
    // Two kinds make six rounds at most.
    let two: Vec<_> = (0..8)
        .flat_map(|seed| {
            facts(seed).into_iter().filter(|fact| [Kind::City, Kind::Month].contains(&fact.kind))
        })
        .collect();
    assert!(two.len() > 30 && draw(&two, &mut dice).is_none());
    // The same answer, however often it is told, is one.
    assert!(draw(&vec![all[0].clone(); 20], &mut dice).is_none());
}

#[test]
fn nothing_is_said_before_the_end_and_one_mistake_is_forgiven() {
    for (mistakes, passes) in
        [(vec![], true), (vec![3], true), (vec![0, 6], false), (vec![0, 1, 2, 3, 4, 5, 6], false)]
    {
        let (mut series, _) = draw(&facts(1), &mut Dice::new([9; 32])).unwrap();
        let right = series.right.clone();
        let mut said = Vec::new();
        for (round, right) in right.iter().enumerate() {
            let option = usize::from(*right) + usize::from(mistakes.contains(&round));
            said.push(series.answer(option));
        }
        let last = said.pop();
        assert!(said.iter().copied().eq((1..ROUNDS).map(Answered::Next)), "whatever was chosen");
        assert_eq!(last, Some(Answered::Over { passed: passes }));
        assert_eq!(series.answer(usize::from(right[0])), Answered::Over { passed: passes }, "it is over");
    }
}

#[test]
fn persisted_format() {
    let json = r#"{"right":[0,8,3,1,1,5,2],"round":2,"wrong":1}"#;
    let series: Series = serde_json::from_str(json).unwrap();
    assert_eq!(series.state(), Answered::Next(2));
    assert_eq!(serde_json::to_string(&series).unwrap(), json);
}
