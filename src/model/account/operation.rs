//! What can be asked of an account.

use serde::{Deserialize, Serialize};

use super::{Act, AtCase, AtTicket, Contest, Import, Rules, SignIn, Supplied, Word};
use crate::{
    kernel::{
        id::{AccountId, SessionId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{device_key::ProvenKey, handle::HandleName, login_history::Place},
};

/// What can be asked of an account. Each names the account, which cannot know its own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Somebody proved to be its owner: start a session. Creates the account at its first sign-in.
    SignIn(Box<SignIn>),
    /// Take a refresh token for the next one.
    Refresh(Box<Refresh>),
    /// Whoever holds a refresh token gives it up: end the session.
    GiveUp(Box<Refresh>),
    /// Somebody who is signed in does something.
    Act(Box<Act>),
    /// A device that waits comes with its ticket.
    AtTicket(Box<AtTicket>),
    /// Somebody who is signed in to another account has proven the number of this one.
    Contest(Box<Contest>),
    /// Something about a case.
    AtCase(Box<AtCase>),
    /// A friend says that whoever waits is the owner.
    HearFriend(Box<Word>),
    /// A number went back to the account that had it before.
    GiveBack {
        /// Whose it was until then.
        account: AccountId,
        /// The number's handle.
        handle: HandleName,
        /// By which of its claims.
        claim: u64,
        /// Rules in force.
        rules: Rules,
    },
    /// The handle of a number that shall come back has decided.
    SettleReturn {
        /// Whose it shall be again.
        account: AccountId,
        /// The number's handle.
        handle: HandleName,
        /// By which of its claims.
        claim: u64,
        /// It is back; else a third account has it.
        is_back: bool,
        /// Rules in force.
        rules: Rules,
    },
    /// An operator switches login protection on or off.
    Protect {
        /// Whose account it is.
        account: AccountId,
        /// Which of both.
        enabled: bool,
    },
    /// The app says something of it.
    Supply {
        /// Whose account it is.
        account: AccountId,
        /// What.
        said: Box<Supplied>,
        /// Rules in force.
        rules: Rules,
    },
    /// An operator freezes the account, or lets it go on.
    Freeze {
        /// Which of both.
        frozen: bool,
        /// Rules in force.
        rules: Rules,
    },
    /// Is this session still good?
    LookAtSession {
        /// Which.
        session: SessionId,
        /// Rules in force.
        rules: Rules,
    },
    /// A backend ends a session.
    EndSession {
        /// Which.
        session: SessionId,
        /// Rules in force.
        rules: Rules,
    },
    /// Does the identifier lead here, as far as the account knows?
    LookAtIdentifier {
        /// Its handle.
        handle: HandleName,
    },
    /// The number of the account.
    LookAtPhone,
    /// The password of the account, to be compared.
    LookAtPassword,
    /// The password that was set then was right, and is hashed anew.
    UpgradePassword {
        /// The new hash.
        hash: Sealed,
        /// When it was set.
        set_at: Timestamp,
    },
    /// The handle of an identifier that is being bound has decided.
    SettleClaim {
        /// Whose.
        account: AccountId,
        /// Which.
        handle: HandleName,
        /// Which of its claims.
        claim: u64,
        /// It leads to this account.
        is_won: bool,
        /// Rules in force.
        rules: Rules,
    },
    /// An operator takes back that the account is to be deleted.
    Restore,
    /// A backend brings an account from elsewhere.
    Import(Box<Import>),
    /// The handles of an account that is being imported have decided.
    SettleImport {
        /// Which.
        account: AccountId,
        /// In which attempt.
        attempt: u64,
        /// What was claimed.
        handles: Vec<HandleName>,
        /// All of it leads to this account.
        is_won: bool,
    },
}

/// A refresh token that is no forgery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The account.
    pub account: AccountId,
    /// Family.
    pub session: SessionId,
    /// Generation given.
    pub generation: u32,
    /// The device's key, if it was proven.
    pub key: Option<ProvenKey>,
    /// Where it comes from.
    pub place: Place,
    /// Rules in force.
    pub rules: Rules,
}
