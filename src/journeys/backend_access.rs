//! Which backend is calling, and whether it may.

use super::{Failure, Service, UNEXPECTED_OUTCOME};
use crate::{
    model::{
        api_key,
        api_key::{ApiKey, Mode, Scope},
        counter::{Allowance, Operation, Outcome, Usage},
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// A backend that was let in.
#[derive(Debug, Clone)]
pub struct Backend {
    /// As the audit log names it.
    pub actor: String,
    /// Whose data it may learn of.
    pub mode: Mode,
}

/// A key, what it may do, and what it did.
#[derive(Debug)]
pub struct KeyInUse {
    /// The key.
    pub key: ApiKey,
    /// How much it may call.
    pub allowance: Allowance,
    /// What its calls were.
    pub usage: Usage,
}

impl<W: World> Service<'_, W> {
    /// Lets a backend in, if its key has the scope and room for one more call. The call is counted, whatever comes
    /// of it; a counter that cannot be asked lets nobody in.
    ///
    /// # Errors
    /// `unauthenticated` for no such key, `forbidden` without the scope, `rate_limited` without room.
    pub async fn admit(&self, key: &str, scope: Scope) -> Result<Backend, Failure> {
        // 1. The key, and what it is for.
        let (counter, key) = self.api_key(key).await?;
        if !key.allows(scope) {
            return Err(Code::Forbidden.into());
        }
        // 2. Rate and quota.
        let scope = scope.name().to_owned();
        let operation = Operation::MeterCall { scope, allowance: self.allowance(&key) };
        match self.world.counter(&counter, operation).await? {
            Outcome::Spent { .. } => Ok(Backend { actor: format!("api_key:{}", key.name), mode: key.mode }),
            Outcome::Full { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// What a key may do and did. Asking is not counted.
    ///
    /// # Errors
    /// `unauthenticated` for no such key.
    pub async fn key_in_use(&self, key: &str) -> Result<KeyInUse, Failure> {
        let (counter, key) = self.api_key(key).await?;
        match self.world.counter(&counter, Operation::LookAtUsage).await? {
            Outcome::Usage { usage } => Ok(KeyInUse { allowance: self.allowance(&key), key, usage }),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// A key that is in force, and the name of the counter of its calls.
    async fn api_key(&self, text: &str) -> Result<(String, ApiKey), Failure> {
        let digest = api_key::digest(text).ok_or(Code::Unauthenticated)?;
        let key = self.world.api_key(&digest).await?.ok_or(Code::Unauthenticated)?;
        Ok((format!("api_key.{digest}"), key))
    }

    fn allowance(&self, key: &ApiKey) -> Allowance {
        let limits = &self.settings.limits;
        Allowance {
            per_minute: key.calls_per_minute.map_or(limits.api_key_calls_per_minute, u64::from),
            per_month: key.calls_per_month.map_or(limits.api_key_calls_per_month, u64::from),
        }
    }
}
