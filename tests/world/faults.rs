//! Which port calls break, how, and a trace of them all.

use std::{collections::BTreeMap, future::pending, sync::Mutex};

use super::locked;

/// A port, as it stands in traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Port {
    AddressLimiter,
    Entropy,
    Counter,
    Http,
    Handle,
    Account,
    DeviceRecords,
    DeviceRead,
    EndedSessionsWrite,
    EndedSessionsRead,
    Queue,
    ChallengeWrite,
    ChallengeRead,
    ApiKeys,
    Audit,
    Index,
    Images,
    Metrics,
    PasswordHash,
    PasswordVerify,
}

/// How a call breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It fails and nothing was done.
    Before,
    /// It was carried out, but the answer was lost.
    AnswerLost,
    /// The caller's isolate dies before the call: whoever polls must drop the request.
    DiesBefore,
    /// The caller's isolate dies when the call has been carried out.
    DiesAfter,
}

/// All ways of breaking.
pub(crate) const ALL_WAYS: [Broken; 4] =
    [Broken::Before, Broken::AnswerLost, Broken::DiesBefore, Broken::DiesAfter];

/// The switches.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    trace: Vec<Port>,
    once: BTreeMap<(Port, usize), Broken>,
    always: BTreeMap<Port, Broken>,
    calls: BTreeMap<Port, usize>,
}

impl Faults {
    /// Breaks the call number `nth` of a port, counting from 0 at this moment.
    pub(crate) fn break_call(&self, port: Port, nth: usize, broken: Broken) {
        let mut inner = locked(&self.0);
        let made = inner.calls.get(&port).copied().unwrap_or_default();
        inner.once.insert((port, made + nth), broken);
    }

    /// Breaks every call of a port from now on.
    pub(crate) fn break_all(&self, port: Port, broken: Broken) {
        locked(&self.0).always.insert(port, broken);
    }

    /// Everything works again.
    pub(crate) fn mend(&self) {
        let mut inner = locked(&self.0);
        inner.once.clear();
        inner.always.clear();
    }

    /// The calls since the last look, in order.
    pub(crate) fn take_trace(&self) -> Vec<Port> {
        std::mem::take(&mut locked(&self.0).trace)
    }

    /// Notes a call that cannot break.
    pub(super) fn note(&self, port: Port) {
        self.next(port);
    }

    /// Notes a call that is carried out at once.
    pub(super) fn at_once<E>(&self, port: Port, error: E) -> Result<(), E> {
        match self.next(port) {
            None => Ok(()),
            Some(_) => Err(error),
        }
    }

    /// Notes a call and carries it out, unless it is to break.
    pub(super) async fn pass<T, E>(
        &self,
        port: Port,
        error: E,
        act: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match self.next(port) {
            None => act().await,
            Some(Broken::Before) => Err(error),
            Some(Broken::AnswerLost) => act().await.and(Err(error)),
            Some(Broken::DiesBefore) => pending().await,
            Some(Broken::DiesAfter) => {
                let _ = act().await;
                pending().await
            }
        }
    }

    fn next(&self, port: Port) -> Option<Broken> {
        let mut inner = locked(&self.0);
        inner.trace.push(port);
        let calls = inner.calls.entry(port).or_default();
        let nth = *calls;
        *calls += 1;
        inner.once.remove(&(port, nth)).or_else(|| inner.always.get(&port).copied())
    }
}
