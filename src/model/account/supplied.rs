//! What the app says of an account: facts that its owner can be asked for, friends who can vouch, and that there is money.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Account, Outcome, Rules};
use crate::{
    kernel::{id::AccountId, time::Timestamp},
    model::{fact::Fact, friends::Friend, notice::NoticeKind, outbox::Outbox, recycling::Profile},
};

/// An account that holds money is treated so for so long after the app has said that it holds none: who may say that must not
/// be able to get past the two who decide by saying it.
pub(super) const MONEY_STAYS: Duration = Duration::from_secs(3 * 86_400);

/// What the app has said, or says now in place of all that it said before of the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplied {
    /// What its owner can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Vec<Fact>>,
    /// Who can vouch for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friends: Option<Vec<Friend>>,
    /// It holds money, whatever the deployment's accounts do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<bool>,
    /// From then on it does not: the app has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money_ends: Option<Timestamp>,
}

impl Account {
    pub(super) fn supply(
        &mut self,
        said: Supplied,
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let kept = self.supplied.get_or_insert_default();
        kept.facts = said.facts.or_else(|| kept.facts.take());
        kept.friends = said.friends.or_else(|| kept.friends.take());
        match (said.money, kept.money) {
            (Some(false), Some(true)) => {
                // Said again it neither waits anew nor is told anew.
                if kept.money_ends.is_none() {
                    kept.money_ends = Some(now.plus(MONEY_STAYS));
                    self.tell(NoticeKind::MoneyEnds, account, None, rules, now, outbox);
                }
            }
            (Some(money), _) => (kept.money, kept.money_ends) = (Some(money), None),
            (None, _) => {}
        }
        self.forget_old_friends();
        Outcome::Done
    }

    /// It holds money no more, once that was said long enough ago.
    pub(super) fn end_money(&mut self, now: Timestamp) {
        if let Some(kept) = &mut self.supplied
            && kept.money_ends.take_if(|ends| *ends <= now).is_some()
        {
            kept.money = Some(false);
        }
    }

    /// When that is.
    pub(super) fn money_ends(&self) -> Option<Timestamp> {
        self.supplied.as_ref()?.money_ends
    }

    /// What it is worth: what all are, or money.
    pub(super) fn profile(&self, rules: &Rules) -> Profile {
        let holds_money = self.supplied.as_ref().and_then(|said| said.money);
        if holds_money == Some(true) { Profile::Money } else { rules.profile }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Operation,
        tests::{RULES, at, from_text, sign_in},
    };
    use super::*;
    use crate::model::{fact::Kind, object::Document};

    const DAY: i64 = 86_400;

    fn say(account: &mut Account, money: bool, secs: i64) {
        let (id, mut outbox) = (AccountId::from_bytes([100; 16]), Outbox::default());
        account.supply(holding(money), id, &RULES, at(secs), &mut outbox);
    }

    fn holding(money: bool) -> Supplied {
        Supplied { money: Some(money), ..Supplied::default() }
    }

    #[test]
    fn each_list_takes_the_place_of_the_last_and_of_nobody_nothing_is_kept() {
        let mut document = Document::<Account>::empty();
        let say = |document: &mut Document<Account>, said: Supplied| {
            let account = AccountId::from_bytes([100; 16]);
            document.apply(Operation::Supply { account, said: said.into(), rules: RULES }, at(1))
        };
        let fact = |text: &str| Fact { kind: Kind::City, text: from_text(text) };
        let facts = |texts: &[&str]| {
            let facts = texts.iter().map(|text| fact(text)).collect();
            Supplied { facts: Some(facts), ..Supplied::default() }
        };
        let friends =
            |friends: &[Friend]| Supplied { friends: Some(friends.to_vec()), ..Supplied::default() };
        assert_eq!(say(&mut document, holding(true)), Outcome::NotFound);
        assert!(document.tidy(at(1)), "it has left nothing");
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), at(1));
        let friend = Friend(AccountId::from_bytes([1; 16]), 3);
        for said in
            [facts(&["k1.a", "k1.b"]), friends(&[friend; 2]), holding(true), facts(&["k1.c"]), friends(&[])]
        {
            assert_eq!(say(&mut document, said), Outcome::Done);
        }
        let json = serde_json::to_value(&document).unwrap();
        let expected =
            serde_json::json!({"facts": [{"kind": "city", "text": "k1.c"}], "friends": [], "money": true});
        assert_eq!(json["state"]["supplied"], expected);
    }

    #[test]
    fn money_outweighs_what_the_deployment_is_worth_and_protects_by_default() {
        let mut account = Account::default();
        for profile in [Profile::Basic, Profile::Social, Profile::Money] {
            let rules = Rules { profile, ..RULES };
            say(&mut account, false, 0);
            account.end_money(at(3 * DAY));
            assert_eq!(
                (account.profile(&rules), account.is_protected(&rules)),
                (profile, profile == Profile::Money)
            );
            say(&mut account, true, 0);
            assert_eq!((account.profile(&rules), account.is_protected(&rules)), (Profile::Money, true));
        }
        // What its owner has chosen stands.
        account.protected = Some(false);
        assert!(!account.is_protected(&RULES));
    }

    #[test]
    fn it_is_worth_more_at_once_and_less_after_three_days() {
        let mut account = Account::default();
        let worth = |account: &mut Account, secs: i64| {
            account.end_money(at(secs));
            account.profile(&RULES)
        };
        say(&mut account, true, 0);
        say(&mut account, false, 10);
        say(&mut account, false, 20);
        assert_eq!(worth(&mut account, 3 * DAY + 9), Profile::Money);
        assert_eq!(worth(&mut account, 3 * DAY + 10), Profile::Basic, "said again it does not wait anew");
        say(&mut account, true, 4 * DAY);
        say(&mut account, false, 4 * DAY);
        say(&mut account, true, 5 * DAY);
        assert_eq!(worth(&mut account, 9 * DAY), Profile::Money, "the app has thought better of it");
    }
}
