//! An identifier that an account has lost goes back to it, since its owner's objection was granted.

use super::{Former, Handle, Holding, Parting};
use crate::{
    kernel::{id::AccountId, time::Timestamp},
    model::account::NEVER,
};

impl Handle {
    /// Takes it from whoever got it from that account; not from anybody who got it later, whom nobody has heard.
    pub(super) fn take_back(
        &mut self,
        account: AccountId,
        claim: u64,
        rival: Option<AccountId>,
        now: Timestamp,
    ) {
        // A letter that comes once more, after it was lost again.
        if self.former.iter().any(|known| known.account == account && known.claim >= claim) {
            return;
        }
        let holder = self.holder.as_ref().map(|holder| (holder.account, holder.claim));
        let taken =
            holder.filter(|(holder, _)| rival == Some(*holder) || self.heir_of(account) == Some(*holder));
        if let Some((holder, held)) = taken {
            self.part(holder, Holding::up_to(held), Parting::Reassigned, now);
        }
        // Nobody has proven it: whoever does next is asked whose account it is.
        self.claim(account, claim, Some(NEVER), now);
    }

    /// Who has lost it when that claim brought it back to the account.
    pub(super) fn lost_to(&self, account: AccountId, claim: u64) -> Option<&Former> {
        let back =
            self.holder.as_ref().filter(|holder| (holder.account, holder.claim) == (account, claim))?;
        let last = self.former.last()?;
        let is_it = last.account != account && (last.until, last.cause) == (back.since, Parting::Reassigned);
        is_it.then_some(last)
    }

    /// Who came to hold it next after the account.
    fn heir_of(&self, account: AccountId) -> Option<AccountId> {
        let last = self.former.iter().rposition(|known| known.account == account)?;
        let next = self.former.get(last.saturating_add(1)).map(|known| known.account);
        next.or_else(|| self.holder.as_ref().map(|holder| holder.account))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Operation, Outcome},
        *,
    };
    use crate::model::object::Document;

    const DAY: i64 = 86_400;
    const MING: u8 = 1;
    const HONG: u8 = 2;
    const THIRD: u8 = 3;

    fn account(seed: u8) -> AccountId {
        AccountId::from_bytes([seed; 16])
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_secs(day * DAY)
    }

    fn claim(handle: &mut Document<Handle>, seed: u8, claim: u64, day: i64) {
        handle.apply(Operation::Claim { account: account(seed), claim, proof: None }, at(day));
    }

    fn release(handle: &mut Document<Handle>, seed: u8, claim: u64, cause: Parting, day: i64) {
        let held = Holding::up_to(claim);
        handle.apply(Operation::Release { account: account(seed), held, cause, heir: None }, at(day));
    }

    /// His claim 1 of the number takes it back.
    fn take_back(handle: &mut Document<Handle>, claim: u64, rival: Option<u8>, day: i64) -> Outcome {
        let rival = rival.map(account);
        handle.apply(Operation::TakeBack { account: account(MING), claim, rival }, at(day))
    }

    fn holder(handle: &mut Document<Handle>, day: i64) -> (AccountId, u64) {
        let Outcome::Held(holder) = handle.apply(Operation::Look, at(day)) else { panic!("nobody has it") };
        (holder.account, holder.claim)
    }

    /// It was his, and is hers since day 10.
    fn lost() -> Document<Handle> {
        let mut handle = Document::<Handle>::empty();
        claim(&mut handle, MING, 0, 0);
        release(&mut handle, MING, 0, Parting::Reassigned, 10);
        claim(&mut handle, HONG, 4, 10);
        handle
    }

    #[test]
    fn it_goes_back_from_whatever_holding_its_heir_has_of_it_by_then() {
        let from_her = |claim| Outcome::TakenFrom { account: account(HONG), claim };
        for rival in [None, Some(HONG)] {
            let mut handle = lost();
            assert_eq!(take_back(&mut handle, 1, rival, 11), from_her(4));
            let mut handle = lost();
            release(&mut handle, HONG, 4, Parting::Unbound, 11);
            claim(&mut handle, HONG, 5, 12);
            assert_eq!(take_back(&mut handle, 1, rival, 13), from_her(5), "given up, and bound anew");
            assert_eq!(take_back(&mut handle, 1, rival, 14), from_her(5), "a repeat is told the same");
            assert_eq!(holder(&mut handle, 14), (account(MING), 1));
        }
    }

    #[test]
    fn one_that_is_nobodys_goes_back_too_and_a_thirds_does_not() {
        let mut handle = lost();
        release(&mut handle, HONG, 4, Parting::Changed, 11);
        let mut sold = serde_json::from_value(serde_json::to_value(&handle).unwrap()).unwrap();
        assert!(matches!(take_back(&mut handle, 1, Some(HONG), 12), Outcome::Held(_)), "from nobody");
        assert_eq!(holder(&mut handle, 12), (account(MING), 1));
        claim(&mut sold, THIRD, 0, 12);
        assert!(matches!(take_back(&mut sold, 1, Some(HONG), 13), Outcome::Held(_)));
        assert_eq!(holder(&mut sold, 13), (account(THIRD), 0));
        // But to whom it led when he objected.
        assert_eq!(
            take_back(&mut sold, 1, Some(THIRD), 13),
            Outcome::TakenFrom { account: account(THIRD), claim: 0 }
        );
    }

    #[test]
    fn a_letter_that_comes_late_takes_back_nothing_that_was_lost_again() {
        let mut handle = lost();
        take_back(&mut handle, 1, None, 11);
        release(&mut handle, MING, 1, Parting::Reassigned, 20);
        claim(&mut handle, HONG, 9, 20);
        assert!(matches!(take_back(&mut handle, 1, None, 21), Outcome::Held(_)));
        assert_eq!(holder(&mut handle, 21), (account(HONG), 9));
        // Of another objection there is another claim.
        take_back(&mut handle, 2, None, 22);
        assert_eq!(holder(&mut handle, 22), (account(MING), 2));
    }
}
