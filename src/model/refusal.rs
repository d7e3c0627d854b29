//! Why a request is not granted: the client's doing, or policy, or a provider that does not answer.

use serde::Serialize;

use super::login::Method;

/// A stable code of the contract, as journeys know it. HTTP statuses and texts are the API's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field is missing, malformed or unknown.
    InvalidRequest,
    /// Not a possible, or not a mobile, number.
    InvalidPhone,
    /// No, or no valid, session or key.
    Unauthenticated,
    /// The session or key may not do this.
    Forbidden,
    /// A stronger or newer proof of who this is must come first.
    ReauthenticationRequired,
    /// No such thing for this caller.
    NotFound,
    /// A cap is reached.
    RateLimited,
    /// The carrier does not vouch for the number.
    OneTapRejected,
    /// The provider cannot be asked, or its answer not be used.
    OneTapUnavailable,
    /// The first of two equal requests is still running.
    TryAgain,
    /// Same idempotency key and subject, different request.
    IdempotencyConflict,
    /// The refresh token's time is over.
    SessionExpired,
    /// The session was ended.
    SessionRevoked,
    /// The code is wrong, or no more the one that counts; nobody is told which.
    OtpIncorrect,
    /// A person must show that it is none of the bots.
    BotCheckRequired,
    /// The message cannot be sent, or not to this number.
    SmsUnavailable,
    /// The message cannot be sent, or not to this address.
    EmailUnavailable,
    /// The risk provider says no.
    RiskDenied,
    /// The step-up ticket is not one of ours, was used or is over.
    TicketInvalid,
    /// The case does not stand so that this could be done.
    CaseConflict,
    /// What was to be proven was not.
    ProofFailed,
    /// Too much was tried that was wrong: only people can help.
    ProofsExhausted,
    /// The account is frozen, or deleted.
    AccountFrozen,
    /// What was to show who this is does not; nobody is told why.
    InvalidCredentials,
    /// The identifier leads to an account already, or the account has one of its kind.
    IdentityInUse,
    /// The number leads to another account.
    PhoneInUse,
    /// Nothing else would lead to the account.
    LastIdentity,
    /// The third party that knows who this is cannot be asked, or its answer not be used.
    IdentityUnavailable,
}

/// Another way to sign in that the client can offer at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// A code by SMS.
    Otp,
    /// The carrier's one-tap.
    OneTap,
    /// Evidence that people look at.
    Appeal,
}

/// A request that is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Whole seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What to offer instead.
    pub fallback: Option<Fallback>,
    /// Which fields are wrong, and how.
    pub fields: Vec<FieldProblem>,
    /// What can be proven instead.
    pub proofs: Option<Box<[Method]>>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Its path in the body (`credential.token`).
    pub name: String,
    /// What is wrong with it, never its value.
    pub problem: String,
}

impl Refusal {
    /// A refusal with its code alone.
    pub const fn new(code: Code) -> Self {
        Self { code, retry_after: None, fallback: None, fields: Vec::new(), proofs: None }
    }

    /// Too many, or too soon.
    pub fn wait(retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Code::RateLimited) }
    }

    /// The number gets no SMS; one-tap needs none.
    pub fn to_one_tap(code: Code) -> Self {
        Self { fallback: Some(Fallback::OneTap), ..Self::new(code) }
    }

    /// One-tap does not work out; the code by SMS does.
    pub fn to_otp(code: Code) -> Self {
        Self { fallback: Some(Fallback::Otp), ..Self::new(code) }
    }

    /// Only people can help.
    pub fn to_appeal(code: Code) -> Self {
        Self { fallback: Some(Fallback::Appeal), ..Self::new(code) }
    }

    /// One field is wrong.
    pub fn field(name: &str, problem: impl Into<String>) -> Self {
        let fields = vec![FieldProblem { name: name.to_owned(), problem: problem.into() }];
        Self { fields, ..Self::new(Code::InvalidRequest) }
    }
}
