//! Outgoing HTTP.

use futures_util::StreamExt;
use worker::{
    AbortSignal, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response, js_sys::Uint8Array,
    web_sys,
};

use super::{clock, world::EdgeWorld};
use crate::{
    kernel::http::{HttpFailure, HttpReply, HttpRequest, MAX_REPLY_BYTES},
    ports::Http,
};

impl Http for EdgeWorld {
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, HttpFailure> {
        let millis = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX);
        // Held until the body is read: the deadline is for the whole reply.
        let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(millis));
        let started = clock::platform_millis();
        let reply = exchange(&request, &signal).await;
        let took = clock::platform_millis().saturating_sub(started);
        reply.ok_or(if signal.aborted() || took >= u64::from(millis) {
            HttpFailure::TimedOut
        } else {
            HttpFailure::Broken
        })
    }
}

async fn exchange(request: &HttpRequest, signal: &AbortSignal) -> Option<HttpReply> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.set(name, value).ok()?;
    }
    let mut init = RequestInit::new();
    init.with_method(if request.method == "GET" { Method::Get } else { Method::Post })
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual);
    if !request.body.is_empty() {
        init.with_body(Some(Uint8Array::from(request.body.as_slice()).into()));
    }
    let outgoing = Request::new_with_init(&request.url, &init).ok()?;
    let response = Fetch::Request(outgoing).send_with_signal(signal).await.ok()?;
    Some(HttpReply { status: response.status_code(), body: read(response).await? })
}

async fn read(mut response: Response) -> Option<Vec<u8>> {
    // No stream: no body.
    let Ok(mut stream) = response.stream() else { return Some(Vec::new()) };
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.ok()?);
        if bytes.len() > MAX_REPLY_BYTES {
            return None;
        }
    }
    Some(bytes)
}
