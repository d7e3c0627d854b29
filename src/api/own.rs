//! What requests about one's own account have in common.

use super::{http::HttpIn, problem::Problem};
use crate::{journeys::own_account::Doer, model::refusal::Code};

/// Who is signed in, as far as the request says.
///
/// # Errors
/// 401 without an access token.
pub(super) fn doer(request: &HttpIn) -> Result<Doer<'_>, Problem> {
    let access_token = request.bearer().ok_or(Problem::of(Code::Unauthenticated))?;
    Ok(Doer { access_token, place: &request.place })
}
