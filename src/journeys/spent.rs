//! What a request has spent that is good only once, and what that leaves to do however the request ends.

use super::claim::Claim;
use crate::kernel::{phone::PhoneNumber, time::Timestamp};

/// What a request has spent. The answer, whatever it says, is kept under the claims, and the guards hear of the codes.
#[derive(Debug, Default)]
pub struct Spent {
    /// Claims on credentials of carriers and third parties.
    pub claims: Vec<Claim>,
    /// Codes that were sent by SMS.
    pub codes: Vec<SpentCode>,
}

/// A code that came back, and counts in the guards against pumping.
#[derive(Debug)]
pub struct SpentCode {
    pub(super) phone: PhoneNumber,
    pub(super) sent_at: Timestamp,
}
