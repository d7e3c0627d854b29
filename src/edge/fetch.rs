//! Outgoing HTTP.

use futures_util::StreamExt;
use worker::{AbortSignal, Fetch, Request, Response, js_sys::Uint8Array, wasm_bindgen::JsValue, web_sys};

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
        let is_late = signal.aborted() || took >= u64::from(millis);
        reply.map_err(|failure| if is_late { HttpFailure::TimedOut } else { failure })
    }
}

async fn exchange(request: &HttpRequest, signal: &AbortSignal) -> Result<HttpReply, HttpFailure> {
    let body = Uint8Array::from(request.body.as_slice());
    let body = (!request.body.is_empty()).then(|| body.into());
    let broken = HttpFailure::Broken;
    let outgoing = outgoing(request.method, &request.url, &request.headers, body).ok_or(broken)?;
    let response =
        Fetch::Request(Request::from(outgoing)).send_with_signal(signal).await.map_err(|_| broken)?;
    let status = response.status_code();
    Ok(HttpReply { status, body: read(response).await.ok_or(HttpFailure::Unread)? })
}

/// A request to somebody else. Made without `worker::RequestInit`, which carries every option of Cloudflare's
/// image and cache services along.
pub(super) fn outgoing(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<JsValue>,
) -> Option<web_sys::Request> {
    let list = web_sys::Headers::new().ok()?;
    for (name, value) in headers {
        list.set(name, value).ok()?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_headers(&list);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    if let Some(body) = body {
        init.set_body(&body);
    }
    web_sys::Request::new_with_str_and_init(url, &init).ok()
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
