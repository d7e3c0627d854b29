//! From a proven identifier to a session: the part that all ways of signing in share.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenDeviceProof, needs_key},
    entrance::{Entrance, Introduction, Proven, Seed},
    provider::Caller,
    sealed::{AVATAR_URL, DEVICE_NAME, DISPLAY_NAME, PASSWORD, PUSH_TOKEN},
    session::Tokens,
    step_up::StepUp,
};
use crate::{
    kernel::{
        device_proof::PublicKey,
        fault::Fault,
        id::{AccountId, DeviceId, SessionId, TicketId},
        phone::PhoneNumber,
        seal::Sealed,
        secret::Secret,
        time::Timestamp,
        token::DeviceToken,
    },
    model::{
        account::{
            Candidate, Identifier, Number, NumberFacts, Operation, Outcome, Profile, RealName, Rules, SignIn,
        },
        device::{DeviceProfile, Presented, Trust},
        handle::{self, HandleName, Holder, Holding, Proof},
        login_history::Place,
        platform::Platform,
        refusal::Code,
    },
    ports::{OBJECT_TIMED_OUT, World},
};

/// What the client says about the device it signs in on.
#[derive(Debug, Clone)]
pub struct DeviceClaim {
    /// The token we issued to it, if any.
    pub token: Option<Secret<String>>,
    /// Kind of client.
    pub platform: Platform,
    /// Name for people.
    pub name: String,
    /// Model name.
    pub model: Option<String>,
    /// Operating system and version.
    pub os: Option<String>,
    /// Version of the app.
    pub app_version: Option<String>,
    /// Where push messages go.
    pub push_token: Option<Secret<String>>,
    /// The key it says it has.
    pub key: Option<PublicKey>,
    /// What proves a key.
    pub proof: Option<GivenDeviceProof>,
    /// What attests that app and device are genuine, for the operator's verifier.
    pub attestation: Option<Secret<String>>,
}

impl DeviceClaim {
    /// A device of which nothing is known.
    pub(super) const fn unknown(platform: Platform) -> Self {
        let name = String::new();
        let (token, model, os, app_version, push_token) = (None, None, None, None, None);
        let (key, proof, attestation) = (None, None, None);
        Self { token, platform, name, model, os, app_version, push_token, key, proof, attestation }
    }
}

/// What a sign-in leads to.
#[derive(Debug)]
pub enum Entry {
    /// Somebody is in.
    SignedIn(Box<SignedIn>),
    /// It waits until the device is confirmed.
    StepUp(Box<StepUp>),
}

/// For what a sign-in is wanted.
#[derive(Debug, Clone)]
pub struct Purpose<'a> {
    /// Who asks.
    pub caller: Caller<'a>,
    /// Version of the terms the user agreed to.
    pub consent: Option<&'a str>,
    /// The device.
    pub device: &'a DeviceClaim,
    /// Where it is.
    pub place: &'a Place,
    /// Carriers and registers are not waited for any longer.
    pub evidence_by: Timestamp,
}

/// What an account lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A number.
    Phone,
    /// A number in place of the one that is another person's by now.
    NewPhone,
}

/// Somebody is in.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: AccountId,
    /// It did not exist before.
    pub is_new: bool,
    /// The account's number.
    pub phone: Option<PhoneNumber>,
    /// How its owner wants to be called.
    pub display_name: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// What the app shall ask for.
    pub needs: Option<Need>,
    /// Whether it is known who its owner is.
    pub real_name: RealName,
    /// The session.
    pub session: Tokens,
    /// The device's id.
    pub device: DeviceId,
    /// How well the account knows it.
    pub trust: Trust,
    /// Its new token, when one was issued.
    pub device_token: Option<Secret<String>>,
}

