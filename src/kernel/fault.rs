//! Faults: what went wrong on our side of the wire.

use std::fmt;

/// A failure that is ours (storage, keys, a broken invariant), never the client's and never a provider's.
///
/// Carries a stable snake_case code and nothing else: a fault is logged, so it must not be able to hold
/// a number, token or code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    code: &'static str,
}

impl Fault {
    /// A fault with its code, a snake_case literal.
    pub const fn new(code: &'static str) -> Self {
        Self { code }
    }

    /// The code, for logs and metrics.
    pub const fn code(self) -> &'static str {
        self.code
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl std::error::Error for Fault {}
