//! Phone-number identity at the edge: see README.md for what it does and docs/ARCHITECTURE.md for the rooms.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod api;
pub mod journeys;
pub mod kernel;
pub mod model;
pub mod ports;
pub mod providers;
pub mod rules;

#[cfg(target_arch = "wasm32")]
mod edge;
