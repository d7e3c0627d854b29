//! Floor 1: facts and the state machines that hold them.
//!
//! A machine is a pure function `apply(state, operation, now) -> outcome`; the Durable Objects and the in-memory
//! world of the tests run the same ones. Nothing here knows storage, HTTP or JSON values.

pub mod account;
pub mod api_key;
pub mod audit;
pub mod binding;
pub mod carrier;
pub mod case;
pub mod challenge;
pub mod counter;
pub mod device;
pub mod device_key;
pub mod device_trust;
pub mod evidence;
pub mod fact;
pub mod friends;
pub mod handle;
pub mod identity_state;
pub mod language;
pub mod login;
pub mod login_history;
pub mod network;
pub mod notice;
pub mod object;
pub mod otp;
pub mod otp_purpose;
pub mod outbox;
pub mod owner_proof;
pub mod platform;
pub mod pumping;
pub mod questions;
pub mod recycling;
pub mod refusal;
pub mod session;
pub mod step_up;
pub mod ticket;
