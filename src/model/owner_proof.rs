//! What people can show to prove that an account is theirs, and how much each is worth.

use serde::{Deserialize, Serialize};

/// A kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// A trusted device of the account says yes.
    DeviceApproval,
    /// A trusted phone of the account gets a code.
    TrustedPhone,
    /// The account's password.
    Password,
    /// Two friends, named by the app, vouch for it.
    Friends,
    /// Questions about what happened in the account.
    HistoryQuestions,
    /// The account's address gets a code.
    EmailCode,
    /// The name and the ID number that the account was verified with.
    NameId,
}

/// What a weak proof is worth: others may know it. Of those only one counts.
pub const WEAK: u8 = 1;

/// What is not easily had by another.
pub const MEDIUM: u8 = 2;

/// What only the owner has in hand.
pub const STRONG: u8 = 3;

impl ProofKind {
    /// All kinds, the strongest first.
    pub const ALL: [Self; 7] = [
        Self::DeviceApproval,
        Self::TrustedPhone,
        Self::Password,
        Self::Friends,
        Self::HistoryQuestions,
        Self::EmailCode,
        Self::NameId,
    ];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceApproval => "device_approval",
            Self::TrustedPhone => "trusted_phone",
            Self::Password => "password",
            Self::Friends => "friends",
            Self::HistoryQuestions => "history_questions",
            Self::EmailCode => "email_code",
            Self::NameId => "name_id",
        }
    }

    /// What it is worth.
    pub const fn strength(self) -> u8 {
        match self {
            Self::DeviceApproval => STRONG,
            Self::TrustedPhone | Self::Password | Self::Friends => MEDIUM,
            Self::HistoryQuestions | Self::EmailCode | Self::NameId => WEAK,
        }
    }
}

/// What proofs are worth together: each kind once, and at most one weak one.
pub fn strength_of(given: &[ProofKind]) -> u8 {
    let of = |kind: &ProofKind| if given.contains(kind) { kind.strength() } else { 0 };
    let strong: u8 = ProofKind::ALL.iter().map(of).filter(|worth| *worth > WEAK).sum();
    let has_weak = given.iter().any(|kind| kind.strength() == WEAK);
    strong.saturating_add(if has_weak { WEAK } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::{ProofKind::*, *};

    #[test]
    fn the_table_of_the_product() {
        let strengths = ProofKind::ALL.map(|kind| (kind.name(), kind.strength()));
        let expected = [
            ("device_approval", 3),
            ("trusted_phone", 2),
            ("password", 2),
            ("friends", 2),
            ("history_questions", 1),
            ("email_code", 1),
            ("name_id", 1),
        ];
        assert_eq!(strengths, expected);
    }

    #[test]
    fn of_weak_ones_only_one_counts_and_none_counts_twice() {
        for (given, worth) in [
            (vec![], 0),
            (vec![HistoryQuestions, EmailCode, NameId], 1),
            (vec![Password, HistoryQuestions, EmailCode], 3),
            (vec![Password, Password], 2),
            (vec![Password, Friends], 4),
            (vec![DeviceApproval], 3),
        ] {
            assert_eq!(strength_of(&given), worth, "{given:?}");
        }
    }
}
