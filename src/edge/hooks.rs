//! Faults that a test can ask for over HTTP, in test builds only: a panic, a lost answer, an object out of reach.
//!
//! The header `X-Test-Hook` names one: `panic-worker`, or `panic-`, `fail-` (before the call) or `lose-` (after
//! it) with `handles`, `accounts` or `counters`; `fail-`, `lose-`, `miss-` and `slow-challenges`: the store of
//! codes cannot be reached, loses the answer to a write, shows no record, or takes half a minute.
//!
//! `crash-N`: the Worker makes N calls of objects and the store of codes, and panics instead of the next one. Where panics
//! unwind, that request is broken off there and no other is. `meet-MILLIS`: calls of handles wait until that time (Unix
//! time, milliseconds), so that requests which come one after the other race all the same.
#![allow(clippy::panic, reason = "panics on demand are its purpose")]

use std::{cell::Cell, time::Duration};

use worker::{Delay, Request};

use super::{clock, config};
use crate::{api::http::HttpIn, kernel::fault::Fault};

pub(super) const HEADER: &str = "x-test-hook";

/// The fault asked for with a request.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    hook: String,
    calls: Cell<u64>,
}

/// Panics where the request asks for it.
pub(super) fn at_start(request: &HttpIn) {
    if request.header(HEADER) == Some("panic-worker") {
        panic!("asked for by a test");
    }
}

/// Panics in an object that was told to.
pub(super) fn in_object(request: &Request) {
    if request.headers().get(HEADER).is_ok_and(|hook| hook.is_some()) {
        panic!("asked for by a test");
    }
}

impl Hooks {
    pub(super) fn of(request: &HttpIn) -> Self {
        Self { hook: request.header(HEADER).unwrap_or_default().to_owned(), calls: Cell::default() }
    }

    pub(super) fn before_call(&self, namespace: &str) -> Result<(), Fault> {
        let made = self.calls.get();
        if self.number("crash") == Some(made) {
            panic!("asked for by a test");
        }
        self.calls.set(made.saturating_add(1));
        self.fault_if("fail", namespace)
    }

    /// Waits until the time at which all who race are to be there.
    pub(super) async fn meet(&self, namespace: &str) {
        let Some(at) = self.number("meet").filter(|_| namespace == config::HANDLES) else { return };
        let wait = at.saturating_sub(clock::platform_millis());
        if wait > 0 {
            Delay::from(Duration::from_millis(wait)).await;
        }
    }

    /// Whether a store is to show nothing.
    pub(super) fn hides(&self, namespace: &str) -> Result<bool, Fault> {
        self.before_call(namespace)?;
        Ok(self.is("miss", namespace))
    }

    /// Waits where a store is to be slow.
    pub(super) async fn delay(&self, namespace: &str) {
        if self.is("slow", namespace) {
            Delay::from(Duration::from_secs(30)).await;
        }
    }

    pub(super) fn after_call(&self, namespace: &str) -> Result<(), Fault> {
        self.fault_if("lose", namespace)
    }

    /// What to send along to an object: that it shall panic.
    pub(super) fn headers(&self, namespace: &str) -> Vec<(String, String)> {
        let panics = self.is("panic", namespace);
        panics.then(|| (HEADER.to_owned(), "panic".to_owned())).into_iter().collect()
    }

    fn fault_if(&self, kind: &str, namespace: &str) -> Result<(), Fault> {
        if self.is(kind, namespace) { Err(Fault::new("asked_for_by_a_test")) } else { Ok(()) }
    }

    fn number(&self, kind: &str) -> Option<u64> {
        let (known, number) = self.hook.split_once('-')?;
        number.parse().ok().filter(|_| known == kind)
    }

    fn is(&self, kind: &str, namespace: &str) -> bool {
        self.hook.split_once('-') == Some((kind, namespace.to_ascii_lowercase().as_str()))
    }
}
