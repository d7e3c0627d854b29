//! What an app's backend says of an account, on record: facts that its owner can be asked for, who their friends are, and
//! whether there is money.

use super::{Failure, Service, backend_access::Backend, sealed::FACT};
use crate::{
    kernel::{fault::Fault, id::AccountId, secret::Secret},
    model::{
        account::{Operation, Supply},
        audit::Action,
        fact::{Fact, Kind},
        friends::Friend,
    },
    ports::World,
};

/// A fact as the app supplies it. No text of it has a line break.
#[derive(Debug)]
pub struct SuppliedFact {
    /// Of which kind.
    pub kind: Kind,
    /// The answer, one of its kind.
    pub answer: Secret<String>,
    /// The question in Chinese and in English; empty where it is not known in the one.
    pub question: [Secret<String>; 2],
}

/// What is said, in place of all that was said before of the same.
#[derive(Debug)]
pub enum Said {
    /// Facts.
    Facts(Vec<SuppliedFact>),
    /// Friends.
    Friends(Vec<Friend>),
    /// Whether it holds money.
    Money(bool),
}

impl<W: World> Service<'_, W> {
    /// Takes note of it.
    ///
    /// # Errors
    /// `not_found` for no such account; a fault when the record cannot be written, and then nothing is kept.
    pub async fn supply(
        &self,
        account: AccountId,
        said: Said,
        backend: &Backend,
        request_id: &str,
    ) -> Result<(), Failure> {
        let (action, supply) = match said {
            Said::Facts(facts) => {
                let facts = facts.iter().map(|fact| self.sealed_fact(account, fact));
                (Action::Facts, Supply::Facts(facts.collect::<Result<_, Fault>>()?))
            }
            Said::Friends(friends) => (Action::Friends, Supply::Friends(friends)),
            Said::Money(money) => (if money { Action::Money } else { Action::NoMoney }, Supply::Money(money)),
        };
        self.on_record(account, (action, Operation::Supply(supply)), backend, request_id).await
    }

    fn sealed_fact(&self, account: AccountId, fact: &SuppliedFact) -> Result<Fact, Fault> {
        let [zh, en] = &fact.question;
        let text = Secret::new([fact.answer.expose().as_str(), zh.expose(), en.expose()].join("\n"));
        Ok(Fact { kind: fact.kind, text: self.seal_for(account, FACT, text.expose().as_bytes())? })
    }
}
