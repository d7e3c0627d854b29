//! The identifiers of an account: which of them lead to it, and how one is given up. That is done when the account says
//! so; the handle learns of it by the outbox.

use serde::{Deserialize, Serialize};

use super::{Account, Outcome};
use crate::{
    kernel::{id::AccountId, seal::Sealed, time::Timestamp},
    model::{
        handle::{EMAIL, HandleName, PHONE, Parting, USERNAME},
        login::Method,
        outbox::{Message, Outbox},
    },
};

/// An identifier of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Its handle.
    pub handle: HandleName,
    /// As its owner knows it (number in E.164, address, name, subject), sealed for this account.
    pub value: Sealed,
    /// Since when it belongs to the account.
    pub since: Timestamp,
    /// It is another name of that one, given by the same third party to the same person: it comes and goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<HandleName>,
    /// By which of the account's claims; 0: with the account itself.
    #[serde(default, skip_serializing_if = "is_first")]
    pub claim: u64,
    /// The handle has not said yet whether it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claiming: bool,
}

/// A number that the account had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerNumber {
    /// Its handle.
    pub handle: HandleName,
    /// The number, sealed for this account.
    pub value: Sealed,
    /// Since when it was the account's.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why no longer.
    pub cause: Parting,
    /// The account that had waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heir: Option<AccountId>,
}

/// Former numbers kept; the oldest gives way.
pub(super) const FORMER_NUMBERS: usize = 16;

impl Account {
    /// The account's number.
    pub(super) fn phone(&self) -> Option<&Identifier> {
        self.bound().find(|known| known.handle.is_phone())
    }

    /// The account's address.
    pub(super) fn email(&self) -> Option<&Identifier> {
        self.bound().find(|known| known.handle.kind() == EMAIL)
    }

    /// What leads to the account.
    pub(super) fn bound(&self) -> impl Iterator<Item = &Identifier> {
        self.identifiers.iter().filter(|known| !known.claiming)
    }

    /// Whether the handle may lead here. One that is being bound does if it says so itself.
    pub(super) fn is_led_to_by(&self, handle: &HandleName) -> bool {
        self.identifiers.iter().any(|known| known.handle == *handle)
    }

    /// Whether somebody who comes by it may have come to the right account: it is waited for, or leads here.
    pub(super) fn may_lead_here(&self, handle: &HandleName) -> bool {
        self.is_led_to_by(handle) || self.awaits.as_ref() == Some(handle)
    }

    /// What to say of an identifier that does not lead here, and why it does not any more.
    pub(super) fn not_mine(&self, handle: &HandleName) -> Outcome {
        let former = self.former_numbers.iter().rev().find(|known| known.handle == *handle);
        let cause = former.map_or(Parting::Unbound, |known| known.cause);
        Outcome::NotMine { cause, heir: former.and_then(|known| known.heir) }
    }

    /// Whether somebody can sign in by it: names and addresses go with a password.
    fn leads_in(&self, handle: &HandleName) -> bool {
        self.password.is_some() || !matches!(handle.kind(), EMAIL | USERNAME)
    }

    /// Takes an identifier away, unless nothing would lead to the account then.
    pub(super) fn unbind(
        &mut self,
        handle: &HandleName,
        account: AccountId,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        if !self.is_led_to_by(handle) {
            return Outcome::NotFound;
        }
        let stays = |known: &&Identifier| known.handle != *handle && known.alias_of.as_ref() != Some(handle);
        if !self.bound().filter(stays).any(|known| self.leads_in(&known.handle)) {
            return Outcome::LastWayIn;
        }
        self.part_with(handle, Parting::Unbound, account, now, outbox);
        Outcome::Done
    }

    /// Forgets an identifier, numbers into the history.
    pub(super) fn part_with(
        &mut self,
        handle: &HandleName,
        cause: Parting,
        account: AccountId,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let Some(at) = self.identifiers.iter().position(|known| known.handle == *handle) else { return };
        let Identifier { handle, value, since, claim, claiming, .. } = self.identifiers.remove(at);
        self.part_with_aliases(&handle, cause, account, now, outbox);
        // Who waits for it gets it, in whatever way it goes.
        let heir =
            self.number_claim.take_if(|claim| claim.handle == handle).and_then(|claim| claim.waiting(now));
        if handle.is_phone() && !claiming {
            if self.former_numbers.len() >= FORMER_NUMBERS {
                self.former_numbers.remove(0);
            }
            let handle = handle.clone();
            self.former_numbers.push(FormerNumber {
                handle,
                value,
                since,
                until: now,
                cause,
                heir: heir.map(|(heir, _)| heir),
            });
        }
        // Whoever waits to come in by it would bring it back.
        self.step_ups.drop_those(&|step_up| step_up.sign_in.identifier.handle == handle);
        outbox.post(Message::Release { handle, account, up_to: claim, cause, heir }, now);
    }