impl<W: World> Service<'_, W> {
    /// Signs somebody in, creating the account at the first time.
    pub(super) async fn sign_in(
        &self,
        entrance: &Entrance,
        purpose: &Purpose<'_>,
        presented: Presented,
        seed: &Seed,
    ) -> Result<Entry, Failure> {
        // 1. To whom does the identifier lead? To nobody: a fresh account id takes it, for good.
        let (mut holder, mut creates) = self.led_to(entrance, seed).await?;
        for _ in 0..TRIES {
            let id = holder.account;
            // 2. One call to the account signs in. It creates what is missing, so a crash between 1 and 2 is mended
            //    by the next sign-in.
            let new_token = DeviceToken::from_entropy(seed.draw("device token"));
            let is_proven_number = entrance.by.handle.is_phone() && entrance.password.is_none();
            let rules = self.settings.account_rules();
            let evidence = holder.evidence.filter(|known| known.counts(self.world.now()));
            let sign_in = SignIn {
                account: id,
                identifier: Identifier {
                    claim: holder.claim,
                    ..self.identifier(id, &entrance.by, holder.since)?
                },
                method: entrance.by.method,
                password: entrance.password.map(|(_, set_at)| set_at),
                number: is_proven_number.then(|| NumberFacts { last_proof: holder.proven_at(), evidence }),
                awaits: entrance.awaited_by.is_some(),
                creates,
                binds: self.candidates(id, &entrance.binds)?,
                introduction: self.introduced(id, &entrance.introduction)?,
                new_password: self.sealed_password(id, entrance.new_password.as_ref())?,
                app: purpose.caller.app.to_owned(),
                consent: purpose.consent.map(str::to_owned),
                session: SessionId::from_bytes(seed.draw("session")),
                presented: presented.clone(),
                new_device: (DeviceId::from_bytes(seed.draw("device")), new_token.digest()),
                ticket: TicketId::from_bytes(seed.draw("ticket")),
                profile: self.profile(id, purpose.device)?,
                place: purpose.place.clone(),
                asker: self.network_of(purpose.caller.address),
                rules: Rules { one_tap_waits: rules.one_tap_waits && !entrance.is_attested, ..rules },
            };
            let operation = Operation::SignIn(Box::new(sign_in));
            let outcome = again_if_lost(async || self.world.account(id, operation.clone()).await).await?;
            let new_token = || Secret::new(new_token.write(&self.settings.mac));
            match outcome {
                // 3. Tokens. The account's outbox tells handle, index and edge copy afterwards.
                Outcome::SignedIn { token_issued, claim, .. } => {
                    self.claim_along(id, entrance, claim).await;
                    return self.signed_in(id, outcome, token_issued.then(new_token));
                }
                Outcome::Waits(waiting) => {
                    let issued = waiting.token_issued.then(new_token);
                    return self.waiting(id, &waiting, issued);
                }
                Outcome::NeedsKey => return Err(needs_key()),
                Outcome::Frozen => return Err(Code::AccountFrozen.into()),
                // A repeat of one that was ended since.
                Outcome::Ended { .. } => return Err(Code::SessionRevoked.into()),
                Outcome::ProofFailed => return Err(Code::InvalidCredentials.into()),
                // Whose account has a number keeps it; and an identity is one of its kind.
                Outcome::Full if entrance.binds.iter().any(|proven| proven.handle.is_phone()) => {
                    return Err(Code::PhoneInUse.into());
                }
                Outcome::Full => return Err(Code::IdentityInUse.into()),
                Outcome::NotMine { .. } if entrance.password.is_some() => {
                    return Err(Code::InvalidCredentials.into());
                }
                // Whatever becomes of it, the next look finds a whole account or none.
                Outcome::Importing(importing) => {
                    self.finish_import(id, &importing).await?;
                    (holder, creates) = self.led_to(entrance, seed).await?;
                }
                Outcome::NeedsEvidence { name } => {
                    let asked = (&purpose.caller, purpose.evidence_by);
                    let evidence = self.gather_evidence(&entrance.by, &holder, name.as_ref(), asked);
                    holder.evidence = Some(evidence.await);
                }
                // Who was to have it has left meanwhile.
                Outcome::NotMine { .. } if entrance.awaited_by == Some(id) => {
                    holder.account = AccountId::from_bytes(seed.draw("account"));
                    creates = true;
                }
                // The account has given it up, and the handle has not heard of it yet.
                Outcome::NotMine { cause, heir } => {
                    let candidate = heir.unwrap_or_else(|| AccountId::from_bytes(seed.draw("account")));
                    let held = Holding::seen(holder.since, holder.claim);
                    let rebind = handle::Operation::Rebind { from: id, held, cause, candidate };
                    (holder, creates) = self.holder_after(&entrance.by.handle, rebind).await?;
                }
                _ => return Err(UNEXPECTED_OUTCOME.into()),
            }
        }
        Err(UNEXPECTED_OUTCOME.into())
    }

    /// What is bound along with a sign-in need not wait for the account's outbox: who comes by it next must find the account.
    async fn claim_along(&self, account: AccountId, entrance: &Entrance, claim: Option<u64>) {
        if let Some((claim, Proven { handle, method, .. })) = claim.zip(entrance.binds.first()) {
            let proof = Some(Proof { at: self.world.now(), method: *method });
            let claimed = self.claim_and_settle(account, handle, claim, proof).await;
            self.pass_over(claimed);
        }
    }

    /// To whom the identifier of an entrance leads, and whether that account may still have to be created.
    async fn led_to(&self, entrance: &Entrance, seed: &Seed) -> Result<(Holder, bool), Failure> {
        let (since, claim, last_proof, evidence) = (self.world.now(), 0, None, None);
        let led_to = |account| Holder { account, since, claim, last_proof, evidence };
        if let Some((account, _)) = entrance.password {
            return Ok((led_to(account), false));
        }
        if let Some(heir) = entrance.awaited_by {
            return Ok((led_to(heir), true));
        }
        let candidate = AccountId::from_bytes(seed.draw("account"));
        self.holder_after(&entrance.by.handle, handle::Operation::Resolve { candidate }).await
    }

    /// Who holds it after that, and whether that account may still have to be created.
    async fn holder_after(
        &self,
        handle: &HandleName,
        operation: handle::Operation,
    ) -> Result<(Holder, bool), Failure> {
        let outcome = again_if_lost(async || self.world.handle(handle, operation.clone()).await);
        match outcome.await? {
            handle::Outcome::Held(holder) => {
                let creates = holder.last_proof.is_none();
                Ok((holder, creates))
            }
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// What a sign-in that an account carried out gives.
    pub(super) fn signed_in(
        &self,
        account: AccountId,
        outcome: Outcome,
        device_token: Option<Secret<String>>,
    ) -> Result<Entry, Failure> {
        let Outcome::SignedIn { is_new, session, device, phone, profile, real_name, .. } = outcome else {
            return Err(UNEXPECTED_OUTCOME.into());
        };
        let (now, rules) = (self.world.now(), self.settings.account_rules());
        // Nobody is kept out because a name cannot be read.
        let text = |what, sealed: Option<Sealed>| {
            sealed.and_then(|sealed| self.pass_over(self.open_text(account, what, &sealed)))
        };
        let (phone, needs) = match phone {
            Number::Is(phone) => (Some(self.open_phone(account, &phone)?), None),
            Number::None => (None, self.settings.needs_phone.then_some(Need::Phone)),
            Number::Lost => (None, Some(Need::NewPhone)),
        };
        let signed_in = SignedIn {
            account,
            is_new,
            needs,
            phone,
            display_name: text(DISPLAY_NAME, profile.display_name),
            avatar_url: text(AVATAR_URL, profile.avatar_url),
            real_name,
            session: self.tokens(account, &session)?,
            device: device.id,
            trust: rules.trust.trust(device.usage, device.trusted_since, now),
            device_token,
        };
        Ok(Entry::SignedIn(signed_in.into()))
    }

    /// A proven identifier, for an account that shall bind it.
    pub(super) fn candidate(&self, account: AccountId, proven: &Proven) -> Result<Candidate, Fault> {
        let now = self.world.now();
        let proof = Proof { at: now, method: proven.method };
        Ok(Candidate { identifier: self.identifier(account, proven, now)?, proof: Some(proof) })
    }

    fn identifier(&self, account: AccountId, proven: &Proven, since: Timestamp) -> Result<Identifier, Fault> {
        let handle = proven.handle.clone();
        let value = self.seal_for(account, handle.kind(), proven.value.expose().as_bytes())?;
        Ok(Identifier { handle, value, since, alias_of: proven.alias_of.clone(), claim: 0, claiming: false })
    }

    fn candidates(&self, account: AccountId, proven: &[Proven]) -> Result<Vec<Candidate>, Fault> {
        proven.iter().map(|proven| self.candidate(account, proven)).collect()
    }

    fn introduced(&self, account: AccountId, introduction: &Introduction) -> Result<Profile, Fault> {
        let seal = |what, text: &Option<String>| {
            text.as_ref().map(|text| self.seal_for(account, what, text.as_bytes())).transpose()
        };
        Ok(Profile {
            display_name: seal(DISPLAY_NAME, &introduction.display_name)?,
            avatar_url: seal(AVATAR_URL, &introduction.avatar_url)?,
            locale: None,
        })
    }

    pub(super) fn sealed_password(
        &self,
        account: AccountId,
        hash: Option<&Secret<String>>,
    ) -> Result<Option<Sealed>, Fault> {
        hash.map(|hash| self.seal_for(account, PASSWORD, hash.expose().as_bytes())).transpose()
    }

    fn profile(&self, account: AccountId, device: &DeviceClaim) -> Result<DeviceProfile, Fault> {
        let push_token = device.push_token.as_ref();
        Ok(DeviceProfile {
            platform: device.platform,
            name: self.seal_for(account, DEVICE_NAME, device.name.as_bytes())?,
            model: device.model.clone(),
            os: device.os.clone(),
            app_version: device.app_version.clone(),
            push_token: push_token
                .map(|token| self.seal_for(account, PUSH_TOKEN, token.expose().as_bytes()))
                .transpose()?,
        })
    }
}

/// A step that does the same when it is done twice, once more when its answer was lost. Not after a time-out:
/// nobody waits that long twice.
pub(super) async fn again_if_lost<T>(step: impl AsyncFn() -> Result<T, Fault>) -> Result<T, Fault> {
    match step().await {
        Err(fault) if fault != OBJECT_TIMED_OUT => step().await,
        result => result,
    }
}

/// Each reason to begin again comes once: evidence, an import that was broken off, a number that was given up.
const TRIES: u32 = 5;
