//! TLS in front of the service, under the names of a deployment, and the pages of three hosts beside it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
};
use axum_server::{Handle, tls_openssl::OpenSSLConfig};
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    x509::X509,
};
use tokio::{sync::Barrier, time::timeout};

use crate::{client::http, leaks, stack::lock, tokens::REFRESH};

/// The service.
pub(crate) const SERVICE: &str = "id.shop.example";
/// Its shop, which may use cookies.
pub(crate) const SHOP: &str = "https://www.shop.example";
/// Of the same site, but nobody's any more.
pub(crate) const FORGOTTEN: &str = "https://old.shop.example";
/// Of another site.
pub(crate) const EVIL: &str = "https://evil.example";

/// Longer than a second tab takes to send its request.
const SECOND_TAB: Duration = Duration::from_secs(10);

/// Every page is the same: a way to call the service.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>page</title><script>
async function call(method, path, body, type = 'application/json', mode = 'cors') {
  const headers = body === undefined ? {} : { 'content-type': type };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = { method, mode, headers, body: text, credentials: 'include' };
  const answer = await fetch('https://id.shop.example' + path, options);
  return { status: answer.status, text: await answer.text() };
}
</script>";

/// A running front.
pub(crate) struct Front {
    /// Where it listens.
    pub(crate) port: u16,
    passed: Passed,
    handle: Handle<SocketAddr>,
}

/// A request that reached the service, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) origin: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) cookies: String,
    pub(crate) status: u16,
    pub(crate) set: Vec<String>,
}

type Passed = Arc<Mutex<Vec<Pass>>>;

#[derive(Clone)]
struct Behind {
    service: String,
    passed: Passed,
    /// The shop's refreshes pass in pairs, so that neither has seen the other's answer.
    pair: Arc<Barrier>,
}

impl Front {
    /// Starts one before the service at a base URL.
    pub(crate) async fn start(service: &str) -> Self {
        let (passed, handle) = (Passed::default(), Handle::new());
        let pair = Arc::new(Barrier::new(2));
        let behind = Behind { service: service.to_owned(), passed: Arc::clone(&passed), pair };
        let router = Router::new().fallback(answer).with_state(behind);
        let server = axum_server::bind_openssl(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), certificate());
        tokio::spawn(server.handle(handle.clone()).serve(router.into_make_service()));
        let port = handle.listening().await.unwrap().port();
        Self { port, passed, handle }
    }

    /// What passed since this was last asked.
    pub(crate) fn take_passed(&self) -> Vec<Pass> {
        std::mem::take(&mut *lock(&self.passed))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn answer(State(behind): State<Behind>, request: Request) -> Response {
    if text(request.headers(), "host") != SERVICE {
        return Html(PAGE).into_response();
    }
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.to_string(), head.uri.to_string());
    let (origin, cookies) = (text(&head.headers, "origin"), text(&head.headers, "cookie"));
    if method == "POST" && path == REFRESH && origin == SHOP {
        timeout(SECOND_TAB, behind.pair.wait()).await.expect("a second tab refreshes too");
    }
    let mut headers = head.headers;
    headers.remove(header::HOST);
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let asked = http().request(head.method, format!("{}{path}", behind.service)).headers(headers).body(body);
    let answered = asked.send().await.unwrap();
    let status = answered.status();
    let headers = answered.headers().clone();
    let set: Vec<String> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect();
    set.iter().for_each(|cookie| note(cookie));
    lock(&behind.passed).push(Pass { origin, method, path, cookies, status: status.as_u16(), set });
    let mut response = Response::new(Body::from(answered.bytes().await.unwrap()));
    *response.status_mut() = status;
    for (name, value) in headers.iter().filter(|(name, _)| *name != header::TRANSFER_ENCODING) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

/// Tokens in cookies are as secret as those in bodies.
fn note(cookie: &str) {
    let (name, rest) = cookie.split_once('=').unwrap();
    let value = rest.split(';').next().unwrap();
    let kind = match name {
        "__Host-onetap-access" => "access token",
        "__Host-onetap-refresh" => "refresh token",
        "__Host-onetap-device" => "device token",
        other => panic!("a cookie {other}"),
    };
    if !value.is_empty() {
        leaks::note(kind, value);
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

/// Signed by itself: the browser is told to take any.
fn certificate() -> OpenSSLConfig {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = certificate.build().to_der().unwrap();
    OpenSSLConfig::from_der(&certificate, &key.private_key_to_der().unwrap()).unwrap()
}
