//! Trusted phones: other numbers, of the owner or of somebody they trust, that may confirm a new device.
//!
//! They are nobody's way in: none leads to the account, and one may be trusted by several.

use serde::{Deserialize, Serialize};

use super::{Account, Outcome, Rules, act::Hand};
use crate::{
    kernel::{
        id::{DeviceId, TicketId, TrustedPhoneId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{device::Trust, handle::HandleName, notice::NoticeKind, outbox::Outbox},
};

/// A trusted phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedPhone {
    /// Its id.
    pub id: TrustedPhoneId,
    /// What its handle would be called.
    pub name: HandleName,
    /// The number, sealed for this account.
    pub value: Sealed,
    /// What its owner calls it, sealed for this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Sealed>,
    /// When it was last proven.
    pub proven_at: Timestamp,
}

impl Account {
    /// Trusts a phone, or notes that it was proven again. It speaks for the owner as a trusted device does, so it takes
    /// the same to name one.
    pub(super) fn trust_phone(
        &mut self,
        mut phone: TrustedPhone,
        by: Hand,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        if !self.may_vouch(by.device, rules, now) {
            return Outcome::NeedsStanding;
        }
        if self.is_led_to_by(&phone.name) {
            return Outcome::OwnNumber;
        }
        let (account, session) = (by.account, Some(by.session));
        match self.trusted_phones.iter().position(|known| known.name == phone.name) {
            Some(at) => {
                let known = self.trusted_phones.remove(at);
                phone.id = known.id;
                phone.label = phone.label.or(known.label);
            }
            None if self.trusted_phones.len() >= rules.trusted_phones => {
                return Outcome::TooManyPhones;
            }
            None => self.tell(NoticeKind::TrustedPhoneAdded, account, session, rules, now, outbox),
        }
        self.begin_to_ask(by.device, rules, now);
        phone.proven_at = now;
        self.trusted_phones.push(phone.clone());
        Outcome::PhoneTrusted(phone.into())
    }

    /// Trusts a phone no more.
    pub(super) fn distrust_phone(
        &mut self,
        phone: TrustedPhoneId,
        by: Hand,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        if self.trusted_phones.iter().all(|known| known.id != phone) {
            return Outcome::NotFound;
        }
        if !self.may_vouch(by.device, rules, now) {
            return Outcome::NeedsStanding;
        }
        self.trusted_phones.retain(|known| known.id != phone);
        let (account, session) = (by.account, Some(by.session));
        self.tell(NoticeKind::TrustedPhoneRemoved, account, session, rules, now, outbox);
        Outcome::Done
    }

    /// Trusted phones that can be asked: numbers get other owners, so not those that were proven too long ago.
    pub(super) fn phones_to_ask(&self, rules: &Rules, now: Timestamp) -> impl Iterator<Item = &TrustedPhone> {
        let lasts = rules.trusted_phone;
        self.trusted_phones.iter().filter(move |phone| now.since(phone.proven_at) < lasts)
    }

    /// Lets a code be sent to a trusted phone. A number that is guessed at counts like one that is right, so that nobody
    /// finds out by trying.
    pub(super) fn ask_phone(
        &mut self,
        ticket: TicketId,
        is_meant: &dyn Fn(&TrustedPhone) -> bool,
        rules: &Rules,
        now: Timestamp,
    ) -> Outcome {
        if let Err(retry_after) = self.step_ups.ask_phone(rules.codes_an_hour, now) {
            return Outcome::Limited { retry_after };
        }
        let is_there = self.phones_to_ask(rules, now).any(is_meant);
        match self.step_ups.find(ticket, now).cloned() {
            Some(step_up) if is_there => Outcome::Waits(self.waiting(&step_up, rules, now).into()),
            _ => Outcome::NotFound,
        }
    }

    /// Whether this device may say who speaks for the owner, where no device is trusted and phones are asked: one that
    /// was confirmed.
    pub(super) fn is_confirmed(&self, here: DeviceId, rules: &Rules, now: Timestamp) -> bool {
        let known = self.devices.iter().find(|known| known.id == here);
        known.is_some_and(|known| rules.trust.trust(known.usage, known.confirmed_at, now) == Trust::Trusted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Act, Deed, Operation, Step,
        owner_proof::Proof,
        tests::{RULES, digest, from_text, sign_in},
        waiting::AtTicket,
    };
    use super::*;
    use crate::kernel::id::SessionId;
    use crate::{
        kernel::id::AccountId,
        model::{login_history::Place, object::Document, owner_proof::ProofKind},
    };

    const FRIEND: &str = "phone.k1.friend";

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn act(document: &mut Document<Account>, secs: i64, deed: Deed) -> Outcome {
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([1; 16]));
        let act = Act { account, session, deed, place: Place::default(), rules: RULES, proof: None };
        document.apply(Operation::Act(Box::new(act)), at(secs))
    }

    fn trust(document: &mut Document<Account>, seed: u8, name: &str) -> Outcome {
        let (id, value) = (TrustedPhoneId::from_bytes([seed; 16]), from_text("k1.number"));
        let phone = TrustedPhone { id, name: from_text(name), value, label: None, proven_at: at(0) };
        act(document, 1, Deed::TrustPhone(Box::new(phone)))
    }

    fn step(document: &mut Document<Account>, secs: i64, step: Step) -> Outcome {
        let at_ticket = AtTicket {
            account: AccountId::from_bytes([100; 16]),
            ticket: TicketId::from_bytes([2; 16]),
            presented_token: digest(2),
            key: None,
            looks_again: false,
            step,
            rules: RULES,
        };
        document.apply(Operation::AtTicket(Box::new(at_ticket)), at(secs))
    }

    /// A protected account with a trusted phone, and a sign-in that waits.
    fn held() -> Document<Account> {
        let mut document = Document::<Account>::empty();
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), at(0));
        assert!(matches!(trust(&mut document, 1, FRIEND), Outcome::PhoneTrusted(_)));
        assert_eq!(act(&mut document, 1, Deed::ProtectLogin(true)), Outcome::Done);
        let held = document.apply(Operation::SignIn(Box::new(sign_in(2, None))), at(2));
        let Outcome::Waits(waiting) = held else { panic!("waits") };
        assert_eq!(
            (waiting.offered, waiting.by_phone.len()),
            (vec![ProofKind::DeviceApproval, ProofKind::TrustedPhone], 1)
        );
        document
    }

    #[test]
    fn one_is_known_by_its_number_and_five_are_the_most() {
        let mut document = Document::<Account>::empty();
        document.apply(Operation::SignIn(Box::new(sign_in(1, None))), at(0));
        assert_eq!(trust(&mut document, 1, "phone.k1.name"), Outcome::OwnNumber);
        for seed in 1..=5 {
            let trusted = trust(&mut document, seed, &format!("phone.k1.{seed}"));
            assert!(matches!(trusted, Outcome::PhoneTrusted(_)), "{trusted:?}");
        }
        assert_eq!(trust(&mut document, 6, "phone.k1.6"), Outcome::TooManyPhones);
        let Outcome::PhoneTrusted(known) = trust(&mut document, 7, "phone.k1.3") else { panic!("known") };
        assert_eq!(known.id, TrustedPhoneId::from_bytes([3; 16]));
        let own = act(&mut document, 1, Deed::LookAtProfile);
        let Outcome::Profile(own) = own else { panic!("{own:?}") };
        let ids: Vec<_> = own.trusted_phones.iter().map(|phone| phone.id).collect();
        assert_eq!(ids, [1, 2, 4, 5, 3].map(|seed| TrustedPhoneId::from_bytes([seed; 16])));
    }

    #[test]
    fn whoever_is_asked_first_decides_and_codes_are_counted_until_one_comes_back() {
        let mut document = held();
        let phone = || Step::AskPhone(TrustedPhoneId::from_bytes([1; 16]));
        let guess = || Step::AskNumber(from_text("phone.k1.guess"));
        for _ in 0..5 {
            assert!(matches!(step(&mut document, 3, phone()), Outcome::Waits(_)));
            assert_eq!(step(&mut document, 3, guess()), Outcome::NotFound);
        }
        assert!(matches!(step(&mut document, 4, phone()), Outcome::Limited { .. }));
        let stranger = Step::Prove(Proof::Phone(from_text("phone.k1.stranger")));
        assert_eq!(step(&mut document, 5, stranger), Outcome::ProofFailed);
        let confirmed = step(&mut document, 5, Step::Prove(Proof::Phone(from_text(FRIEND))));
        let Outcome::SignedIn { session, .. } = confirmed else { panic!("{confirmed:?}") };
        assert!(session.stepped_up);
        assert!(matches!(step(&mut document, 6, Step::Look), Outcome::SignedIn { .. }), "a repeat");
        let kept = serde_json::to_value(&document).unwrap();
        assert!(kept["state"]["step_ups"].get("codes").is_none());
    }

    #[test]
    fn a_proof_that_is_too_old_confirms_nothing() {
        let mut document = held();
        // The ticket would be over: it is the phone that counts here.
        let rules = Rules { trusted_phone: std::time::Duration::ZERO, ..RULES };
        let at_ticket = AtTicket {
            account: AccountId::from_bytes([100; 16]),
            ticket: TicketId::from_bytes([2; 16]),
            presented_token: digest(2),
            key: None,
            looks_again: false,
            step: Step::Prove(Proof::Phone(from_text(FRIEND))),
            rules,
        };
        let outcome = document.apply(Operation::AtTicket(Box::new(at_ticket)), at(3));
        assert_eq!(outcome, Outcome::ProofFailed);
    }
}
