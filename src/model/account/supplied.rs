//! What the app says of an account: facts that its owner can be asked for, friends who can vouch, and that there is money.

use serde::{Deserialize, Serialize};

use super::{Account, Outcome, Rules};
use crate::model::{fact::Fact, friends::Friend, recycling::Profile};

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
}

impl Account {
    pub(super) fn supply(&mut self, said: Supplied) -> Outcome {
        let kept = self.supplied.get_or_insert_default();
        kept.facts = said.facts.or_else(|| kept.facts.take());
        kept.friends = said.friends.or_else(|| kept.friends.take());
        kept.money = said.money.or(kept.money);
        self.forget_old_friends();
        Outcome::Done
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
    use crate::{
        kernel::id::AccountId,
        model::{fact::Kind, object::Document},
    };

    fn holding(money: bool) -> Supplied {
        Supplied { money: Some(money), ..Supplied::default() }
    }

    #[test]
    fn each_list_takes_the_place_of_the_last_and_of_nobody_nothing_is_kept() {
        let mut document = Document::<Account>::empty();
        let say = |document: &mut Document<Account>, said: Supplied| {
            document.apply(Operation::Supply(said.into()), at(1))
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
            account.supply(holding(false));
            assert_eq!(
                (account.profile(&rules), account.is_protected(&rules)),
                (profile, profile == Profile::Money)
            );
            account.supply(holding(true));
            assert_eq!((account.profile(&rules), account.is_protected(&rules)), (Profile::Money, true));
        }
        // What its owner has chosen stands.
        account.protected = Some(false);
        assert!(!account.is_protected(&RULES));
    }
}
