//! How an identifier comes to be the account's: an intention first, then the handle's word, then settled. Whatever breaks
//! in between, the outbox brings it to an end.

use serde::{Deserialize, Serialize};

use super::{Account, Identifier, Outcome, Rules};
use crate::{
    kernel::{id::AccountId, time::Timestamp},
    model::{
        binding::{Binding, Leads, Visitor, decide},
        handle::{HandleName, Parting, Proof},
        notice::NoticeKind,
        outbox::{Message, Outbox},
    },
};

/// An identifier that was proven, to be bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The identifier.
    pub identifier: Identifier,
    /// When and how it was proven; user names are not.
    pub proof: Option<Proof>,
}

impl Account {
    /// What becomes of an identifier that somebody who is signed in has proven, as far as the account can tell.
    pub(super) fn binding_of(&self, identifier: &Identifier, rules: &Rules) -> Binding {
        let handle = &identifier.handle;
        let leads = match self.bound().any(|known| known.handle == *handle) {
            true => Leads::Here,
            false => Leads::Nowhere,
        };
        let of_kind = |known: &&Identifier| known.handle.kind() == handle.kind() && known.handle != *handle;
        let bound = self.identifiers.iter().filter(of_kind).filter(|known| known.alias_of.is_none()).count();
        let at_most = match identifier.alias_of {
            Some(_) => usize::MAX,
            None => rules.at_most_of(handle),
        };
        decide(leads, Visitor::SignedIn { bound, at_most })
    }

    /// Writes down that an identifier is being bound. Its handle decides.
    pub(super) fn intend(
        &mut self,
        candidate: &Candidate,
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        match self.binding_of(&candidate.identifier, rules) {
            Binding::Bind => self.begin_claim(candidate, account, now, outbox),
            Binding::NothingToDo => Outcome::Done,
            _ => Outcome::Full,
        }
    }

    /// Writes it down, whatever the rule says.
    pub(super) fn begin_claim(
        &mut self,
        candidate: &Candidate,
        account: AccountId,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let Candidate { identifier, proof } = candidate;
        let mut alias_of = identifier.alias_of.clone();
        if let Some(main) = &identifier.alias_of {
            // Another name of something that is not the account's would be a way in that nobody sees; so would one that
            // belongs to another name, and stays when that goes.
            let Some(main) = self.identifiers.iter().find(|known| known.handle == *main) else {
                return Outcome::NotFound;
            };
            alias_of = main.alias_of.clone().or(alias_of);
        }
        // Asked for again, it is the same claim.
        let known = self.identifiers.iter().find(|known| known.handle == identifier.handle);
        let claim = known.map_or_else(|| self.claims.saturating_add(1), |known| known.claim);
        self.claims = self.claims.max(claim);
        self.identifiers.retain(|known| known.handle != identifier.handle);
        let identifier = Identifier { alias_of, claim, claiming: true, since: now, ..identifier.clone() };
        self.identifiers.push(identifier.clone());
        let (handle, proof) = (identifier.handle, *proof);
        outbox.post(Message::Claim { handle, account, claim, proof }, now);
        Outcome::Claiming { claim }
    }

