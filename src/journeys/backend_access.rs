//! Which backend is calling, and whether it may.

use super::{Failure, Service, UNEXPECTED_OUTCOME};
use crate::{
    model::{
        api_key,
        api_key::{ApiKey, Mode, Scope},
        counter::{Operation, Outcome, UsageLine},
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// A backend that was let in.
#[derive(Debug, Clone)]
pub struct Backend {
    /// As the audit log names it.
    pub actor: String,
    /// The digest of its key, which stays when its name does not.
    pub key: String,
    /// Whose data it may learn of.
    pub mode: Mode,
    /// In which apps; `None`: in all.
    pub apps: Option<Vec<String>>,
}

impl Backend {
    /// Whether it has to do with an app.
    pub fn serves(&self, app: &str) -> bool {
        self.apps.as_ref().is_none_or(|apps| apps.iter().any(|known| known == app))
    }
}

/// A key, what it may do, and what it did.
#[derive(Debug)]
pub struct KeyInUse {
    /// The key.
    pub key: ApiKey,
    /// Calls that it may make in any 60 seconds.
    pub per_minute: u64,
    /// Calls that it may make in a calendar month (UTC).
    pub per_month: u64,
    /// Calls of this month that were let through.
    pub this_month: u64,
    /// Its calls lately, oldest first.
    pub usage: Vec<UsageLine>,
}

impl<W: World> Service<'_, W> {
    /// Lets a backend in, if its key has the scope and room for one more call. The call is counted, whatever comes
    /// of it; a counter that cannot be asked lets nobody in.
    ///
    /// # Errors
    /// `unauthenticated` for no such key, `forbidden` without the scope, `rate_limited` without room.
    pub async fn admit(&self, key: &str, scope: Scope) -> Result<Backend, Failure> {
        // 1. The key, and what it is for.
        let (digest, key) = self.api_key(key).await?;
        if !key.allows(scope) {
            return Err(Code::Forbidden.into());
        }
        // 2. Rate and quota.
        let scope = scope.name().to_owned();
        let (per_minute, per_month) = self.allowance(&key);
        let operation = Operation::MeterCall { scope, per_minute, per_month };
        match self.world.counter(&counter_of(&digest), operation).await? {
            Outcome::Spent { .. } => {
                let actor = format!("api_key:{}", key.name);
                Ok(Backend { actor, key: digest, mode: key.mode, apps: key.apps })
            }
            Outcome::Full { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// What a key may do and did. Asking is not counted.
    ///
    /// # Errors
    /// `unauthenticated` for no such key.
    pub async fn key_in_use(&self, key: &str) -> Result<KeyInUse, Failure> {
        let (digest, key) = self.api_key(key).await?;
        match self.world.counter(&counter_of(&digest), Operation::LookAtUsage).await? {
            Outcome::Usage { this_month, lines } => {
                let (per_minute, per_month) = self.allowance(&key);
                Ok(KeyInUse { key, per_minute, per_month, this_month, usage: lines })
            }
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// A key that is in force, and its digest.
    async fn api_key(&self, text: &str) -> Result<(String, ApiKey), Failure> {
        let digest = api_key::digest(text).ok_or(Code::Unauthenticated)?;
        let key = self.world.api_key(&digest).await?.ok_or(Code::Unauthenticated)?;
        Ok((digest, key))
    }

    /// How much a key may call: in a minute, and in a month.
    fn allowance(&self, key: &ApiKey) -> (u64, u64) {
        let limits = &self.settings.limits;
        (
            key.calls_per_minute.map_or(limits.api_key_calls_per_minute, u64::from),
            key.calls_per_month.map_or(limits.api_key_calls_per_month, u64::from),
        )
    }
}

/// The counter of the calls of a key.
fn counter_of(digest: &str) -> String {
    format!("api_key.{digest}")
}
