//! What people and handles ask of an account, as its operations.

use std::time::Duration;

use onetap::{
    kernel::{
        id::{AccountId, SessionId},
        time::Timestamp,
    },
    model::{
        account::{self, Act, Candidate, Deed, Identifier, Rules},
        handle::{HandleName, Proof},
        login::Method,
        login_history::Place,
    },
};
use serde_json::json;

use super::super::protocol::sign_in;

/// Whose account: the first, the second, the third.
pub(super) type Person = u8;

/// The name of a handle.
pub(super) type Name = &'static str;

/// What is asked of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Request {
    SignIn {
        by: Name,
        claim: u64,
        creates: bool,
        binds: Option<Name>,
        other: Option<Name>,
    },
    Bind {
        name: Name,
        alias_of: Option<Name>,
    },
    ChangePhone(Name),
    Unbind(Name),
    Delete,
    Settle {
        name: Name,
        claim: u64,
        is_won: bool,
    },
    /// Does it lead there?
    Look(Name),
}

/// How long a deleted account can be restored.
pub(super) const GRACE: Duration = Duration::from_secs(86_400);

/// How everything is proven.
pub(super) const PROOF: Proof = Proof { at: Timestamp::from_secs(0), method: Method::OneTap };

/// The number of a person from the start.
pub(super) const fn number_of(who: Person) -> Name {
    ["phone.k1.one", "phone.k1.two", "phone.k1.three"][who as usize - 1]
}

/// The id of a person's account.
pub(super) fn id(who: Person) -> AccountId {
    AccountId::from_bytes([who; 16])
}

/// The operation on an account, of which there is none yet if `is_new`.
pub(super) fn operation(is_new: bool, who: Person, request: Request) -> account::Operation {
    let account = id(who);
    let rules = Rules { deletion_grace: GRACE, ..sign_in(account, 0).rules };
    let deed = match request {
        Request::Settle { name, claim, is_won } => {
            let handle = handle_name(name);
            return account::Operation::SettleClaim { account, handle, claim, is_won, rules };
        }
        Request::Look(name) => {
            return account::Operation::LookAtIdentifier { handle: handle_name(name) };
        }
        Request::SignIn { by, claim, creates, binds, other } => {
            // The session of the first one is the one that acts.
            let session = if is_new { who } else { u8::MAX };
            let mut operation = sign_in(account, usize::from(session) - 1);
            (operation.identifier.handle, operation.identifier.claim) = (handle_name(by), claim);
            (operation.creates, operation.rules) = (creates, rules);
            let other = other.map(|name| candidate(name, Some(binds.unwrap_or(by))));
            operation.binds = binds.map(|name| candidate(name, None)).into_iter().chain(other).collect();
            return account::Operation::SignIn(Box::new(operation));
        }
        Request::Bind { name, alias_of } => Deed::Bind(Box::new(candidate(name, alias_of))),
        Request::ChangePhone(name) => Deed::ChangePhone(Box::new(candidate(name, None))),
        Request::Unbind(name) => Deed::Unbind(handle_name(name)),
        Request::Delete => Deed::Delete,
    };
    let (session, place) = (SessionId::from_bytes([who; 16]), Place::default());
    account::Operation::Act(Box::new(Act { account, session, deed, proof: None, place, rules }))
}

fn candidate(name: Name, alias_of: Option<Name>) -> Candidate {
    let alias_of = alias_of.map(handle_name);
    let identifier = Identifier { handle: handle_name(name), alias_of, ..sign_in(id(1), 0).identifier };
    Candidate { identifier, proof: is_proven(name).then_some(PROOF) }
}

/// Whether it is proven that somebody has it, who may then come in by it alone.
pub(super) fn is_proven(name: Name) -> bool {
    !name.starts_with("username.")
}

fn handle_name(name: Name) -> HandleName {
    serde_json::from_value(json!(name)).unwrap()
}
