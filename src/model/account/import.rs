//! An account from elsewhere: all that leads to it there leads to it here, or nothing is left of it.
//!
//! The account writes down what it intends; its handles decide; then it stands, or is as if it had never been. Who
//! meets one in between ends it first, whoever that is: who imports, the account's outbox, or somebody who signs in.
//! So nobody comes into half an account, and an import that broke off locks nobody out.

use serde::{Deserialize, Serialize};

use super::{Account, Candidate, Created, Identifier, Outcome, Password, Profile, RealName, Verified};
use crate::{
    kernel::{id::AccountId, seal::Sealed, time::Timestamp},
    model::{
        handle::{HandleName, Proof},
        outbox::{Message, Outbox},
    },
};

/// An account as somebody else kept it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The account: always the same for what is called the same there.
    pub account: AccountId,
    /// A fresh number, by which one attempt is told from another.
    pub attempt: u64,
    /// What leads to it, and when that was last proven.
    pub candidates: Vec<Candidate>,
    /// What its password is compared with.
    pub password: Option<Sealed>,
    /// Profile.
    pub profile: Profile,
    /// Whether it is known who its owner is.
    pub real_name: RealName,
    /// By what.
    pub verified: Option<Verified>,
    /// Since when there is an account.
    pub created_at: Timestamp,
}

/// An import that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Importing {
    /// Which attempt.
    pub attempt: u64,
    /// What is to be claimed, in this order.
    pub claims: Vec<ImportClaim>,
}

/// An identifier to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportClaim {
    /// Its handle.
    pub handle: HandleName,
    /// When and how it was last proven; user names are not.
    pub proof: Option<Proof>,
}

/// An import that nobody has ended after so long is ended by the account.
const LEFT_ALONE: std::time::Duration = std::time::Duration::from_secs(10);

impl Account {
    /// Begins an import, or goes on with one. An account that stands is left alone, whatever it holds.
    pub(super) fn import(&mut self, import: Import, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        if let Some(importing) = &self.importing {
            return Outcome::Importing(importing.clone());
        }
        if self.created.is_some() || self.has_left {
            return Outcome::Done;
        }
        // What was claimed before must be free again, or what is still on its way would free it afterwards.
        if !outbox.is_empty() {
            return Outcome::Limited { retry_after: 1 };
        }
        let Import { account, attempt, candidates, password, profile, real_name, verified, created_at } =
            import;
        let mut claims = Vec::new();
        for Candidate { identifier, proof } in candidates {
            claims.push(ImportClaim { handle: identifier.handle.clone(), proof });
            self.identifiers.push(Identifier { claiming: true, ..identifier });
        }
        self.created = Some(Created { at: created_at, by: None, on: None });
        self.password = password.map(|hash| Password { hash, set_at: now, attempt: None });
        (self.profile, self.real_name, self.verified) = (profile, real_name, verified);
        let importing = Importing { attempt, claims };
        self.importing = Some(importing.clone());
        let message = Message::FinishImport { account, importing: importing.clone() };
        outbox.post(message, now.plus(LEFT_ALONE));
        Outcome::Importing(importing)
    }

