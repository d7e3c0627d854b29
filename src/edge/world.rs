//! The world as it is on Cloudflare.

use std::{cell::RefCell, time::Duration};

use worker::{Delay, Env, console_log};

use super::{clock, config, js, log};
use crate::{
    api::http::HttpIn,
    kernel::{address::Origin, fault::Fault, time::Timestamp},
    ports::{AddressLimiter, Clock, Entropy, GuardTurn, Metrics, ProviderCall},
};

/// The platform's services for one request or one alarm.
pub(super) struct EdgeWorld {
    pub(super) env: Env,
    skew_seconds: i64,
    calls: RefCell<Vec<ProviderCall>>,
    #[cfg(feature = "test-hooks")]
    pub(super) hooks: super::hooks::Hooks,
}

impl EdgeWorld {
    #[cfg_attr(
        not(feature = "test-hooks"),
        allow(unused_variables, reason = "only the hooks look at the request")
    )]
    pub(super) fn new(env: Env, skew_seconds: i64, request: &HttpIn) -> Self {
        Self {
            #[cfg(feature = "test-hooks")]
            hooks: super::hooks::Hooks::of(request),
            ..Self::without_request(env, skew_seconds)
        }
    }

    pub(super) fn without_request(env: Env, skew_seconds: i64) -> Self {
        Self {
            env,
            skew_seconds,
            calls: RefCell::default(),
            #[cfg(feature = "test-hooks")]
            hooks: super::hooks::Hooks::default(),
        }
    }

    /// The calls of providers so far, for the log.
    pub(super) fn take_calls(&self) -> Vec<ProviderCall> {
        self.calls.take()
    }
}

impl Clock for EdgeWorld {
    fn now(&self) -> Timestamp {
        clock::service_time(self.skew_seconds)
    }

    async fn pause(&self, time: Duration) {
        Delay::from(time).await;
    }
}

impl Entropy for EdgeWorld {
    #[expect(clippy::disallowed_methods, reason = "the entropy that the port hands on")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        getrandom::fill(bytes).map_err(|_| Fault::new("no_entropy"))
    }
}

impl Metrics for EdgeWorld {
    fn provider_called(&self, call: ProviderCall) {
        self.calls.borrow_mut().push(call);
    }

    fn guard_turned(&self, turn: GuardTurn) {
        log::guard(&turn);
    }

    fn fault_passed_over(&self, fault: Fault) {
        log::fault("passed_over", fault);
    }

    fn show_message(&self, text: &str) {
        console_log!("{text}");
    }
}

impl AddressLimiter for EdgeWorld {
    // A coarse filter against floods from one place. When it fails it lets pass: refusing everybody is worse.
    async fn admits(&self, address: &str) -> bool {
        let Origin { site, network, address } = Origin::of(address);
        // An IPv6 customer has a whole network, an IPv4 one an address.
        let place = format!("{site}.{}", network.unwrap_or(address));
        let asked = async {
            let limiter = js::get(&self.env, config::ADDRESS_LIMITER)?;
            let outcome = js::ask(&limiter, "limit", &[js::object(&[("key", place.into())])?]).await?;
            js::get(&outcome, "success")?.as_bool()
        };
        asked.await.unwrap_or(true)
    }
}
