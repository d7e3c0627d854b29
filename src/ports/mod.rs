//! Floor 3: what the journeys ask of the outside, as traits. Implemented by `edge` on Cloudflare and by the
//! in-memory world of the tests.
//!
//! Futures need not be `Send`: a Worker has one thread.
#![allow(async_fn_in_trait)]

use std::time::Duration;

use crate::{
    kernel::{
        fault::Fault,
        http::{HttpFailure, HttpReply, HttpRequest},
        id::{AccountId, ChallengeId, SessionId},
        password::{Password, PasswordHash, SALT_BYTES},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        account, api_key::ApiKey, audit::AuditEntry, case::CaseRow, challenge, counter, device::DeviceRecord,
        handle, handle::HandleName, notice::Notice,
    },
};

/// An object did not answer in time.
pub const OBJECT_TIMED_OUT: Fault = Fault::new("object_timed_out");

/// Service time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits; only for what others do meanwhile: a repeat's first request, the answer of a trusted device.
    async fn pause(&self, time: Duration);
}

/// Random bytes from the platform's generator.
pub trait Entropy {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`Fault`]: the platform gives none; nothing may be made without.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;
}

/// Outgoing HTTP.
pub trait Http {
    /// Sends one request, once. Redirects are answers.
    ///
    /// # Errors
    /// [`HttpFailure`]; the provider may have acted all the same.
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, HttpFailure>;
}

/// The objects that hold identifiers.
pub trait Handles {
    /// One operation on the handle of that name.
    ///
    /// # Errors
    /// [`Fault`]: no answer; the operation may have been carried out.
    async fn handle(&self, name: &HandleName, operation: handle::Operation)
    -> Result<handle::Outcome, Fault>;
}

/// The objects that hold people.
pub trait Accounts {
    /// One operation on that account.
    ///
    /// # Errors
    /// [`Fault`]: no answer; the operation may have been carried out.
    async fn account(&self, id: AccountId, operation: account::Operation) -> Result<account::Outcome, Fault>;
}

/// The objects that count and claim.
pub trait Counters {
    /// One operation on the counter of that name.
    ///
    /// # Errors
    /// [`Fault`]: no answer; the operation may have been carried out.
    async fn counter(&self, name: &str, operation: counter::Operation) -> Result<counter::Outcome, Fault>;
}

/// The edge copies of device records.
pub trait DeviceRecords {
    /// Writes the copy of the device whose token has this digest.
    ///
    /// # Errors
    /// [`Fault`]: not written.
    async fn publish_device(&self, token_digest: &str, record: &DeviceRecord) -> Result<(), Fault>;

    /// Deletes the copy.
    ///
    /// # Errors
    /// [`Fault`]: it may still be there.
    async fn retract_device(&self, token_digest: &str) -> Result<(), Fault>;

    /// The copy of the device whose token has this digest, as this place sees it: perhaps an older one, perhaps
    /// none yet.
    ///
    /// # Errors
    /// [`Fault`]: not known whether there is one.
    async fn device(&self, token_digest: &str) -> Result<Option<DeviceRecord>, Fault>;
}

/// The edge copy of which sessions were ended.
pub trait EndedSessions {
    /// Notes that a session was ended; it need not be known after `until`.
    ///
    /// # Errors
    /// [`Fault`]: not noted.
    async fn publish_end(&self, session: SessionId, until: Timestamp) -> Result<(), Fault>;

    /// Whether it was, as this place sees it: it may learn of it a minute later.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    async fn has_ended(&self, session: SessionId) -> Result<bool, Fault>;
}

/// The queue of notices. What it takes it brings at least once, several at a time, in no order.
pub trait NoticeQueue {
    /// Takes a notice.
    ///
    /// # Errors
    /// [`Fault`]: perhaps not taken.
    async fn enqueue(&self, notice: &Notice) -> Result<(), Fault>;
}

/// The records of codes on their way.
pub trait Challenges {
    /// Writes a record, once.
    ///
    /// # Errors
    /// [`Fault`]: not known to be written.
    async fn record_challenge(&self, id: ChallengeId, record: &challenge::Record) -> Result<(), Fault>;

    /// The record, as this place sees it: one that was just written may not be visible for a minute.
    ///
    /// # Errors
    /// [`Fault`]: not known whether there is one.
    async fn challenge(&self, id: ChallengeId) -> Result<Option<challenge::Record>, Fault>;
}

/// The back office: index, API keys, audit. Never on the login path.
pub trait BackOffice {
    /// The API key stored under a digest, if it is in force.
    ///
    /// # Errors
    /// [`Fault`]: not known whether there is one.
    async fn api_key(&self, digest: &str) -> Result<Option<ApiKey>, Fault>;

    /// Records an action. Returns only when it is stored.
    ///
    /// # Errors
    /// [`Fault`]: not recorded; the action must not happen.
    async fn audit(&self, entry: AuditEntry) -> Result<(), Fault>;

    /// Notes that an account exists and when it was last used.
    ///
    /// # Errors
    /// [`Fault`]: not noted.
    async fn index_account(
        &self,
        account: AccountId,
        created_at: Timestamp,
        last_login_at: Timestamp,
    ) -> Result<(), Fault>;

    /// Notes that an account is no more.
    ///
    /// # Errors
    /// [`Fault`]: not noted.
    async fn unindex_account(&self, account: AccountId) -> Result<(), Fault>;

