//! Messages that must reach others at least once, kept with the state they follow from until they did.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    account::Importing,
    case::CaseRow,
    device::DeviceRecord,
    handle::{HandleName, Parting, Proof},
    login::Method,
    notice::Notice,
};
use crate::kernel::{
    id::{AccountId, SessionId},
    time::Timestamp,
};

/// What one object tells another, or the stores beside it. Delivery repeats until acknowledged, so taking a
/// message twice, or an older one after a newer, changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// To the handle: its holder has proven it again.
    RenewProof {
        /// The identifier proven.
        handle: HandleName,
        /// Who proved it.
        account: AccountId,
        /// When.
        at: Timestamp,
        /// How.
        method: Method,
    },
    /// To the handle: the account binds it. Its word goes back to the account.
    Claim {
        /// The identifier.
        handle: HandleName,
        /// Who binds it.
        account: AccountId,
        /// Which of its claims.
        claim: u64,
        /// When and how it was proven.
        proof: Option<Proof>,
    },
    /// To the handle: the account has it back, from the one that got it from there. Its word goes back to both.
    TakeBack {
        /// The identifier.
        handle: HandleName,
        /// Whose it is again.
        account: AccountId,
        /// By which of its claims.
        claim: u64,
        /// Whose it was when its owner objected.
        rival: Option<AccountId>,
    },
    /// To the back office: how far a case is.
    IndexCase(CaseRow),
    /// To where images of cases are kept: they go.
    DropImages {
        /// Which.
        keys: Vec<String>,
    },
    /// To the handle: the account gives it up.
    Release {
        /// The identifier.
        handle: HandleName,
        /// Who gives it up.
        account: AccountId,
        /// What is given up: what this claim or an earlier one has brought.
        up_to: u64,
        /// Why.
        cause: Parting,
        /// Who waits for it, and since when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heir: Option<(AccountId, Timestamp)>,
    },
    /// To the handle: the account takes its claim back.
    Undo {
        /// The identifier.
        handle: HandleName,
        /// Who claimed it.
        account: AccountId,
    },
    /// To the handles: what an account that is being imported claims. Sent when whoever began it has not ended it.
    FinishImport {
        /// The account.
        account: AccountId,
        /// How far it is.
        importing: Importing,
    },
    /// To the back office: the account is no more.
    UnindexAccount {
        /// The account.
        account: AccountId,
    },
    /// To the back office: the account exists and was last used then.
    IndexAccount {
        /// The account.
        account: AccountId,
        /// When it was created.
        created_at: Timestamp,
        /// When it last signed in.
        last_login_at: Timestamp,
    },
    /// To the edge copy of device records.
    PublishDevice {
        /// Digest of the device token.
        token_digest: String,
        /// What places that ask no object may know of the device.
        record: DeviceRecord,
    },
    /// The device is none of the account's any more: its edge copy goes.
    RetractDevice {
        /// Digest of the device token.
        token_digest: String,
    },
    /// To the places that ask no object: the session was ended.
    PublishEnd {
        /// Which.
        session: SessionId,
        /// Its last access token is over then, and the end need not be known any more.
        until: Timestamp,
    },
    /// To people and backends: something happened.
    Notify(Box<Notice>),
}

/// One message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Number within this outbox.
    pub id: u64,
    /// What it says.
    pub message: Message,
    attempts: u32,
    due: Timestamp,
}

/// The letters of one object, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outbox {
    next_id: u64,
    letters: Vec<Letter>,
}

/// Longest wait between two attempts at one letter.
pub const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// Letters carried in one wake-up; the rest follow in the next.
pub const BATCH: usize = 32;

/// Notices that wait in one outbox; the oldest gives way. What keeps the others from piling up is that newer ones
/// replace them.
pub const NOTICES_WAITING: usize = 64;

