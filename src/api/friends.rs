//! `/v1/friends/...`: what somebody does for a friend who has lost the way into their account.

use serde::Serialize;

use super::{Reply, body::Fields, http::HttpIn, login, own, problem::Problem};
use crate::{
    journeys::{Service, friends::Voucher},
    model::friends::Phrase,
    ports::World,
};

/// Longest phrase read, characters: people write blanks and hyphens as they please.
pub const MAX_PHRASE: usize = 64;

/// `POST /v1/friends/confirmations`
pub(super) async fn confirm<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer {
        confirmed: bool,
    }
    let mut body = Fields::read(request)?;
    let phone = body.phone("phone");
    let phrase = body.text("phrase", MAX_PHRASE).and_then(|text| match Phrase::read(&text) {
        None => body.wrong("phrase", "must be the twelve characters that your friend was shown"),
        phrase => phrase,
    });
    let (phone, phrase) = body.finish(phone.zip(phrase))?;
    let (doer, proof) = (own::doer(service.settings, request)?, login::proof(request));
    let from = Voucher { doer, proof: proof.as_ref(), address: &request.address };
    service.vouch(&from, &phone, &phrase).await?;
    login::json(&Answer { confirmed: true })
}
