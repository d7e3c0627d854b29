//! Journeys in the in-memory world: the stories users, backends and operators would tell, through the HTTP
//! contract, with whatever can break broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

#[path = "../world/mod.rs"]
mod world;

mod account_support;
mod api_keys;
mod approval_notices;
mod attestation;
mod backend;
mod binding;
mod binding_protocol;
mod check;
mod coming_back;
mod cookies;
mod cors;
mod crash;
mod device_key;
mod emails;
mod evidence;
mod identities;
mod import;
mod introspection;
mod isolation;
mod kept;
mod login;
mod login_protection;
mod lost_answers;
mod money;
mod notices;
mod number_races;
mod numbers;
mod otp;
mod outbox;
mod own_profile;
mod password_budget;
mod password_login;
mod passwords;
mod privacy;
mod proof_renewal;
mod protection_attacks;
mod protocol;
mod provider_answers;
mod race;
mod rebinding_protocol;
mod recycled;
mod repeat;
mod sealed_reply;
mod session;
mod sessions;
mod strangers;
mod supplied;
mod takeover;
mod trusted_phones;
mod waiting;