    /// Notes how far a case is. An older word than the last one is ignored.
    ///
    /// # Errors
    /// [`Fault`]: not noted.
    async fn index_case(&self, row: &CaseRow) -> Result<(), Fault>;

    /// Up to `most` cases of a state behind the one of that number, in the order in which they were opened.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    async fn cases(&self, state: &str, after: u64, most: u32) -> Result<Vec<(u64, CaseRow)>, Fault>;
}

/// Images of cases, sealed for their accounts.
pub trait CaseImages {
    /// Keeps one under a key that was drawn for it, until then.
    ///
    /// # Errors
    /// [`Fault`]: not known to be kept.
    async fn put_image(&self, key: &str, image: &Sealed, until: Timestamp) -> Result<(), Fault>;

    /// The one under a key, as this place sees it.
    ///
    /// # Errors
    /// [`Fault`]: not known whether there is one.
    async fn image(&self, key: &str) -> Result<Option<Sealed>, Fault>;

    /// Deletes it.
    ///
    /// # Errors
    /// [`Fault`]: it may still be there.
    async fn drop_image(&self, key: &str) -> Result<(), Fault>;
}

/// A cheap, approximate cap on requests per address, before anything else is asked.
pub trait AddressLimiter {
    /// Whether one more request from this address may pass.
    async fn admits(&self, address: &str) -> bool;
}

/// What operators see. Carries no personal data.
pub trait Metrics {
    /// A provider was asked.
    fn provider_called(&self, call: ProviderCall);

    /// The pumping guard opens or closes a prefix or a country.
    fn guard_turned(&self, turn: GuardTurn);

    /// A step failed on which the answer does not depend.
    fn fault_passed_over(&self, fault: Fault);

    /// Shows a message in place of sending it; never called but under the development flag that asks for it.
    fn show_message(&self, text: &str);
}

/// A change of the pumping guard, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardTurn {
    /// Prefix of numbers, or country code.
    pub scope: String,
    /// What it lets through from now on.
    pub level: &'static str,
}

/// How a call to a provider went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCall {
    /// Provider id.
    pub provider: String,
    /// Capability asked for.
    pub capability: &'static str,
    /// `ok`, `mismatch`, `rejected`, `limited`, `unavailable`, `account_fault`; `not_set_up`: nobody was asked.
    pub outcome: &'static str,
    /// The provider's own code, or one of ours where it gave none (`timed_out`, `unreadable`, ...).
    pub vendor_code: Option<String>,
    /// Milliseconds it took.
    pub millis: u64,
}

impl ProviderCall {
    /// A message that nobody was asked to send, and why.
    pub fn unsent(instead: &str) -> Self {
        Self { provider: instead.to_owned(), capability: "sms", outcome: "ok", vendor_code: None, millis: 0 }
    }
}

/// Cryptography that the platform does better than code of ours: smaller by far, and faster.
pub trait Signatures {
    /// Whether an ECDSA signature (P-256, SHA-256; r and s, 32 bytes each) over a message is that of a public key,
    /// an uncompressed point. A key that is none has signed nothing.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    async fn verify_p256(&self, key: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> Result<bool, Fault>;

    /// The same for RSASSA-PKCS1-v1_5 with SHA-256. The key is modulus and exponent, both in base64url as in a JWK.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    async fn verify_rsa(
        &self,
        modulus: &str,
        exponent: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault>;
}

/// What others publish about themselves, kept where the request runs so that it need not be fetched each time. Nothing in it
/// is a secret, and whoever finds nothing fetches it.
pub trait Publications {
    /// What was kept of a URL, if its time is not over.
    fn publication(&self, url: &str) -> Option<Vec<u8>>;

    /// Keeps it for a while.
    fn keep_publication(&self, url: &str, body: &[u8], time: Duration);
}

/// Hashing of passwords, which is slow on purpose: others have their turn before each hash, and in between.
pub trait Passwords {
    /// A text in Unicode's normal form NFKC.
    fn nfkc(&self, text: &str) -> String;

    /// Hashes a password. The salt is drawn for it alone.
    ///
    /// # Errors
    /// [`Fault`]: no memory for it.
    async fn hash_password(&self, password: &Password, salt: [u8; SALT_BYTES])
    -> Result<PasswordHash, Fault>;

    /// Whether this is the password that was hashed. Without a hash it does the work all the same, and it is not.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    async fn verify_password(&self, hash: Option<&PasswordHash>, password: &Password) -> Result<bool, Fault>;

    /// Whether it is hashed as [`Passwords::hash_password`] does now; else it is to be replaced at the next login.
    fn is_current(&self, hash: &PasswordHash) -> bool;
}

/// Everything at once: what a journey runs in.
pub trait World:
    Clock
    + Entropy
    + Http
    + Handles
    + Accounts
    + Counters
    + Challenges
    + DeviceRecords
    + EndedSessions
    + NoticeQueue
    + BackOffice
    + CaseImages
    + AddressLimiter
    + Metrics
    + Signatures
    + Passwords
    + Publications
{
}

impl<T> World for T where
    T: Clock
        + Entropy
        + Http
        + Handles
        + Accounts
        + Counters
        + Challenges
        + DeviceRecords
        + EndedSessions
        + NoticeQueue
        + BackOffice
        + CaseImages
        + AddressLimiter
        + Metrics
        + Signatures
        + Passwords
        + Publications
{
}