    /// The handle has decided. Heard again, it changes nothing.
    pub(super) fn settle_claim(
        &mut self,
        handle: &HandleName,
        (claim, is_won): (u64, bool),
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let Some(at) = self.identifiers.iter().position(|known| known.handle == *handle) else {
            // Given up meanwhile: the handle must not go on leading here.
            if is_won {
                // So are later claims, whose own letter this one replaces.
                let (handle, up_to, cause) = (handle.clone(), claim.max(self.claims), Parting::Unbound);
                outbox.post(Message::Release { handle, account, up_to, cause, heir: None }, now);
            }
            return;
        };
        // Settled before; or it is the answer to an earlier claim.
        let Some(known) = self.identifiers.get_mut(at).filter(|known| known.claiming && known.claim == claim)
        else {
            return;
        };
        if !is_won {
            // Its handle hears of that: an earlier claim, whose answer counts no more, may have been won since.
            self.part_with(handle, Parting::Unbound, account, now, outbox);
            return;
        }
        // Who has just come to be need not hear what they came by.
        let is_of_creation = self.created.as_ref().is_some_and(|created| created.at == known.since);
        let is_news = known.alias_of.is_none() && !is_of_creation;
        // A number is told of while it is none of the account's.
        let is_change = self.part_with_former_number(handle, account, rules, now, outbox);
        if is_news && !is_change {
            self.tell(NoticeKind::IdentityBound, account, None, rules, now, outbox);
        }
        if let Some(known) = self.identifiers.iter_mut().find(|known| known.handle == *handle) {
            known.claiming = false;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{
        Act, Deed, Operation,
        tests::{RULES, from_text, sign_in},
    };
    use super::*;
    use crate::{
        kernel::id::SessionId,
        model::{login_history::Place, object::Document, outbox::Letter},
    };

    pub(in super::super) const NOW: Timestamp = Timestamp::from_secs(100);

    pub(in super::super) fn account() -> Document<Account> {
        let mut document = Document::<Account>::empty();
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), NOW);
        let sent: Vec<u64> = document.due(NOW).iter().map(|letter| letter.id).collect();
        document.settle(&sent, &[], NOW);
        document
    }

    pub(in super::super) fn name(text: &str) -> HandleName {
        from_text(text)
    }

