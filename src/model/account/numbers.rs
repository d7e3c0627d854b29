//! The number of an account: another one takes its place, at once or after a wait.
//!
//! Who has proven lately that it is still them changes it at once. Who has not can only wish for it: the owner is told
//! on every device of standing and by SMS to the number that is to go, and has time to object.

use serde::{Deserialize, Serialize};

use super::{Account, Candidate, NEVER, NumberFacts, Outcome, Rules, act::Hand};
use crate::{
    kernel::{
        id::{AccountId, DeviceId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        handle::{HandleName, Parting},
        notice::NoticeKind,
        outbox::{Message, Outbox},
    },
};

/// Another number that is wished for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneChange {
    /// Its handle, which does not lead here yet.
    pub handle: HandleName,
    /// The number, sealed for this account.
    pub value: Sealed,
    /// On which device it was asked for.
    pub device: DeviceId,
    /// When.
    pub requested_at: Timestamp,
    /// From then on it can be taken.
    pub effective_at: Timestamp,
    /// It is forgotten then.
    pub until: Timestamp,
}

impl Account {
    /// Takes another number in place of the account's: claims it at once, or notes that it is wished for and shows so.
    pub(super) fn change_phone(
        &mut self,
        candidate: &Candidate,
        by: Hand,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let Hand { account, session, device } = by;
        let handle = &candidate.identifier.handle;
        let mut phones = self.identifiers.iter().filter(|known| known.handle.is_phone());
        if phones.any(|known| known.handle == *handle && !known.claiming) {
            // On a device that the account does not know it may be its next owner who proves a number that is old.
            let unknown = NumberFacts { last_proof: NEVER.at, evidence: None };
            let speaks = self.number_speaks(handle, unknown, device, rules, now);
            if let Some(proof) = candidate.proof.filter(|_| speaks) {
                let (handle, at, method) = (handle.clone(), proof.at, proof.method);
                outbox.post(Message::RenewProof { handle, account, at, method }, now);
            }
            return Outcome::Done;
        }
        // One at a time, so that none of two ends up as a second number.
        let is_another = |known: &super::Identifier| known.claiming && known.handle != *handle;
        if self.identifiers.iter().any(|known| known.handle.is_phone() && is_another(known)) {
            return Outcome::Limited { retry_after: 1 };
        }
        let wish = self.phone_change.as_ref().filter(|wish| wish.handle == *handle && now < wish.until);
        let is_due = wish.is_some_and(|wish| wish.effective_at <= now);
        let needs_proof = self.needs_proof(session, rules, now);
        if is_due || needs_proof.is_none() {
            let outcome = self.begin_claim(candidate, account, now, outbox);
            if matches!(outcome, Outcome::Claiming { .. }) {
                self.forget_proofs_but(session);
            }
            return outcome;
        }
        // Where there is no number nobody could be told of the wish.
        if let (None, Some(needs_proof)) = (self.phone(), needs_proof) {
            return needs_proof;
        }
        // Asked for again, it neither waits anew nor is told anew.
        if let Some(wish) = wish {
            return Outcome::PhoneChangeWaits(wish.clone().into());
        }
        let effective_at = now.plus(rules.phone_change_waits);
        let wish = PhoneChange {
            handle: handle.clone(),
            value: candidate.identifier.value.clone(),
            device,
            requested_at: now,
            effective_at,
            until: effective_at.plus(rules.phone_change_stands),
        };
        self.phone_change = Some(wish.clone());
        // Also on the device that asked: its session may be in other hands.
        self.tell(NoticeKind::PhoneChangeRequested, account, None, rules, now, outbox);
        Outcome::PhoneChangeWaits(wish.into())
    }

    /// An objection from a device that can speak for the owner; or whoever asked thinks better of it.
    pub(super) fn drop_phone_change(&mut self, here: DeviceId, rules: &Rules, now: Timestamp) -> Outcome {
        let Some(wish) = &self.phone_change else { return Outcome::NotFound };
        if wish.device != here && !self.has_standing(here, rules, now) {
            return Outcome::NeedsStanding;
        }
        self.phone_change = None;
        Outcome::Done
    }

