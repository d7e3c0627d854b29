//! Outgoing HTTP as plain values: what a provider document asks for and what came back.

use std::{fmt, time::Duration};

/// One request to a provider. Redirects are never followed; the reply is read up to [`MAX_REPLY_BYTES`].
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Absolute URL, query included.
    pub url: String,
    /// Header names and values in sending order.
    pub headers: Vec<(String, String)>,
    /// Body, empty for none.
    pub body: Vec<u8>,
    /// Time allowed until the whole reply is read.
    pub timeout: Duration,
}

/// One reply, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// Body, whole.
    pub body: Vec<u8>,
}

/// A reply longer than this counts as unreadable: no provider's answer comes near.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// No reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFailure {
    /// The deadline passed; the provider may have acted.
    TimedOut,
    /// No connection, or it broke before anything was answered.
    Broken,
    /// An answer began, but broke off or was too long; the provider has probably acted.
    Unread,
}

// URL, headers and body carry tokens and numbers; a request may end up in an error message.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({}, {} ms)", self.method, self.timeout.as_millis())
    }
}

impl fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpReply({}, {} bytes)", self.status, self.body.len())
    }
}