    pub(in super::super) fn act(document: &mut Document<Account>, deed: Deed) -> Outcome {
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([1; 16]));
        let (place, rules, proof) = (Place::default(), RULES, None);
        let act = Act { account, session, deed, place, rules, proof };
        document.apply(Operation::Act(Box::new(act)), NOW)
    }

    pub(in super::super) fn bind(document: &mut Document<Account>, handle: &str) -> Outcome {
        let (handle, value) = (name(handle), from_text("k1.value"));
        let identifier = Identifier { handle, value, since: NOW, alias_of: None, claim: 0, claiming: false };
        act(document, Deed::Bind(Box::new(Candidate { identifier, proof: None })))
    }

    pub(in super::super) fn alias(document: &mut Document<Account>, handle: &str, of: &str) -> Outcome {
        let (handle, value, alias_of) = (name(handle), from_text("k1.value"), Some(name(of)));
        let identifier = Identifier { handle, value, since: NOW, alias_of, claim: 0, claiming: false };
        act(document, Deed::Bind(Box::new(Candidate { identifier, proof: None })))
    }

    pub(in super::super) fn settle(document: &mut Document<Account>, handle: &str, claim: u64, is_won: bool) {
        let (account, handle) = (AccountId::from_bytes([100; 16]), name(handle));
        document.apply(Operation::SettleClaim { account, handle, claim, is_won, rules: RULES }, NOW);
    }

    pub(in super::super) fn posted(document: &Document<Account>) -> Vec<Message> {
        document.due(NOW).into_iter().map(|Letter { message, .. }| message).collect()
    }

    #[test]
    fn an_identifier_is_bound_when_its_handle_says_so() {
        let mut document = account();
        assert_eq!(bind(&mut document, "wechat.k1.a"), Outcome::Claiming { claim: 1 });
        assert!(matches!(posted(&document).as_slice(), [Message::Claim { claim: 1, .. }]));
        let again = bind(&mut document, "wechat.k1.a");
        assert_eq!(again, Outcome::Claiming { claim: 1 }, "asked again before it is settled");
        assert_eq!(posted(&document).len(), 1, "one letter says it");
        settle(&mut document, "wechat.k1.a", 1, true);
        assert_eq!(bind(&mut document, "wechat.k1.a"), Outcome::Done);
        assert_eq!(bind(&mut document, "wechat.k1.b"), Outcome::Full, "one of a kind");
        assert_eq!(bind(&mut document, "qq.k1.c"), Outcome::Claiming { claim: 2 });
        settle(&mut document, "qq.k1.c", 2, false);
        let next = bind(&mut document, "qq.k1.d");
        assert_eq!(next, Outcome::Claiming { claim: 3 }, "the lost one takes no place");
    }

    #[test]
    fn of_one_kind_no_more_are_being_bound_than_may_be_bound() {
        let mut document = account();
        assert_eq!(bind(&mut document, "wechat.k1.a"), Outcome::Claiming { claim: 1 });
        assert_eq!(bind(&mut document, "wechat.k1.b"), Outcome::Full);
    }

    #[test]
    fn what_was_just_given_up_is_bound_again_at_once() {
        let says = |document: &Document<Account>| -> Vec<(bool, u64)> {
            let said = posted(document).into_iter().filter_map(|message| match message {
                Message::Claim { claim, .. } => Some((true, claim)),
                Message::Release { up_to, .. } => Some((false, up_to)),
                _ => None,
            });
            said.collect()
        };
        let mut document = account();
        bind(&mut document, "wechat.k1.a");
        settle(&mut document, "wechat.k1.a", 1, true);
        assert_eq!(act(&mut document, Deed::Unbind(name("wechat.k1.a"))), Outcome::Done);
        assert_eq!(says(&document), [(false, 1)]);
        assert_eq!(bind(&mut document, "wechat.k1.a"), Outcome::Claiming { claim: 2 });
        assert_eq!(says(&document), [(true, 2)], "the claim takes the place of what was given up");
    }

    #[test]
    fn the_answer_to_an_earlier_claim_settles_nothing() {
        let mut document = account();
        let is_claiming = |document: &Document<Account>| {
            let kept = serde_json::to_value(document).unwrap();
            kept["state"]["identifiers"][1].get("claiming").is_some()
        };
        bind(&mut document, "wechat.k1.a");
        settle(&mut document, "wechat.k1.a", 1, true);
        act(&mut document, Deed::Unbind(name("wechat.k1.a")));
        bind(&mut document, "wechat.k1.a");
        for is_won in [false, true] {
            settle(&mut document, "wechat.k1.a", 1, is_won);
            assert!(is_claiming(&document), "{is_won}");
        }
        settle(&mut document, "wechat.k1.a", 2, true);
        assert!(!is_claiming(&document));
    }

    #[test]
    fn other_names_of_what_was_lost_are_no_hidden_ways_in() {
        let released = |document: &Document<Account>| -> Vec<String> {
            let posted = posted(document).into_iter();
            let names = posted.filter_map(|message| match message {
                Message::Release { handle, .. } => Some(handle.as_str().to_owned()),
                _ => None,
            });
            names.collect()
        };
        let claiming = |claim| Outcome::Claiming { claim };
        for is_won in [false, true] {
            let mut document = account();
            bind(&mut document, "wechat.k1.union");
            assert_eq!(alias(&mut document, "wechat.k1.app1", "wechat.k1.union"), claiming(2));
            assert_eq!(alias(&mut document, "wechat.k1.app2", "wechat.k1.union"), claiming(3));
            if is_won {
                settle(&mut document, "wechat.k1.app1", 2, true);
            }
            settle(&mut document, "wechat.k1.union", 1, false);
            assert_eq!(released(&document), ["wechat.k1.app1", "wechat.k1.app2", "wechat.k1.union"]);
            let kept = serde_json::to_value(&document).unwrap();
            assert_eq!(kept["state"]["identifiers"].as_array().unwrap().len(), 1, "{kept}");
            // The word of one that was under way comes late.
            settle(&mut document, "wechat.k1.app2", 3, true);
            assert!(released(&document).contains(&"wechat.k1.app2".to_owned()));
            // Nor is one claimed that belongs to nothing.
            assert_eq!(alias(&mut document, "wechat.k1.app3", "wechat.k1.union"), Outcome::NotFound);
        }
    }
}
