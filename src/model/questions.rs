//! History questions: a series of rounds, each with nine options of which one is right.
//!
//! | knows | passes, exactly | that is |
//! |---|---|---|
//! | nothing | (7·8 + 1) / 9⁷ | 1 in 83,912 |
//! | one answer, such as the home city | (6·8 + 1) / 9⁶ | 1 in 10,846 |
//! | two answers | (5·8 + 1) / 9⁵ | 1 in 1,440 |
//! | three answers | (4·8 + 1) / 9⁴ | 1 in 199 |
//! | every answer, but errs once in ten (twenty) | | 85 % (96 %) |
//!
//! (Binomial: all right, or all but one.) Seven rounds with one mistake are chosen over six with one (with one answer
//! known 1 in 1,441: nothing to spare) and over five without (1 in 6,561, but of owners who err once in ten, 59 %
//! pass). The figures want nine options that are equally likely. Were the likeliest of each nine right in 18 of 100
//! rounds in place of 11, who knows one answer would still pass in fewer than 1 in 1,000.
//!
//! What keeps them likely alike:
//! - Decoys are thrown as answers are spread ([`Kind::throw`]), and all nine stand apart from each other. So nothing in the
//!   set tells which of it was there first.
//! - A fact always has the same nine options: whoever is asked twice must not learn by what has changed.
//! - The number of rounds depends on nothing, and nothing is said between them.

use serde::{Deserialize, Serialize};

use super::fact::{Kind, Place};
use crate::kernel::dice::Dice;

/// Rounds of a series.
pub const ROUNDS: usize = 7;

/// Options in a round.
pub const OPTIONS: usize = 9;

/// Wrong options that are forgiven in a series.
pub const FORGIVEN: u8 = 1;

/// Rounds of one kind at most: two kinds do not fill a series, and who knows where somebody lives knows no more than
/// this of seven.
pub const OF_A_KIND: usize = 3;

/// Values thrown before there are no nine.
const THROWS: usize = 10_000;

/// A series that is under way, without any text: those are kept beside it, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    right: Vec<u8>,
    round: u8,
    wrong: u8,
}

/// What becomes of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It goes on with the round of this number, counted from 0.
    Next(usize),
    /// It is over.
    Over {
        /// Enough was right.
        passed: bool,
    },
}

/// A fact that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askable {
    /// Of which kind.
    pub kind: Kind,
    /// What to choose from; the right one first.
    pub options: Vec<Place>,
}

/// A round to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Which of the facts it asks for.
    pub fact: usize,
    /// The options in the order in which they are shown.
    pub options: Vec<Place>,
}

/// The options of a fact, the right one first; `None`: it is not asked for in that year. No decoy is like one of `others`,
/// which are also true of the person. `dice` must be a secret of the fact and the same every time.
pub fn options(
    kind: Kind,
    right: Place,
    others: &[Place],
    this_year: u16,
    dice: &mut Dice,
) -> Option<Vec<Place>> {
    if !kind.is_in_window(right, this_year) {
        return None;
    }
    let mut options = vec![right];
    for _ in 0..THROWS {
        if options.len() == OPTIONS {
            return Some(options);
        }
        let thrown = kind.throw(dice);
        let is_near = |known: &Place| kind.are_near(*known, thrown);
        if kind.is_in_window(thrown, this_year) && !options.iter().chain(others).any(is_near) {
            options.push(thrown);
        }
    }
    None
}

/// A series of facts chosen at random, each answer once; `None`: there are too few, or of too few kinds.
pub fn draw(facts: &[Askable], dice: &mut Dice) -> Option<(Series, Vec<Round>)> {
    let mut chosen: Vec<(usize, &Askable)> = Vec::new();
    for (at, fact) in shuffled(facts.iter().enumerate().collect(), dice) {
        let of_its_kind = chosen.iter().filter(|(_, known)| known.kind == fact.kind);
        let is_there = of_its_kind.clone().any(|(_, known)| known.options.first() == fact.options.first());
        if !is_there && of_its_kind.count() < OF_A_KIND {
            chosen.push((at, fact));
        }
    }
    chosen.truncate(ROUNDS);
    if chosen.len() < ROUNDS {
        return None;
    }
    let mut right = Vec::new();
    let rounds = chosen.into_iter().map(|(at, fact)| {
        let options = shuffled(fact.options.clone(), dice);
        let place = options.iter().position(|option| Some(option) == fact.options.first());
        right.push(place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default());
        Round { fact: at, options }
    });
    let rounds = rounds.collect();
    Some((Series { right, round: 0, wrong: 0 }, rounds))
}

impl Series {
    /// Takes the option chosen in the round that is asked, counted from 0. After the last one nothing counts any more.
    pub fn answer(&mut self, option: usize) -> Answered {
        if let Some(right) = self.right.get(usize::from(self.round)) {
            self.wrong = self.wrong.saturating_add(u8::from(usize::from(*right) != option));
            self.round = self.round.saturating_add(1);
        }
        self.state()
    }

    /// How it stands.
    pub fn state(&self) -> Answered {
        let round = usize::from(self.round);
        if round < self.right.len() {
            Answered::Next(round)
        } else {
            Answered::Over { passed: self.wrong <= FORGIVEN && self.right.len() == ROUNDS }
        }
    }
}

/// The same in an order of which all are equally likely (Fisher and Yates).
fn shuffled<T>(mut things: Vec<T>, dice: &mut Dice) -> Vec<T> {
    for last in (1..things.len()).rev() {
        things.swap(last, dice.below(last.saturating_add(1)));
    }
    things
}

#[cfg(test)]
mod tests;
