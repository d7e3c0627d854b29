//! Delivery receipts: what providers say became of messages they took.

use super::{Failure, Service};
use crate::{kernel::digest::is_equal, model::refusal::Code, ports::World, providers};

/// What a provider pushed.
#[derive(Debug)]
pub struct Push<'a> {
    /// Its id, from the URL.
    pub provider: &'a str,
    /// The secret part of the URL.
    pub token: &'a str,
    /// Content type of the body.
    pub content_type: &'a str,
    /// Query of the URL.
    pub query: &'a str,
    /// Body.
    pub body: &'a [u8],
}

impl<W: World> Service<'_, W> {
    /// Books receipts as health of their provider and returns what it wants to hear: content type and body.
    ///
    /// # Errors
    /// `not_found` for a wrong token or a provider that pushes none, `invalid_request` for what cannot be read.
    pub async fn receive_receipts(&self, push: &Push<'_>) -> Result<(&'static str, &'static str), Failure> {
        let token = self.settings.receipt_token.as_ref().ok_or(Code::NotFound)?;
        if !is_equal(token.expose(), push.token) {
            return Err(Code::NotFound.into());
        }
        let document = providers::find(push.provider).ok_or(Code::NotFound)?;
        let (content_type, reply) = document.receipt_reply().ok_or(Code::NotFound)?;
        let receipts =
            document.receipts(push.content_type, push.query, push.body).ok_or(Code::InvalidRequest)?;
        let [delivered, undelivered] = [true, false].map(|whether| {
            let such = receipts.iter().filter(|receipt| receipt.delivered == whether).count();
            u64::try_from(such).unwrap_or(u64::MAX)
        });
        if !receipts.is_empty() {
            self.note_receipts(push.provider, delivered, undelivered).await?;
        }
        Ok((content_type, reply))
    }
}
