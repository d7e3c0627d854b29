//! `/v1/receipts/{provider}/{token}`: where SMS providers push what became of messages.

use super::{
    Reply, body,
    http::{HttpIn, HttpOut},
    problem::Problem,
};
use crate::{
    journeys::{Service, receipts::Push},
    ports::World,
};

/// `GET` or `POST /v1/receipts/{provider}/{token}`
pub(super) async fn receive<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    // Somebody only looks whether there is something: nothing was pushed.
    if request.is_head {
        return Err(Problem { allow: Some("GET, POST"), ..Problem::method_not_allowed() });
    }
    let body = body::bytes(request)?;
    let mut segments = request.path.rsplit('/');
    let token = segments.next().unwrap_or_default();
    let provider = segments.next().unwrap_or_default();
    let content_type = request.header("content-type").unwrap_or_default();
    let push = Push { provider, token, content_type, query: &request.query, body };
    let (content_type, reply) = service.receive_receipts(&push).await?;
    Ok(Reply::Ready(HttpOut::of_type(200, content_type, reply.as_bytes().to_vec())))
}