    /// Other names go with it; what is being claimed of them is taken back.
    pub(super) fn part_with_aliases(
        &mut self,
        main: &HandleName,
        cause: Parting,
        account: AccountId,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let aliases = self.identifiers.extract_if(.., |known| known.alias_of.as_ref() == Some(main));
        for Identifier { handle, claim: up_to, .. } in aliases {
            self.step_ups.drop_those(&|step_up| step_up.sign_in.identifier.handle == handle);
            outbox.post(Message::Release { handle, account, up_to, cause, heir: None }, now);
        }
    }

    /// The ways in which its owner can prove to be it, by their names in answers.
    pub(super) fn proofs(&self) -> Vec<Method> {
        let mut proofs = Vec::new();
        if self.phone().is_some() {
            proofs.extend([Method::OneTap, Method::NumberCheck, Method::Otp]);
        }
        if self.bound().any(|known| known.handle.kind() == EMAIL) {
            proofs.push(Method::Email);
        }
        if self.password.is_some() {
            proofs.push(Method::Password);
        }
        for known in self.bound().filter(|known| known.alias_of.is_none()) {
            if !matches!(known.handle.kind(), PHONE | EMAIL | USERNAME) {
                proofs.push(Method::of_identity(known.handle.kind()));
            }
        }
        proofs
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_first(claim: &u64) -> bool {
    *claim == 0
}

#[cfg(test)]
mod tests {
    use super::super::{
        Deed,
        claiming::tests::{NOW, account, act, alias, bind, name, posted, settle},
        tests::from_text,
    };
    use super::*;
    use crate::model::object::Document;

    #[test]
    fn other_names_of_an_identity_come_and_go_with_it() {
        let mut document = account();
        bind(&mut document, "wechat.k1.union");
        settle(&mut document, "wechat.k1.union", 1, true);
        for (open, claim) in [("wechat.k1.app1", 2), ("wechat.k1.app2", 3)] {
            assert_eq!(alias(&mut document, open, "wechat.k1.union"), Outcome::Claiming { claim });
            settle(&mut document, open, claim, true);
        }
        assert_eq!(bind(&mut document, "wechat.k1.other"), Outcome::Full);
        let sent: Vec<u64> = document.due(NOW).iter().map(|letter| letter.id).collect();
        document.settle(&sent, &[], NOW);
        assert_eq!(act(&mut document, Deed::Unbind(name("phone.k1.name"))), Outcome::Done);
        assert_eq!(act(&mut document, Deed::Unbind(name("wechat.k1.union"))), Outcome::LastWayIn);
        let mut document = account();
        bind(&mut document, "wechat.k1.union");
        settle(&mut document, "wechat.k1.union", 1, true);
        alias(&mut document, "wechat.k1.app1", "wechat.k1.union");
        settle(&mut document, "wechat.k1.app1", 2, true);
        assert_eq!(act(&mut document, Deed::Unbind(name("wechat.k1.union"))), Outcome::Done);
        let is_release = |message: &&Message| matches!(message, Message::Release { .. });
        assert_eq!(posted(&document).iter().filter(is_release).count(), 2);
        assert_eq!(bind(&mut document, "wechat.k1.other"), Outcome::Claiming { claim: 3 });
    }

    #[test]
    fn the_last_way_in_stays() {
        let mut document = account();
        let unbind =
            |document: &mut Document<Account>, handle: &str| act(document, Deed::Unbind(name(handle)));
        assert_eq!(unbind(&mut document, "phone.k1.name"), Outcome::LastWayIn);
        bind(&mut document, "wechat.k1.a");
        assert_eq!(unbind(&mut document, "phone.k1.name"), Outcome::LastWayIn, "nobody knows if it is won");
        settle(&mut document, "wechat.k1.a", 1, true);
        bind(&mut document, "username.k1.u");
        settle(&mut document, "username.k1.u", 2, true);
        assert_eq!(unbind(&mut document, "phone.k1.name"), Outcome::Done);
        assert_eq!(unbind(&mut document, "phone.k1.name"), Outcome::NotFound);
        assert_eq!(unbind(&mut document, "wechat.k1.a"), Outcome::LastWayIn, "a name without a password");
        let password = Deed::SetPassword { hash: from_text("$argon2id$x"), attempt: None, end_others: false };
        assert_eq!(act(&mut document, password), Outcome::Done);
        assert_eq!(unbind(&mut document, "wechat.k1.a"), Outcome::Done);
        assert_eq!(unbind(&mut document, "username.k1.u"), Outcome::LastWayIn);
        let released = posted(&document);
        let is_release = |message: &&Message| matches!(message, Message::Release { .. });
        assert_eq!(released.iter().filter(is_release).count(), 2);
        let kept = serde_json::to_value(&document).unwrap();
        assert_eq!(kept["state"]["former_numbers"][0]["cause"], "unbound");
    }
}
