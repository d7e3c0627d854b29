//! What requests about one's own account have in common.

use super::{cookie, http::HttpIn, problem::Problem};
use crate::journeys::{fresh_proof, own_account::Doer, settings::Settings};

/// Who is signed in, as far as the request says.
///
/// # Errors
/// As [`cookie::access_token`].
pub(super) fn doer<'r>(settings: &Settings, request: &'r HttpIn) -> Result<Doer<'r>, Problem> {
    Ok(Doer { access_token: cookie::access_token(settings, request)?, place: &request.place })
}

/// The same, for a proof.
pub(super) fn from<'r>(doer: Doer<'r>, request: &'r HttpIn) -> fresh_proof::Requester<'r> {
    fresh_proof::Requester { doer, address: &request.address, request_id: &request.id }
}