    /// A number is the account's from now on: the one before it goes, in the same write, so that there is always one
    /// and never two. Whether there was one.
    pub(super) fn part_with_former_number(
        &mut self,
        new: &HandleName,
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> bool {
        if !new.is_phone() {
            return false;
        }
        self.phone_change = None;
        self.awaits.take_if(|awaited| awaited == new);
        // Whoever has the number could confirm themselves by it.
        self.trusted_phones.retain(|phone| phone.name != *new);
        let Some(old) = self.phone().map(|phone| phone.handle.clone()) else { return false };
        // While the old one is still the account's: it is told too.
        self.tell(NoticeKind::PhoneChanged, account, None, rules, now, outbox);
        self.part_with(&old, Parting::Changed, account, now, outbox);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Act, Deed, Identifier, Operation, ProvenInSession,
        tests::{RULES, from_text, sign_in},
    };
    use super::*;
    use crate::kernel::id::SessionId;
    use crate::model::{handle::Proof, login::Method, login_history::Place, object::Document};

    const OLD: &str = "phone.k1.name";
    const DAY: i64 = 86_400;

    fn account() -> Document<Account> {
        let mut document = Document::<Account>::empty();
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), Timestamp::from_secs(0));
        deliver(&mut document, 0);
        document
    }

    /// The letters, which are then gone.
    fn deliver(document: &mut Document<Account>, secs: i64) -> Vec<Message> {
        let letters = document.due(Timestamp::from_secs(secs));
        let ids: Vec<u64> = letters.iter().map(|letter| letter.id).collect();
        document.settle(&ids, &[], Timestamp::from_secs(secs));
        letters.into_iter().map(|letter| letter.message).collect()
    }

    fn act(document: &mut Document<Account>, secs: i64, seed: u8, deed: Deed) -> Outcome {
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([seed; 16]));
        let act = Act { account, session, deed, place: Place::default(), rules: RULES, proof: None };
        document.apply(Operation::Act(Box::new(act)), Timestamp::from_secs(secs))
    }

    fn change(document: &mut Document<Account>, secs: i64, seed: u8, handle: &str) -> Outcome {
        let (handle, value) = (from_text(handle), from_text("k1.value"));
        let since = Timestamp::from_secs(secs);
        let identifier = Identifier { handle, value, since, alias_of: None, claim: 0, claiming: false };
        let proof = Some(Proof { at: Timestamp::from_secs(secs), method: Method::Otp });
        act(document, secs, seed, Deed::ChangePhone(Box::new(Candidate { identifier, proof })))
    }

    fn settle(document: &mut Document<Account>, secs: i64, (handle, claim): (&str, u64), is_won: bool) {
        let (account, handle) = (AccountId::from_bytes([100; 16]), from_text(handle));
        let settle = Operation::SettleClaim { account, handle, claim, is_won, rules: RULES };
        document.apply(settle, Timestamp::from_secs(secs));
    }

    fn numbers(document: &Document<Account>) -> Vec<String> {
        let kept = serde_json::to_value(document).unwrap();
        let known = kept["state"]["identifiers"].as_array().unwrap();
        let bound = known.iter().filter(|known| known.get("claiming").is_none());
        bound.map(|known| known["handle"].as_str().unwrap().to_owned()).collect()
    }

    fn waits(outcome: Outcome) -> PhoneChange {
        let Outcome::PhoneChangeWaits(wish) = outcome else { panic!("{outcome:?}") };
        *wish
    }

    fn released(messages: &[Message]) -> Vec<&str> {
        let names = messages.iter().filter_map(|message| match message {
            Message::Release { handle, .. } => Some(handle.as_str()),
            _ => None,
        });
        names.collect()
    }

    #[test]
    fn the_old_number_goes_when_the_new_one_has_come_and_not_before() {
        let mut document = account();
        assert_eq!(change(&mut document, 10, 1, "phone.k1.new"), Outcome::Claiming { claim: 1 });
        assert_eq!(numbers(&document), [OLD]);
        assert_eq!(change(&mut document, 11, 1, "phone.k1.third"), Outcome::Limited { retry_after: 1 });
        settle(&mut document, 12, ("phone.k1.new", 1), true);
        assert_eq!(numbers(&document), ["phone.k1.new"]);
        assert_eq!(released(&deliver(&mut document, 12)), [OLD]);
        let kept = serde_json::to_value(&document).unwrap();
        let former = &kept["state"]["former_numbers"][0];
        assert_eq!((&former["handle"], &former["cause"]), (&OLD.into(), &"changed".into()));
        // Heard twice.
        settle(&mut document, 13, ("phone.k1.new", 1), true);
        assert_eq!((numbers(&document).len(), deliver(&mut document, 13).len()), (1, 0));
        assert_eq!(change(&mut document, 14, 1, "phone.k1.new"), Outcome::Done);
        assert!(matches!(deliver(&mut document, 14).as_slice(), [Message::RenewProof { .. }]));
    }

    #[test]
    fn one_that_is_lost_changes_nothing() {
        let mut document = account();
        change(&mut document, 10, 1, "phone.k1.new");
        settle(&mut document, 11, ("phone.k1.new", 1), false);
        assert_eq!(numbers(&document), [OLD]);
        assert_eq!(change(&mut document, 12, 1, "phone.k1.third"), Outcome::Claiming { claim: 2 });
        // Won for an account that has given it up since: its handle is told so.
        settle(&mut document, 13, ("phone.k1.new", 1), true);
        assert_eq!(released(&deliver(&mut document, 13)), ["phone.k1.new"]);
    }

    #[test]
    fn who_signs_in_by_the_new_number_before_it_is_settled_settles_it() {
        let mut document = account();
        change(&mut document, 10, 1, "phone.k1.new");
        let mut by_new = sign_in(2, None);
        (by_new.identifier.handle, by_new.identifier.claim) = (from_text("phone.k1.new"), 1);
        document.apply(Operation::SignIn(Box::new(by_new)), Timestamp::from_secs(11));
        assert_eq!(numbers(&document), ["phone.k1.new"]);
        assert_eq!(released(&deliver(&mut document, 11)), [OLD]);
    }

    #[test]
    fn without_a_fresh_proof_it_waits_and_is_forgotten_in_the_end() {
        let mut document = account();
        let stale = 601;
        let wish = waits(change(&mut document, stale, 1, "phone.k1.new"));
        assert_eq!(wish.effective_at, Timestamp::from_secs(stale + 3 * DAY));
        let again = change(&mut document, stale + DAY, 1, "phone.k1.new");
        assert_eq!(waits(again), wish, "the same wish");
        let other = waits(change(&mut document, stale + 2 * DAY, 1, "phone.k1.third"));
        assert_eq!(other.effective_at, Timestamp::from_secs(stale + 5 * DAY), "another one starts anew");
        waits(change(&mut document, stale + 4 * DAY, 1, "phone.k1.new"));
        assert_eq!(change(&mut document, stale + 7 * DAY, 1, "phone.k1.new"), Outcome::Claiming { claim: 1 });
        settle(&mut document, stale + 7 * DAY, ("phone.k1.new", 1), true);
        assert_eq!(numbers(&document), ["phone.k1.new"]);
        assert!(serde_json::to_value(&document).unwrap()["state"].get("phone_change").is_none());

        change(&mut document, 8 * DAY, 1, "phone.k1.third");
        let forgotten = Timestamp::from_secs((8 + 3 + 30) * DAY);
        deliver(&mut document, 8 * DAY);
        document.tidy(Timestamp::from_millis(forgotten.millis() - 1));
        assert!(serde_json::to_value(&document).unwrap()["state"].get("phone_change").is_some());
        document.tidy(forgotten);
        assert!(serde_json::to_value(&document).unwrap()["state"].get("phone_change").is_none());
    }

    #[test]
    fn who_asked_withdraws_and_who_knows_the_account_objects() {
        for (asks, drops, outcome) in [
            // The first device is the one that the account was created on.
            (2, 1, Outcome::Done),
            (2, 2, Outcome::Done),
            (2, 3, Outcome::NeedsStanding),
            (1, 2, Outcome::NeedsStanding),
        ] {
            let mut document = account();
            for seed in [2, 3] {
                let at = Timestamp::from_secs(0);
                document.apply(Operation::SignIn(Box::new(sign_in(seed, None))), at);
            }
            assert_eq!(act(&mut document, 601, drops, Deed::DropPhoneChange), Outcome::NotFound);
            waits(change(&mut document, 601, asks, "phone.k1.new"));
            assert_eq!(act(&mut document, 602, drops, Deed::DropPhoneChange), outcome, "{asks} {drops}");
        }
    }

    #[test]
    fn a_sign_in_that_waits_does_not_bring_the_old_number_back() {
        let mut document = account();
        let protect = act(&mut document, 5, 1, Deed::ProtectLogin(true));
        assert_eq!(protect, Outcome::Done);
        let held = document.apply(Operation::SignIn(Box::new(sign_in(2, None))), Timestamp::from_secs(6));
        assert!(matches!(held, Outcome::Waits(_)));
        change(&mut document, 10, 1, "phone.k1.new");
        settle(&mut document, 11, ("phone.k1.new", 1), true);
        assert!(serde_json::to_value(&document).unwrap()["state"].get("step_ups").is_none());
        let late = document.apply(Operation::SignIn(Box::new(sign_in(2, None))), Timestamp::from_secs(12));
        assert!(matches!(late, Outcome::NotMine { cause: Parting::Changed, heir: None }), "{late:?}");
    }

    #[test]
    fn a_new_number_proves_nothing_before_it_is_the_accounts() {
        let mut document = account();
        change(&mut document, 601, 1, "phone.k1.new");
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([1; 16]));
        let facts = NumberFacts { last_proof: Timestamp::from_secs(601), evidence: None };
        let proof = Some(ProvenInSession::Number(from_text("phone.k1.new"), facts));
        let (deed, place) = (Deed::Prove, Place::default());
        let act = Act { account, session, deed, place, rules: RULES, proof };
        let outcome = document.apply(Operation::Act(Box::new(act)), Timestamp::from_secs(602));
        assert_eq!(outcome, Outcome::ProofFailed);
    }
}
