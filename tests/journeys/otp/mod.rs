//! Codes by SMS.

mod budgets;
mod failures;
mod fallback;
mod kv;
mod login;
mod own_devices;
mod providers;
mod pumping;
mod races;
mod repeats;
mod screening;
mod secrecy;

use crate::world::World;

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";

/// Sends a code and returns its challenge and the code that arrived.
fn send(world: &World, phone: &str) -> (String, String) {
    let challenge = world.send_otp(phone).send().challenge();
    (challenge, world.phones.code(phone))
}

/// A code that is not this one.
fn not(code: &str) -> &'static str {
    if code.starts_with('0') { "10000000" } else { "00000000" }.split_at(code.len()).0
}
