//! The platform's clock and entropy.

use worker::Date;

use crate::kernel::time::Timestamp;

/// Milliseconds since the epoch by the platform's clock, which stands still between I/O.
#[expect(clippy::disallowed_methods, reason = "the clock that the port hands on")]
pub(super) fn platform_millis() -> u64 {
    Date::now().as_millis()
}

/// Sixteen random bytes; zeroes if the platform gives none, for uses that can live with that.
#[expect(clippy::disallowed_methods, reason = "the entropy of requests whose world could not be made")]
pub(super) fn entropy() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// Service time: the platform's, shifted.
pub(super) fn service_time(skew_seconds: i64) -> Timestamp {
    let millis = i64::try_from(platform_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(millis.saturating_add(skew_seconds.saturating_mul(1000)))
}