impl Outbox {
    /// Posts a message, due at once. A message that says the same about the same thing replaces an older one
    /// that has not arrived yet: the older must not overtake it, and what waits must not pile up.
    pub fn post(&mut self, message: Message, now: Timestamp) {
        self.letters.retain(|letter| !supersedes(&message, &letter.message));
        if is_notice(&message) {
            let waiting = self.letters.iter().filter(|letter| is_notice(&letter.message)).count();
            let oldest = self.letters.iter().position(|letter| is_notice(&letter.message));
            if let Some(oldest) = oldest.filter(|_| waiting >= NOTICES_WAITING) {
                self.letters.remove(oldest);
            }
        }
        self.letters.push(Letter { id: self.next_id, message, attempts: 0, due: now });
        self.next_id = self.next_id.saturating_add(1);
    }

    /// Whether nothing is on its way.
    pub const fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<Letter> {
        self.letters.iter().filter(|letter| letter.due <= now).take(BATCH).cloned().collect()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.letters.iter().map(|letter| letter.due).min()
    }

    pub(super) fn settle(&mut self, delivered: &[u64], failed: &[u64], now: Timestamp) {
        self.letters.retain(|letter| !delivered.contains(&letter.id));
        for letter in self.letters.iter_mut().filter(|letter| failed.contains(&letter.id)) {
            letter.attempts = letter.attempts.saturating_add(1);
            let wait = Duration::from_secs(1_u64.checked_shl(letter.attempts).unwrap_or(u64::MAX));
            letter.due = now.plus(wait.min(MAX_BACKOFF));
        }
    }
}

const fn is_notice(message: &Message) -> bool {
    matches!(message, Message::Notify(_))
}

fn supersedes(new: &Message, old: &Message) -> bool {
    match (new, old) {
        (Message::RenewProof { handle: a, .. }, Message::RenewProof { handle: b, .. }) => a == b,
        // What is given up now is not claimed any more, and what is claimed now need not be given up.
        (
            Message::Claim { handle: a, .. }
            | Message::TakeBack { handle: a, .. }
            | Message::Release { handle: a, .. }
            | Message::Undo { handle: a, .. },
            Message::Claim { handle: b, .. } | Message::TakeBack { handle: b, .. },
        )
        | (
            Message::Claim { handle: a, .. }
            | Message::TakeBack { handle: a, .. }
            | Message::Release { handle: a, .. },
            Message::Release { handle: b, .. },
        )
        | (Message::Undo { handle: a, .. }, Message::Undo { handle: b, .. }) => a == b,
        (Message::IndexCase(a), Message::IndexCase(b)) => a.id == b.id,
        // It has ended, in the one way or the other.
        (Message::IndexAccount { .. } | Message::Undo { .. }, Message::FinishImport { .. }) => true,
        (
            Message::IndexAccount { .. } | Message::UnindexAccount { .. },
            Message::IndexAccount { .. } | Message::UnindexAccount { .. },
        ) => true,
        (
            Message::PublishDevice { token_digest: a, .. } | Message::RetractDevice { token_digest: a },
            Message::PublishDevice { token_digest: b, .. } | Message::RetractDevice { token_digest: b },
        ) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(at: i64) -> Message {
        Message::IndexAccount {
            account: AccountId::from_bytes([1; 16]),
            created_at: Timestamp::from_secs(0),
            last_login_at: Timestamp::from_secs(at),
        }
    }

    #[test]
    fn a_newer_message_replaces_one_that_has_not_arrived() {
        let mut outbox = Outbox::default();
        outbox.post(index(1), Timestamp::from_secs(1));
        outbox.post(index(2), Timestamp::from_secs(2));
        let due = outbox.due(Timestamp::from_secs(2));
        assert_eq!(due.iter().map(|letter| &letter.message).collect::<Vec<_>>(), [&index(2)]);
    }

    #[test]
    fn tried_again_with_growing_waits_until_delivered() {
        let mut outbox = Outbox::default();
        let mut now = Timestamp::from_secs(0);
        outbox.post(index(1), now);
        let mut waits = Vec::new();
        for _ in 0..40 {
            let [letter] = outbox.due(now).try_into().expect("the letter is due");
            outbox.settle(&[], &[letter.id], now);
            let next = outbox.next_due().expect("still there");
            waits.push(next.since(now).as_secs());
            now = next;
        }
        assert_eq!(waits[..4], [2, 4, 8, 16]);
        assert_eq!(waits[39], MAX_BACKOFF.as_secs());
        outbox.settle(&[0], &[], now);
        assert!(outbox.is_empty());
    }
}
