//! How risky numbers and addresses are said to be.

use crate::state::World;

/// A score for requests about this number, from this address, or both.
pub(crate) struct Score {
    /// E.164.
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<String>,
    /// 0 to 1000.
    pub(crate) score: u16,
}

impl World {
    /// The highest score that applies; 0 when none does.
    pub(crate) fn score(&self, phone: &str, address: &str) -> u16 {
        let is = |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|text| text == given);
        self.ledger()
            .scores
            .iter()
            .filter(|score| is(&score.phone, phone) && is(&score.address, address))
            .map(|score| score.score)
            .max()
            .unwrap_or(0)
    }
}