    /// The handles have decided. `Done`: the account stands; `NotFound`: there is none.
    pub(super) fn settle_import(
        &mut self,
        account: AccountId,
        attempt: u64,
        handles: Vec<HandleName>,
        is_won: bool,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let ended = self.importing.take_if(|importing| importing.attempt == attempt);
        if ended.is_some() && !is_won {
            *self = Self::default();
        }
        match (&self.importing, self.created) {
            // Somebody else's attempt is under way, whose claims these are now.
            (Some(importing), _) => Outcome::Importing(importing.clone()),
            (None, Some(created)) => {
                if ended.is_some() {
                    self.identifiers.iter_mut().for_each(|known| known.claiming = false);
                    let (created_at, last_login_at) = (created.at, created.at);
                    outbox.post(Message::IndexAccount { account, created_at, last_login_at }, now);
                }
                Outcome::Done
            }
            (None, None) => {
                for handle in handles {
                    outbox.post(Message::Undo { handle, account }, now);
                }
                Outcome::NotFound
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Operation,
        tests::{at, from_text, sign_in},
    };
    use super::*;
    use crate::model::{login::Method, object::Document};

    const ACCOUNT: AccountId = AccountId::from_bytes([100; 16]);

    fn import(attempt: u64) -> Operation {
        let (handle, value) = (from_text("phone.k1.name"), from_text("k1.number"));
        let identifier = Identifier { handle, value, since: at(9), alias_of: None, claim: 0, claiming: true };
        let proof = Some(Proof { at: at(5), method: Method::Otp });
        Operation::Import(Box::new(Import {
            account: ACCOUNT,
            attempt,
            candidates: vec![Candidate { identifier, proof }],
            password: Some(from_text("k1.hash")),
            profile: Profile::default(),
            real_name: RealName::Verified,
            verified: Some(Verified { name: from_text("k1.owner"), id: Some("k1.id".to_owned()) }),
            created_at: at(1),
        }))
    }

    fn settle(attempt: u64, is_won: bool) -> Operation {
        let handles = vec![from_text("phone.k1.name")];
        Operation::SettleImport { account: ACCOUNT, attempt, handles, is_won }
    }

    fn attempt_of(outcome: &Outcome) -> Option<u64> {
        match outcome {
            Outcome::Importing(importing) => Some(importing.attempt),
            _ => None,
        }
    }

    /// Everything that is due is delivered.
    fn deliver(document: &mut Document<Account>, now: Timestamp) -> usize {
        let due: Vec<u64> = document.due(now).iter().map(|letter| letter.id).collect();
        document.settle(&due, &[], now);
        due.len()
    }

    #[test]
    fn an_import_goes_on_where_it_stopped_until_it_has_ended() {
        let mut document = Document::<Account>::empty();
        assert_eq!(attempt_of(&document.apply(import(1), at(10))), Some(1));
        assert_eq!(attempt_of(&document.apply(import(2), at(11))), Some(1), "the first one goes on");
        let login = Operation::SignIn(Box::new(sign_in(1, None)));
        assert_eq!(attempt_of(&document.apply(login.clone(), at(12))), Some(1));
        assert_eq!(document.wake_at(), Some(at(20)), "or it ends itself");
        assert_eq!(document.apply(settle(1, true), at(13)), Outcome::Done);
        for operation in [settle(1, true), settle(1, false), settle(7, false), import(3)] {
            assert_eq!(document.apply(operation, at(14)), Outcome::Done, "it stands");
        }
        assert_eq!(deliver(&mut document, at(14)), 1, "the index alone");
        let Outcome::SignedIn { is_new, real_name, .. } = document.apply(login, at(15)) else { panic!("in") };
        assert_eq!((is_new, real_name), (false, RealName::Verified));
    }

    #[test]
    fn what_is_lost_is_gone_and_comes_back_only_when_its_claims_are_free() {
        let mut document = Document::<Account>::empty();
        document.apply(import(1), at(10));
        assert_eq!(document.apply(settle(1, false), at(11)), Outcome::NotFound);
        assert_eq!(document.apply(import(2), at(11)), Outcome::Limited { retry_after: 1 });
        assert_eq!(document.apply(Operation::LookAtPassword, at(11)), Outcome::Password { password: None });
        let undo = Message::Undo { handle: from_text("phone.k1.name"), account: ACCOUNT };
        assert!(matches!(document.due(at(11)).as_slice(), [letter] if letter.message == undo));
        deliver(&mut document, at(11));
        assert!(document.tidy(at(11)), "nothing is left");
        // Somebody who has slept since the first attempt.
        assert_eq!(document.apply(settle(1, true), at(12)), Outcome::NotFound);
        assert_eq!(deliver(&mut document, at(12)), 1, "what they claimed is freed");
        assert_eq!(attempt_of(&document.apply(import(2), at(13))), Some(2));
        assert_eq!(attempt_of(&document.apply(settle(1, false), at(14))), Some(2), "and decides nothing");
        assert_eq!(document.apply(settle(2, true), at(15)), Outcome::Done);
    }

    #[test]
    fn persisted_format() {
        let mut document = Document::<Account>::empty();
        document.apply(import(7), at(10));
        let json = concat!(
            r#"{"version":1,"state":{"created":{"at":1000},"identifiers":[{"handle":"phone.k1.name","#,
            r#""value":"k1.number","since":9000,"claiming":true}],"devices":[],"sessions":[],"#,
            r#""password":{"hash":"k1.hash","set_at":10000},"real_name":"verified","verified":{"name":"k1.owner","id":"k1.id"},"#,
            r#""importing":{"attempt":7,"claims":[{"handle":"phone.k1.name","proof":{"at":5000,"method":"otp"}}]}},"#,
            r#""outbox":{"next_id":1,"letters":[{"id":0,"message":{"finish_import":{"#,
            r#""account":"acc_mrsgizdemrsgizdemrsgizdemq","importing":{"attempt":7,"claims":[{"handle":"phone.k1.name","#,
            r#""proof":{"at":5000,"method":"otp"}}]}}},"attempts":0,"due":20000}]}}"#,
        );
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
        let again: Document<Account> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }
}
