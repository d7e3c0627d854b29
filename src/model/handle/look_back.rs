//! Who may come back by an identifier that leads elsewhere now.

use std::time::Duration;

use super::{Former, Handle, Parting};
use crate::kernel::id::AccountId;

/// So many former holders are looked at when one of them may come back.
pub const LOOKED_BACK: usize = 3;

impl Handle {
    /// Who lost it to another person, or took another number in its place: the last first, each once, and not its holder. Of
    /// many those who held it for the longest time: nobody who has it now pushes them out by many short holdings. Who took it
    /// away from their account has no business with it any more.
    pub(super) fn look_back(&self) -> Vec<AccountId> {
        let mut seen: Vec<AccountId> = self.holder.iter().map(|holder| holder.account).collect();
        let mut before = Vec::new();
        for former in self.former.iter().rev() {
            if seen.contains(&former.account) {
                continue;
            }
            seen.push(former.account);
            if matches!(former.cause, Parting::Reassigned | Parting::Changed) {
                before.push((former.account, self.longest_of(former.account)));
            }
        }
        while before.len() > LOOKED_BACK {
            let least = before.iter().map(|(_, time)| *time).min();
            let least = before.iter().rposition(|(_, time)| Some(*time) == least);
            before.remove(least.unwrap_or_default());
        }
        before.into_iter().map(|(account, _)| account).collect()
    }

    /// For how long the account held it at a stretch.
    fn longest_of(&self, account: AccountId) -> Duration {
        let held = self.former.iter().filter(|known| known.account == account);
        held.map(time_of).max().unwrap_or_default()
    }
}

/// Drops the one who held it for the shortest time, the oldest of several.
pub(super) fn drop_shortest(former: &mut Vec<Former>) {
    let shortest = former.iter().enumerate().min_by_key(|(_, known)| time_of(known)).map(|(at, _)| at);
    if let Some(at) = shortest {
        former.remove(at);
    }
}

fn time_of(former: &Former) -> Duration {
    former.until.since(former.since)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Holding, Operation, Outcome},
        *,
    };
    use crate::{kernel::time::Timestamp, model::object::Document};

    fn account(seed: u8) -> AccountId {
        AccountId::from_bytes([seed; 16])
    }

    /// Whom the handle leads to when these had it one after the other, each until they parted with it so.
    fn after(had: &[(u8, Parting)], holder: Option<u8>) -> Outcome {
        let (mut handle, now) = (Document::<Handle>::empty(), Timestamp::from_secs(1));
        for (seed, cause) in had {
            let account = account(*seed);
            handle.apply(Operation::Resolve { candidate: account }, now);
            let held = Holding::up_to(0);
            handle.apply(Operation::Release { account, held, cause: *cause, heir: None }, now);
        }
        if let Some(seed) = holder {
            handle.apply(Operation::Resolve { candidate: account(seed) }, now);
        }
        handle.apply(Operation::LookBack, now)
    }

    fn holders(now: Option<u8>, before: &[u8]) -> Outcome {
        Outcome::Holders { now: now.map(account), before: before.iter().copied().map(account).collect() }
    }

    #[test]
    fn who_lost_it_or_took_another_may_come_back_and_the_last_is_first() {
        use Parting::{Changed, Deleted, Reassigned, Unbound};
        assert_eq!(after(&[], None), holders(None, &[]));
        assert_eq!(after(&[(1, Reassigned), (2, Changed)], Some(3)), holders(Some(3), &[2, 1]));
        assert_eq!(after(&[(1, Reassigned), (2, Deleted), (3, Unbound)], None), holders(None, &[1]));
        let many = [(1, Changed), (2, Reassigned), (3, Reassigned), (4, Changed)];
        assert_eq!(after(&many, Some(5)), holders(Some(5), &[4, 3, 2]));
    }

    #[test]
    fn who_held_it_for_long_is_not_pushed_out_by_those_who_held_it_for_a_day() {
        let mut handle = Document::<Handle>::empty();
        let mut now = Timestamp::from_secs(0);
        let mut hold = |seed: u8, days: u64| {
            let (account, held) = (account(seed), Holding::up_to(0));
            handle.apply(Operation::Resolve { candidate: account }, now);
            now = now.plus(Duration::from_secs(days * 86_400));
            handle.apply(Operation::Release { account, held, cause: Parting::Reassigned, heir: None }, now)
        };
        hold(1, 400);
        // More than are kept, and each for as long as it takes to change the number.
        for seed in 10..40 {
            hold(seed, 1);
        }
        assert_eq!(handle.apply(Operation::LookBack, now), holders(None, &[39, 38, 1]));
    }

    #[test]
    fn each_is_there_once_and_the_last_time_counts() {
        use Parting::{Changed, Reassigned, Unbound};
        let again = [(1, Reassigned), (2, Reassigned), (1, Changed)];
        assert_eq!(after(&again, Some(2)), holders(Some(2), &[1]), "not its holder");
        assert_eq!(after(&again, None), holders(None, &[1, 2]));
        assert_eq!(after(&[(1, Changed), (1, Unbound)], None), holders(None, &[]), "taken away in the end");
    }
}
