//! What the app says of an account: facts that its owner can be asked for, friends who can vouch, and that there is money.

use serde::{Deserialize, Serialize};

use super::{Account, Outcome, Rules};
use crate::model::{fact::Fact, friends::Friend, recycling::Profile};

/// What the app has said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplied {
    /// What its owner can be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Who can vouch for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub friends: Vec<Friend>,
    /// It holds money, whatever the deployment's accounts do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub money: bool,
}

/// What it says now, in place of all that it said before of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// Facts.
    Facts(Vec<Fact>),
    /// Friends.
    Friends(Vec<Friend>),
    /// Whether it holds money.
    Money(bool),
}

impl Supplied {
    pub(super) const fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.friends.is_empty() && !self.money
    }
}

impl Account {
    pub(super) fn supply(&mut self, supply: Supply) -> Outcome {
        match supply {
            Supply::Facts(facts) => self.supplied.facts = facts,
            Supply::Friends(friends) => self.supplied.friends = friends,
            Supply::Money(money) => self.supplied.money = money,
        }
        Outcome::Done
    }

    /// What it is worth: what all are, or money.
    pub(super) const fn profile(&self, rules: &Rules) -> Profile {
        if self.supplied.money { Profile::Money } else { rules.profile }
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

    #[test]
    fn each_list_takes_the_place_of_the_last_and_of_nobody_nothing_is_kept() {
        let mut document = Document::<Account>::empty();
        let say = |document: &mut Document<Account>, supply: Supply| {
            document.apply(Operation::Supply(supply), at(1))
        };
        assert_eq!(say(&mut document, Supply::Money(true)), Outcome::NotFound);
        assert!(document.tidy(at(1)), "it has left nothing");
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), at(1));
        let fact = |text: &str| Fact { kind: Kind::City, text: from_text(text) };
        let friend = Friend(AccountId::from_bytes([1; 16]), 3);
        for supply in [
            Supply::Facts(vec![fact("k1.a"), fact("k1.b")]),
            Supply::Friends(vec![friend; 2]),
            Supply::Money(true),
            Supply::Facts(vec![fact("k1.c")]),
            Supply::Friends(Vec::new()),
        ] {
            assert_eq!(say(&mut document, supply), Outcome::Done);
        }
        let json = serde_json::to_value(&document).unwrap();
        let expected = serde_json::json!({"facts": [{"kind": "city", "text": "k1.c"}], "money": true});
        assert_eq!(json["state"]["supplied"], expected);
        say(&mut document, Supply::Facts(Vec::new()));
        say(&mut document, Supply::Money(false));
        assert_eq!(serde_json::to_value(&document).unwrap()["state"].get("supplied"), None);
    }

    #[test]
    fn money_outweighs_what_the_deployment_is_worth_and_protects_by_default() {
        let mut account = Account::default();
        for profile in [Profile::Basic, Profile::Social, Profile::Money] {
            let rules = Rules { profile, ..RULES };
            account.supply(Supply::Money(false));
            assert_eq!(
                (account.profile(&rules), account.is_protected(&rules)),
                (profile, profile == Profile::Money)
            );
            account.supply(Supply::Money(true));
            assert_eq!((account.profile(&rules), account.is_protected(&rules)), (Profile::Money, true));
        }
        // What its owner has chosen stands.
        account.protected = Some(false);
        assert!(!account.is_protected(&RULES));
    }
}
