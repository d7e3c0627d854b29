//! Which backend is calling, and whether it may.

use super::{Failure, Service};
use crate::{
    model::{
        api_key,
        api_key::{ApiKey, Scope},
        refusal::Code,
    },
    ports::World,
};

impl<W: World> Service<'_, W> {
    /// The key of a backend, if it has the scope.
    ///
    /// # Errors
    /// `unauthenticated` for no such key, `forbidden` without the scope.
    pub async fn backend(&self, key: &str, scope: Scope) -> Result<ApiKey, Failure> {
        let digest = api_key::digest(key).ok_or(Code::Unauthenticated)?;
        let key = self.world.api_key(&digest).await?.ok_or(Code::Unauthenticated)?;
        if key.allows(scope) { Ok(key) } else { Err(Code::Forbidden.into()) }
    }
}
