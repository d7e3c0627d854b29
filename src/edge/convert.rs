//! Requests and answers between the platform's types and ours.

use futures_util::StreamExt;
use worker::{Cf, Headers, Request, Response, ResponseBuilder};

use crate::{
    api::http::{Body, HttpIn, HttpOut},
    kernel::table::Table,
    model::login_history::Place,
};

/// The headers that anything of ours looks at.
const HEADERS: &[&str] = &[
    "accept-language",
    "access-control-request-method",
    "authorization",
    "content-type",
    "dpop",
    "cookie",
    "idempotency-key",
    "origin",
    "sec-fetch-site",
    "x-onetap-device",
    "x-request-id",
    #[cfg(feature = "test-hooks")]
    super::hooks::HEADER,
];

/// Everything of a request but its body.
pub(super) fn head(request: &Request) -> HttpIn {
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let mut headers = Table::new();
    for name in HEADERS {
        if let Some(value) = header(name) {
            headers.insert((*name).to_owned(), value);
        }
    }
    // Not `request.method()`, which takes every method it does not know for GET.
    let method = request.inner().method();
    let is_head = method == "HEAD";
    let method = if is_head { "GET".to_owned() } else { method };
    let url = request.inner().url();
    let (path, query) = path_and_query(&url);
    HttpIn {
        method,
        is_head,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Body::Read(Vec::new()),
        address: header("cf-connecting-ip").unwrap_or_default(),
        place: place(request),
        id: String::new(),
    }
}

fn place(request: &Request) -> Place {
    let cf = request.cf();
    Place { country: cf.and_then(Cf::country), city: cf.and_then(Cf::city) }
}

/// The body of a request, up to `most` bytes.
pub(super) async fn body(mut request: Request, most: usize) -> Body {
    let length = request.headers().get("content-length").ok().flatten();
    let length = length.and_then(|text| text.parse::<usize>().ok());
    match request.inner().method().as_str() {
        "GET" | "HEAD" => Body::Read(Vec::new()),
        _ if length.is_some_and(|length| length > most) => Body::TooLarge,
        _ => read_body(&mut request, most).await,
    }
}

/// Makes the platform's response.
pub(super) fn response(out: HttpOut) -> Response {
    let headers = Headers::new();
    for (name, value) in &out.headers {
        // Names and values are ours or were checked; one that the platform refuses is left out.
        let _ = headers.append(name, value);
    }
    ResponseBuilder::new().with_status(out.status).with_headers(headers).fixed(out.body)
}

// The platform has parsed the URL already; a second parser would cost 40 kB.
fn path_and_query(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    let path = path.split_once('#').map_or(path, |(path, _)| path);
    path.split_once('?').unwrap_or((path, ""))
}

async fn read_body(request: &mut Request, most: usize) -> Body {
    // No stream: no body.
    let Ok(mut stream) = request.stream() else { return Body::Read(Vec::new()) };
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return Body::Broken };
        if bytes.len().saturating_add(chunk.len()) > most {
            return Body::TooLarge;
        }
        bytes.extend_from_slice(&chunk);
    }
    Body::Read(bytes)
}
