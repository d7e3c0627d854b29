//! Numbers are sold again 二次放号: whether who proves one may be let into the account that it leads to. The one rule
//! (its table: docs/recycled-numbers.md).
//!
//! A carrier may give a number to somebody else four months after it was given up, so a proof that is younger speaks
//! for the same person. What is older does not, and then somebody must: the device, the carrier, or the person.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    device::Trust,
    evidence::{Evidence, Reassignment},
};

/// A number that was proven less than so long ago is its owner's still: the four months of the carriers.
pub const QUIET: Duration = Duration::from_secs(120 * 86_400);

/// An account that was used on a known device within this time has an owner who can be heard.
pub const ACTIVE: Duration = Duration::from_secs(30 * 86_400);

/// So long the owner can object before a number goes that is claimed without the carrier's word.
pub const OBJECTION_BEFORE: Duration = Duration::from_secs(3 * 86_400);

/// So long the owner can object after it went.
pub const OBJECTION_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// The word that a number was not sold again counts so long in the profile `social`: the carriers' data has gaps.
pub const WORD_COUNTS: Duration = Duration::from_secs(365 * 86_400);

/// What the accounts of a deployment are worth, and so how much must be proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Little. The default.
    #[default]
    Basic,
    /// Friends, and what was said between them.
    Social,
    /// Money: login protection is on unless its owner switches it off.
    Money,
}

/// What the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How long ago the number was last proven; `None`: never since it was said to be theirs.
    pub last_proof: Option<Duration>,
    /// How well the account knows the device; `None`: not at all.
    pub device: Option<Trust>,
    /// What carrier and register say; `None`: they were not asked yet.
    pub evidence: Option<Evidence>,
    /// What the account is worth.
    pub profile: Profile,
    /// Somebody has proven the number, said that the account is not theirs, and waits for it.
    pub is_claimed: bool,
}

/// What becomes of who has proven the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the owner, as far as the number tells.
    Owner,
    /// Carrier and register must be asked first.
    AskCarrier,
    /// The person must be asked whether it is their account, and prove it if so.
    AskPerson,
    /// It is another person: the number leaves the account.
    Recycled,
}

impl Profile {
    /// The name in settings and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Social => "social",
            Self::Money => "money",
        }
    }

    /// How much must be proven, in strengths of proofs.
    pub const fn need(self) -> u8 {
        match self {
            Self::Basic | Self::Social => 2,
            Self::Money => 3,
        }
    }
}

/// The rule.
pub fn decide(facts: &Facts) -> Verdict {
    // 1. A proof that is young enough, or a device that speaks for its owner.
    let is_recent = facts.last_proof.is_some_and(|age| age < QUIET);
    if is_recent || matches!(facts.device, Some(Trust::Known | Trust::Trusted)) {
        return Verdict::Owner;
    }
    // 2. Evidence before questions.
    let Some(evidence) = facts.evidence else { return Verdict::AskCarrier };
    match (evidence.reassignment, evidence.name_matches) {
        (Reassignment::Reassigned | Reassignment::Cancelled, _) => Verdict::Recycled,
        // It is in another name now, which weighs more than the carrier's silence and than its word.
        (_, Some(false)) => Verdict::AskPerson,
        (Reassignment::NotReassigned, _) if word_suffices(facts) => Verdict::Owner,
        _ => Verdict::AskPerson,
    }
}

/// Whether a claim that nobody objected to in time waits on: the carrier says that the number was not sold, and the account is
/// worth more than the wait of an honest buyer.
pub fn word_stops_claim(facts: &Facts) -> bool {
    let said = facts.evidence.map(|known| (known.reassignment, known.name_matches));
    let is_his = matches!(said, Some((Reassignment::NotReassigned, None | Some(true))));
    is_his && facts.profile != Profile::Basic
}

