//! Floor 2: decisions as pure functions. Never async, never aware of ports or providers.

pub mod client_config;
pub mod countries;
pub mod limits;
pub mod message;
pub mod origins;
pub mod password;
pub mod redirects;
pub mod routing;
pub mod webhooks;
