//! Which of several providers is asked first.

use crate::{kernel::order::in_order, model::counter::Health};

/// A provider that could be asked.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its share among those that are well, 0 to 100; with 0 it is asked when they refused.
    pub weight: u64,
    /// How it does, if that is known.
    pub health: Option<Health>,
}

/// Calls before they speak against a provider.
pub const LEAST_CALLS: u64 = 5;

/// Receipts before they do.
pub const LEAST_RECEIPTS: u64 = 50;

/// The order in which to ask, each candidate once: those that are well, drawn by weight, then the unwell. `random`
/// is what is drawn with.
pub fn order(candidates: &[Candidate], random: u64) -> Vec<usize> {
    // Unwell ones go last; those of weight 0 behind the others of their kind.
    let mut left = in_order(candidates.iter().enumerate(), |(_, one), (_, other)| one.rank() <= other.rank());
    let mut random = random;
    let mut order = Vec::new();
    while let Some((_, first)) = left.first() {
        let kind = first.rank();
        let peers = left.iter().take_while(|(_, other)| other.rank() == kind);
        let total: u64 = peers.map(|(_, candidate)| candidate.weight).sum();
        let mut drawn = random.checked_rem(total).unwrap_or(0);
        random = random.rotate_left(17);
        let at = left.iter().position(|(_, candidate)| {
            let hit = drawn < candidate.weight || total == 0;
            drawn = drawn.saturating_sub(candidate.weight);
            hit
        });
        order.push(left.remove(at.unwrap_or(0)).0);
    }
    order
}

impl Candidate {
    fn rank(&self) -> (bool, bool) {
        (!self.is_well(), self.weight == 0)
    }

    /// More than half of what it did lately failed, and it did enough to tell.
    fn is_well(&self) -> bool {
        let Some(health) = self.health else { return true };
        let most = |bad: u64, all: u64| bad.saturating_mul(2) > all;
        !(health.calls >= LEAST_CALLS && most(health.failed, health.calls)
            || health.receipts >= LEAST_RECEIPTS && most(health.undelivered, health.receipts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(weight: u64) -> Candidate {
        Candidate { weight, health: None }
    }

    fn with(weight: u64, health: Health) -> Candidate {
        Candidate { weight, health: Some(health) }
    }

    /// How often each candidate is first, of a thousand draws.
    fn firsts(candidates: &[Candidate]) -> Vec<usize> {
        let mut firsts = vec![0; candidates.len()];
        for nth in 0..1000_u64 {
            let order = order(candidates, nth.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..candidates.len()).collect::<Vec<_>>(), "each once");
            firsts[order[0]] += 1;
        }
        firsts
    }

    #[test]
    fn shares_are_by_weight() {
        let firsts = firsts(&[well(1), well(3), well(0)]);
        assert!((200..300).contains(&firsts[0]) && (700..800).contains(&firsts[1]), "{firsts:?}");
        assert_eq!(firsts[2], 0);
    }

    #[test]
    fn the_unwell_wait() {
        let failing = Health { calls: 5, failed: 3, ..Health::default() };
        let silent = Health { receipts: 50, undelivered: 26, ..Health::default() };
        assert_eq!(order(&[with(100, failing), well(0)], 7), [1, 0]);
        assert_eq!(order(&[with(100, silent), well(1)], 7), [1, 0]);
        // Too little to tell, or half and half.
        let few = Health { calls: 4, failed: 4, ..Health::default() };
        let half = Health { calls: 10, failed: 5, receipts: 50, undelivered: 25 };
        assert_eq!(order(&[with(1, few), well(0)], 7), [0, 1]);
        assert_eq!(order(&[with(1, half), well(0)], 7), [0, 1]);
    }

    #[test]
    fn none_and_one() {
        assert_eq!(order(&[], 1), [0; 0]);
        assert_eq!(order(&[well(0)], 1), [0]);
    }
}
