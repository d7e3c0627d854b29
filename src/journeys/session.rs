//! Sessions: what they are given, and what they are good for.

use serde::{Deserialize, Serialize};

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenDeviceProof, needs_key},
    number_proof::CarrierProof,
    provider::Caller,
    spent::Spent,
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, DeviceId, SessionId, TokenId},
        secret::Secret,
        time::Timestamp,
        token::RefreshToken,
    },
    model::{
        account::{Operation, Outcome, Refresh},
        device::Trust,
        handle::{self, HandleName, Proof},
        login::Method,
        login_history::Place,
        owner_proof::ProofKind,
        refusal::Code,
        session::{Ended, Session},
    },
    ports::World,
};

/// What a client needs to go on.
#[derive(Debug)]
pub struct Tokens {
    /// The session.
    pub session: SessionId,
    /// Signed, short-lived.
    pub access: Secret<String>,
    /// Seconds the access token is good for.
    pub access_expires_in: u64,
    /// Opaque, used once.
    pub refresh: Secret<String>,
    /// Seconds the refresh token is good for.
    pub refresh_expires_in: u64,
}

/// What an access token says (RFC 7519, RFC 8176 `amr`). Neither a number nor a device token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The service.
    pub iss: String,
    /// The account.
    pub sub: AccountId,
    /// The app.
    pub aud: String,
    /// Issued at, seconds.
    pub iat: i64,
    /// Good until, seconds.
    pub exp: i64,
    /// This token.
    pub jti: TokenId,
    /// The session.
    pub sid: SessionId,
    /// The device.
    pub did: DeviceId,
    /// How the user signed in.
    pub amr: Vec<Method>,
    /// When the user signed in, seconds.
    pub auth_time: i64,
    /// What was proven for an action of the app since, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUpClaim>,
}

/// `step_up` of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpClaim {
    /// For what, in the app's words.
    pub purpose: String,
    /// How strongly.
    pub strength: u8,
    /// By what.
    pub methods: Vec<ProofKind>,
    /// When, seconds.
    pub at: i64,
}

/// Who is asked whether a session was ended, and so how long an access token of it is still taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nobody: for the rest of the token's life.
    Token,
    /// The edge's copy of what was ended: for about a minute and a half.
    Edge,
    /// The account: not at all.
    Authority,
}

/// A refresh token is given back for the next one.
#[derive(Debug)]
pub struct Refreshing<'a> {
    /// The token.
    pub token: &'a str,
    /// What proves the device's key.
    pub proof: Option<&'a GivenDeviceProof>,
    /// A carrier's credential that proves the number again.
    pub number: Option<CarrierProof<'a>>,
    /// The client's address.
    pub address: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
    /// Where it comes from.
    pub place: &'a Place,
}