/// Whether "not reassigned" is enough. Not against the word of somebody who has the number and says it is not their account.
fn word_suffices(facts: &Facts) -> bool {
    match facts.profile {
        _ if facts.is_claimed => false,
        Profile::Basic => true,
        Profile::Social => facts.last_proof.is_some_and(|age| age < WORD_COUNTS),
        Profile::Money => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Timestamp;

    use Reassignment::{Cancelled, NotReassigned, Reassigned, Unknown};
    use Verdict::{AskCarrier, AskPerson, Owner, Recycled};

    const NEVER_ASKED: Option<Evidence> = None;

    const fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    fn word(reassignment: Reassignment) -> Option<Evidence> {
        let at = Timestamp::from_secs(0);
        Some(Evidence { reassignment, ..Evidence::none(at, at) })
    }

    fn in_name(matches: bool, reassignment: Reassignment) -> Option<Evidence> {
        word(reassignment).map(|evidence| Evidence { name_matches: Some(matches), ..evidence })
    }

    fn verdict(age: u64, device: Option<Trust>, evidence: Option<Evidence>, profile: Profile) -> Verdict {
        decide(&Facts { last_proof: Some(days(age)), device, evidence, profile, is_claimed: false })
    }

    #[test]
    fn four_months_speak_for_the_owner_and_not_a_day_more() {
        for profile in [Profile::Basic, Profile::Social, Profile::Money] {
            assert_eq!(verdict(0, None, NEVER_ASKED, profile), Owner);
            assert_eq!(verdict(119, None, NEVER_ASKED, profile), Owner);
            assert_eq!(verdict(120, None, NEVER_ASKED, profile), AskCarrier);
            assert_eq!(verdict(120, Some(Trust::New), NEVER_ASKED, profile), AskCarrier);
            let never = Facts { last_proof: None, device: None, evidence: None, profile, is_claimed: false };
            assert_eq!(decide(&never), AskCarrier);
        }
    }

    #[test]
    fn a_device_of_standing_is_never_asked() {
        for device in [Trust::Known, Trust::Trusted] {
            for evidence in [NEVER_ASKED, word(Reassigned), in_name(false, Cancelled)] {
                assert_eq!(verdict(5000, Some(device), evidence, Profile::Money), Owner);
            }
        }
    }

    #[test]
    fn what_the_carrier_says_counts_by_profile() {
        // Age in days, the carrier's word, and what basic, social and money make of it.
        let table = [
            (120, Reassigned, [Recycled, Recycled, Recycled]),
            (120, Cancelled, [Recycled, Recycled, Recycled]),
            (120, NotReassigned, [Owner, Owner, AskPerson]),
            (364, NotReassigned, [Owner, Owner, AskPerson]),
            (365, NotReassigned, [Owner, AskPerson, AskPerson]),
            (120, Unknown, [AskPerson, AskPerson, AskPerson]),
        ];
        for (age, said, expected) in table {
            let verdicts = [Profile::Basic, Profile::Social, Profile::Money]
                .map(|profile| verdict(age, None, word(said), profile));
            assert_eq!(verdicts, expected, "{age} days, {said:?}");
        }
    }

    #[test]
    fn a_claim_weighs_more_than_the_carriers_word_but_no_more_than_a_young_proof_or_a_device() {
        // Age, device, the carrier's word, the verdict, and whether a claim that is due waits on: basic, social, money.
        let known = Some(Trust::Known);
        let table = [
            (119, None, NEVER_ASKED, Owner, [false; 3]),
            (120, known, word(NotReassigned), Owner, [false, true, true]),
            (120, None, NEVER_ASKED, AskCarrier, [false; 3]),
            (120, None, word(NotReassigned), AskPerson, [false, true, true]),
            (120, None, in_name(true, NotReassigned), AskPerson, [false, true, true]),
            (120, None, in_name(false, NotReassigned), AskPerson, [false; 3]),
            (120, None, word(Unknown), AskPerson, [false; 3]),
            (120, None, word(Reassigned), Recycled, [false; 3]),
        ];
        for (age, device, evidence, verdict, stops) in table {
            for (profile, stops) in [Profile::Basic, Profile::Social, Profile::Money].into_iter().zip(stops) {
                let facts =
                    Facts { last_proof: Some(days(age)), device, evidence, profile, is_claimed: true };
                assert_eq!((decide(&facts), word_stops_claim(&facts)), (verdict, stops), "{facts:?}");
            }
        }
    }

    #[test]
    fn a_name_that_matches_no_more_leads_to_the_question_and_one_that_does_proves_nothing() {
        for profile in [Profile::Basic, Profile::Social, Profile::Money] {
            assert_eq!(verdict(120, None, in_name(false, NotReassigned), profile), AskPerson);
            assert_eq!(verdict(120, None, in_name(false, Unknown), profile), AskPerson);
            assert_eq!(verdict(120, None, in_name(true, Unknown), profile), AskPerson);
            assert_eq!(verdict(120, None, in_name(true, Reassigned), profile), Recycled);
        }
    }
}
