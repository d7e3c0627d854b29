//! Tokens as backends ask about them (RFC 7662) and take them back (RFC 7009).

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    backend_access::Backend,
    session::{AccessClaims, Freshness},
};
use crate::{
    kernel::{id::AccountId, token::RefreshToken},
    model::{
        account::{Operation, Outcome},
        refusal::Code,
        session::Session,
    },
    ports::World,
};

/// What a token is, if it is good.
#[derive(Debug)]
pub enum Introspected {
    /// An access token of a session that is alive.
    Access(AccessClaims),
    /// The newest refresh token of a session that is alive.
    Refresh {
        /// Whose.
        token: RefreshToken,
        /// The session.
        session: Session,
        /// Seconds since the epoch at which it dies unless used.
        expires: i64,
    },
}

impl<W: World> Service<'_, W> {
    /// Whether a token is good now, by the account's own word. `None`: it is not, whatever the cause, or it is none
    /// of this backend's business.
    ///
    /// # Errors
    /// A fault: nobody knows.
    pub async fn introspect(&self, token: &str, backend: &Backend) -> Result<Option<Introspected>, Failure> {
        let Some((account, found)) = self.look_up(token).await? else { return Ok(None) };
        let app = match &found {
            Introspected::Access(claims) => &claims.aud,
            Introspected::Refresh { session, .. } => &session.app,
        };
        let is_theirs = backend.serves(app) && self.is_account_within_reach(backend.mode, account).await?;
        Ok(is_theirs.then_some(found))
    }

    async fn look_up(&self, token: &str) -> Result<Option<(AccountId, Introspected)>, Failure> {
        if let Some(token) = RefreshToken::read(&self.settings.mac, token) {
            let Some(session) = self.living(token.account, token.session).await? else { return Ok(None) };
            let lifetimes = self.settings.account_rules().lifetimes;
            let expires = session.expires_at(&lifetimes).secs();
            let is_newest = session.generation() == token.generation;
            let found = (token.account, Introspected::Refresh { token, session, expires });
            return Ok(is_newest.then_some(found));
        }
        match self.authenticate(token, Freshness::Authority).await {
            Ok(claims) => Ok(Some((claims.sub, Introspected::Access(claims)))),
            Err(Failure::Refusal(refusal)) if refusal.code == Code::Unauthenticated => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Ends the session of a token. One that is not ours, or of a session that is over, is taken back already; one
    /// that is none of this backend's business is left alone.
    ///
    /// # Errors
    /// A fault: the session may go on.
    pub async fn revoke(&self, token: &str, backend: &Backend) -> Result<(), Failure> {
        let (account, session) = match RefreshToken::read(&self.settings.mac, token) {
            Some(token) => match self.living(token.account, token.session).await? {
                Some(session) if backend.serves(&session.app) => (token.account, session.id),
                _ => return Ok(()),
            },
            None => match self.authenticate(token, Freshness::Token).await {
                Ok(claims) if backend.serves(&claims.aud) => (claims.sub, claims.sid),
                _ => return Ok(()),
            },
        };
        if !self.is_account_within_reach(backend.mode, account).await? {
            return Ok(());
        }
        let operation = Operation::EndSession { session, rules: self.settings.account_rules() };
        match self.world.account(account, operation).await? {
            Outcome::Done => Ok(()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }
}
