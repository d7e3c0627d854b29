//! Fair numbers out of 32 bytes of entropy: the same seed throws the same numbers.

use super::digest::sha256;

/// A generator: SHA-256 over seed and counter, so that nobody who sees some numbers knows the others.
#[derive(Debug)]
pub struct Dice {
    seed: [u8; 32],
    blocks: u64,
    left: Vec<u8>,
}

impl Dice {
    /// From 32 bytes that nobody else knows.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, blocks: 0, left: Vec::new() }
    }

    /// A number from 0 to `sides - 1`, each equally likely; 0 where there are none. At most 65,536 sides.
    pub fn below(&mut self, sides: usize) -> usize {
        let Some(rest) = 0x1_0000_usize.checked_rem(sides) else { return 0 };
        // What is left over would make the small numbers likelier.
        let fair = 0x1_0000_usize.saturating_sub(rest);
        loop {
            let thrown = usize::from(self.byte()).saturating_mul(256).saturating_add(self.byte().into());
            if thrown < fair {
                return thrown.checked_rem(sides).unwrap_or_default();
            }
        }
    }

    fn byte(&mut self) -> u8 {
        if self.left.is_empty() {
            let block = sha256(&[self.seed.as_slice(), &self.blocks.to_be_bytes()].concat());
            self.left.extend_from_slice(&block);
            self.blocks = self.blocks.saturating_add(1);
        }
        self.left.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_all_sides_are_equally_likely() {
        let throw = |seed: u8| {
            let mut dice = Dice::new([seed; 32]);
            (0..90_000).map(|_| dice.below(9)).collect::<Vec<_>>()
        };
        assert!(throw(1) == throw(1) && throw(1) != throw(2));
        for side in 0..9 {
            let count = throw(1).iter().filter(|thrown| **thrown == side).count();
            // 10,000 expected, and a standard deviation of 94.
            assert!(count.abs_diff(10_000) < 5 * 94, "{side}: {count}");
        }
        assert_eq!((Dice::new([1; 32]).below(0), Dice::new([1; 32]).below(1)), (0, 0));
        assert!(Dice::new([1; 32]).below(65_536) < 65_536);
    }
}
