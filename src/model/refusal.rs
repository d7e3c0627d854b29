//! Why a request is not granted: the client's doing, or policy, or a provider that does not answer.

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
}

/// Another way to sign in that the client can offer at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// A code by SMS.
    Otp,
}

/// A request that is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Whole seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What to offer instead.
    pub fallback: Vec<Fallback>,
    /// Which fields are wrong, and how.
    pub fields: Vec<FieldProblem>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Its path in the body (`credential.token`).
    pub name: String,
    /// What is wrong with it, never its value.
    pub problem: String,
}

impl Refusal {
    /// A refusal with its code alone.
    pub const fn new(code: Code) -> Self {
        Self { code, retry_after: None, fallback: Vec::new(), fields: Vec::new() }
    }

    /// One-tap does not work out; the code by SMS does.
    pub fn to_otp(code: Code) -> Self {
        Self { fallback: vec![Fallback::Otp], ..Self::new(code) }
    }

    /// One field is wrong.
    pub fn field(name: &str, problem: impl Into<String>) -> Self {
        let fields = vec![FieldProblem { name: name.to_owned(), problem: problem.into() }];
        Self { fields, ..Self::new(Code::InvalidRequest) }
    }
}