impl<W: World> Service<'_, W> {
    /// Takes a refresh token for new tokens; and whether the date of the number's last proof was renewed.
    ///
    /// # Errors
    /// `session_expired`; `session_revoked` also for a token that is not ours; `account_frozen`; `unauthenticated`
    /// without a good and fresh proof where the device has a key.
    pub async fn refresh(&self, refreshing: &Refreshing<'_>) -> Result<(Tokens, bool), Failure> {
        // 1. Forged and mistyped ones die here.
        let Some((account, refresh)) = self.presented_refresh(refreshing).await? else {
            return Err(Code::SessionRevoked.into());
        };
        // 2. The account rotates.
        let operation = Operation::Refresh(Box::new(refresh));
        let (session, platform, trust) = match self.world.account(account, operation).await? {
            Outcome::Refreshed { session, platform, trust } => (session, platform, trust),
            Outcome::Ended { ended } => return Err(refused(ended)),
            Outcome::NeedsKey => return Err(needs_key()),
            Outcome::Frozen => return Err(Code::AccountFrozen.into()),
            _ => return Err(UNEXPECTED_OUTCOME.into()),
        };
        // 3. Whose device is of standing proves the number in passing. Whatever becomes of it, the session goes on.
        let renewed = match &refreshing.number {
            Some(number) if trust != Trust::New => {
                let (app, address, request_id) = (&session.app, refreshing.address, refreshing.request_id);
                let caller = Caller { app, platform, address, request_id };
                self.renew_proof(account, number, &caller).await
            }
            _ => false,
        };
        Ok((self.tokens(account, &session)?, renewed))
    }

    async fn renew_proof(&self, account: AccountId, number: &CarrierProof<'_>, caller: &Caller<'_>) -> bool {
        // A repeat is none: the refresh token has gone on.
        let proven = self.prove_by_carrier(number, caller, &mut Spent::default()).await;
        let Ok((phone, method)) = proven else { return false };
        let handle = HandleName::of_phone(&self.settings.digest, &phone);
        let proof = Proof { at: self.world.now(), method };
        let renewal = handle::Operation::RenewProof { account, proof };
        let renewed = self.pass_over(self.world.handle(&handle, renewal).await);
        // Somebody else's number proves nothing of this account.
        matches!(renewed, Some(handle::Outcome::Held(holder)) if holder.account == account)
    }

    /// Ends the session of a refresh token, for whoever holds it, and the device's key if it has one.
    ///
    /// # Errors
    /// `unauthenticated` without a good and fresh proof where the device has a key; a fault: the session may go on.
    pub async fn give_up(&self, refreshing: &Refreshing<'_>) -> Result<(), Failure> {
        let Some((account, refresh)) = self.presented_refresh(refreshing).await? else { return Ok(()) };
        match self.world.account(account, Operation::GiveUp(Box::new(refresh))).await? {
            Outcome::Done => Ok(()),
            Outcome::NeedsKey => Err(needs_key()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// What a refresh token and its proof say; `None`: it is none of ours.
    async fn presented_refresh(
        &self,
        refreshing: &Refreshing<'_>,
    ) -> Result<Option<(AccountId, Refresh)>, Failure> {
        let Some(token) = RefreshToken::read(&self.settings.mac, refreshing.token) else { return Ok(None) };
        let key = match refreshing.proof {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        let refresh = Refresh {
            account: token.account,
            session: token.session,
            generation: token.generation,
            key,
            place: refreshing.place.clone(),
            rules: self.settings.account_rules(),
        };
        Ok(Some((token.account, refresh)))
    }

    /// Checks an access token.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is not ours or too old, or whose session has ended as far as `freshness`
    /// looks.
    pub async fn authenticate(
        &self,
        access_token: &str,
        freshness: Freshness,
    ) -> Result<AccessClaims, Failure> {
        let claims: AccessClaims =
            self.settings.signing.verify(access_token).map_err(|_| Code::Unauthenticated)?;
        let is_good = claims.iss == self.settings.issuer
            && self.settings.apps.contains(&claims.aud)
            && self.world.now().secs() < claims.exp;
        if !is_good {
            return Err(Code::Unauthenticated.into());
        }
        let is_over = match freshness {
            Freshness::Token => false,
            Freshness::Edge => self.world.has_ended(claims.sid).await?,
            Freshness::Authority => self.living(claims.sub, claims.sid).await?.is_none(),
        };
        if is_over { Err(Code::Unauthenticated.into()) } else { Ok(claims) }
    }

    /// The session, if it is alive, by the account's own word.
    pub(super) async fn living(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Option<Session>, Fault> {
        let operation = Operation::LookAtSession { session, rules: self.settings.account_rules() };
        match self.world.account(account, operation).await? {
            Outcome::Session { session } => Ok(Some(session)),
            Outcome::Ended { .. } => Ok(None),
            _ => Err(UNEXPECTED_OUTCOME),
        }
    }

    /// The tokens of a session as it stands. The refresh token is derived, so asking twice gives the same one.
    pub(super) fn tokens(&self, account: AccountId, session: &Session) -> Result<Tokens, Fault> {
        let now = self.world.now();
        let lifetimes = self.settings.account_rules().lifetimes;
        // Rounded up: the milliseconds since the account answered must not turn 30 days into a second less.
        let remaining = session.expires_at(&lifetimes).since(now).as_millis().div_ceil(1000);
        let refresh_expires_in = u64::try_from(remaining).unwrap_or(u64::MAX);
        let access_expires_in = self.settings.limits.access_token_seconds.min(refresh_expires_in);
        let claims = self.claims(account, session, now, access_expires_in)?;
        let refresh = RefreshToken { account, session: session.id, generation: session.generation() };
        Ok(Tokens {
            session: session.id,
            access: Secret::new(self.settings.signing.sign(&claims)?),
            access_expires_in,
            refresh: Secret::new(refresh.write(&self.settings.mac)),
            refresh_expires_in,
        })
    }

    fn claims(
        &self,
        account: AccountId,
        session: &Session,
        now: Timestamp,
        expires_in: u64,
    ) -> Result<AccessClaims, Fault> {
        let expires_in = i64::try_from(expires_in).unwrap_or(i64::MAX);
        Ok(AccessClaims {
            iss: self.settings.issuer.clone(),
            sub: account,
            aud: session.app.clone(),
            iat: now.secs(),
            exp: now.secs().saturating_add(expires_in),
            jti: TokenId::from_bytes(self.fresh()?),
            sid: session.id,
            did: session.device,
            amr: session.methods(),
            auth_time: session.created_at.secs(),
            step_up: session.step_up.as_ref().map(|proof| StepUpClaim {
                purpose: proof.purpose.clone(),
                strength: proof.strength,
                methods: proof.methods.clone(),
                at: proof.at.secs(),
            }),
        })
    }
}

fn refused(ended: Ended) -> Failure {
    match ended {
        Ended::Expired => Code::SessionExpired.into(),
        Ended::Revoked => Code::SessionRevoked.into(),
    }
}
