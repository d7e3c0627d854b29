//! From a proven number to a session: the part that all ways of proving a number share.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenProof, needs_key},
    session::Tokens,
    step_up::StepUp,
};
use crate::{
    kernel::{
        device_proof::PublicKey,
        digest::derive,
        fault::Fault,
        id::{AccountId, DeviceId, SessionId, TicketId},
        phone::PhoneNumber,
        seal::{NONCE_BYTES, Sealed, open, seal},
        secret::Secret,
        token::DeviceToken,
    },
    model::{
        account::{Operation, Outcome, Phone, SignIn},
        device::{DeviceProfile, Presented, Trust},
        handle,
        handle::HandleName,
        login::Method,
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
    pub proof: Option<GivenProof>,
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
    /// App id.
    pub app: &'a str,
    /// Version of the terms the user agreed to.
    pub consent: Option<&'a str>,
    /// The device.
    pub device: &'a DeviceClaim,
    /// Where it is.
    pub place: &'a Place,
}

/// What the ids and the device token of a sign-in are drawn from. The same seed leads to the same sign-in, so a
/// step whose answer was lost can be repeated.
#[derive(Debug)]
pub(super) struct Seed(Secret<[u8; 32]>);

impl Seed {
    pub(super) const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    fn draw(&self, what: &str) -> [u8; 16] {
        derive(self.0.expose(), what).first_chunk().copied().unwrap_or_default()
    }
}

/// Somebody is in.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: AccountId,
    /// It did not exist before.
    pub is_new: bool,
    /// The number proven.
    pub phone: PhoneNumber,
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
    /// Signs the holder of a proven number in, creating the account at the first time.
    pub(super) async fn sign_in(
        &self,
        phone: PhoneNumber,
        method: Method,
        purpose: &Purpose<'_>,
        presented: Presented,
        seed: &Seed,
    ) -> Result<Entry, Failure> {
        // 1. Whose number is it? Nobody's: a fresh account id takes it, for good.
        let name = HandleName::of_phone(&self.settings.digest, &phone);
        let candidate = AccountId::from_bytes(seed.draw("account"));
        let resolve = handle::Operation::Resolve { candidate };
        let resolved = again_if_lost(async || self.world.handle(&name, resolve.clone()).await).await?;
        let handle::Outcome::Held(holder) = resolved else { return Err(UNEXPECTED_OUTCOME.into()) };
        // 2. One call to the account signs in. It creates what is missing, so a crash between 1 and 2 is mended
        //    by the next sign-in.
        let id = holder.account;
        let new_token = DeviceToken::from_entropy(seed.draw("device token"));
        let number = self.seal_for(id, PHONE, phone.e164().as_bytes())?;
        let rules = self.settings.account_rules();
        let sign_in = SignIn {
            account: id,
            phone: Phone { handle: name, number, since: holder.since },
            method,
            app: purpose.app.to_owned(),
            consent: purpose.consent.map(str::to_owned),
            session: SessionId::from_bytes(seed.draw("session")),
            presented,
            new_device: (DeviceId::from_bytes(seed.draw("device")), new_token.digest()),
            ticket: TicketId::from_bytes(seed.draw("ticket")),
            profile: self.profile(id, purpose.device)?,
            place: purpose.place.clone(),
            rules,
        };
        let sign_in = Operation::SignIn(Box::new(sign_in));
        let outcome = again_if_lost(async || self.world.account(id, sign_in.clone()).await).await?;
        let new_token = || Secret::new(new_token.write(&self.settings.mac));
        let (is_new, session, device, token_issued) = match outcome {
            Outcome::SignedIn { is_new, session, device, token_issued, .. } => {
                (is_new, session, device, token_issued)
            }
            Outcome::Waits(waiting) => {
                let issued = waiting.token_issued.then(new_token);
                return self.waiting(id, &waiting, issued);
            }
            Outcome::NeedsKey => return Err(needs_key()),
            Outcome::Frozen => return Err(Code::AccountFrozen.into()),
            // A repeat of one that was ended since.
            Outcome::Ended { .. } => return Err(Code::SessionRevoked.into()),
            _ => return Err(UNEXPECTED_OUTCOME.into()),
        };
        // 3. Tokens. The account's outbox tells handle, index and edge copy afterwards.
        let now = self.world.now();
        let signed_in = SignedIn {
            account: id,
            is_new,
            phone,
            session: self.tokens(id, &session)?,
            device: device.id,
            trust: rules.trust.trust(device.usage, device.trusted_since, now),
            device_token: token_issued.then(new_token),
        };
        Ok(Entry::SignedIn(signed_in.into()))
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

    /// The number that an account keeps.
    pub(super) fn open_phone(&self, account: AccountId, number: &Sealed) -> Result<PhoneNumber, Fault> {
        let bytes = open(&self.settings.sealing, &context(account, PHONE), number)?;
        let text = std::str::from_utf8(bytes.expose()).map_err(|_| NOT_A_NUMBER)?;
        PhoneNumber::parse(text).map_err(|_| NOT_A_NUMBER)
    }

    pub(super) fn seal_for(&self, account: AccountId, what: &str, plain: &[u8]) -> Result<Sealed, Fault> {
        seal(&self.settings.sealing, self.fresh::<NONCE_BYTES>()?, &context(account, what), plain)
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

/// What a value of an account is sealed for: it does not open as another value, or another account's.
pub(super) fn context(account: AccountId, what: &str) -> String {
    format!("{what}:{account}")
}

/// The `what` of a device's name.
pub(super) const DEVICE_NAME: &str = "device-name";

/// The `what` of a device's push token.
pub(super) const PUSH_TOKEN: &str = "push-token";

/// The `what` of an account's number.
const PHONE: &str = "phone";

const NOT_A_NUMBER: Fault = Fault::new("sealed_number_is_none");
