//! What a request has spent that is good only once, and what that leaves to do however the request ends.

use super::{Service, claim::Claim};
use crate::{
    kernel::{fault::Fault, phone::PhoneNumber, time::Timestamp},
    ports::World,
};

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

impl<W: World> Service<'_, W> {
    /// Tells the guards of a code that came back. Our own trouble afterwards must not look like pumping.
    ///
    /// # Errors
    /// [`Fault`]: a guard takes the code for lost.
    pub async fn note_spent(&self, code: SpentCode) -> Result<(), Fault> {
        self.note_redeemed(&code.phone, code.sent_at).await
    }
}
