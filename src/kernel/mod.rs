//! Floor 0, the stones: phone numbers, ids, time, secrets, keys, ciphers.
//!
//! Nothing here imports another room, reads a clock or draws entropy: the time and random bytes a function
//! needs are parameters. `Debug` and `Display` of everything that could carry personal data are redacted.

pub mod address;
pub mod cipher;
pub mod config;
pub mod country;
pub mod device_proof;
pub mod dice;
pub mod digest;
pub mod email;
pub mod encoding;
pub mod fault;
pub mod http;
pub mod id;
pub mod id_number;
pub mod id_token;
pub mod json;
pub mod jwt;
pub mod keys;
pub mod order;
pub mod password;
pub mod phone;
pub mod seal;
pub mod secret;
pub mod table;
pub mod time;
pub mod token;
pub mod webhook;
