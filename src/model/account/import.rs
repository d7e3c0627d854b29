//! An account from elsewhere: all that leads to it there leads to it here, or nothing is left of it.
//!
//! The account writes down what it intends; its handles decide; then it stands, or is as if it had never been. Who
//! meets one in between ends it first, whoever that is: who imports, the account's outbox, or somebody who signs in.
//! So nobody comes into half an account, and an import that broke off locks nobody out.

use serde::{Deserialize, Serialize};

use super::{Account, Candidate, Created, Identifier, Outcome, Password, Profile, RealName};
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
            return Outcome::Closing { until: now };
        }
        let Import { account, attempt, candidates, password, profile, real_name, created_at } = import;
        let mut claims = Vec::new();
        for Candidate { identifier, proof } in candidates {
            claims.push(ImportClaim { handle: identifier.handle.clone(), proof });
            self.identifiers.push(Identifier { claiming: true, ..identifier });
        }
        self.created = Some(Created { at: created_at, by: None, on: None });
        self.password = password.map(|hash| Password { hash, set_at: now });
        (self.profile, self.real_name) = (profile, real_name);
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
