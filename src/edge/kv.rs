//! KV, within a time.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use worker::Delay;

use super::world::EdgeWorld;

/// Time for an answer of KV. Where it matters there is another way to go on without one.
const DEADLINE: Duration = Duration::from_secs(1);

/// The text under a key, as this place sees it. `None`: no answer in time; `Some(None)`: there is none.
pub(super) async fn text(world: &EdgeWorld, namespace: &str, key: &str) -> Option<Option<String>> {
    let read = world.env.kv(namespace).ok()?.get(key).text();
    #[cfg(feature = "test-hooks")]
    let read = async {
        world.hooks.delay(namespace).await;
        read.await
    };
    within(read).await?.ok()
}

/// What comes of it in time.
pub(super) async fn within<T>(answer: impl Future<Output = T>) -> Option<T> {
    match select(pin!(answer), Delay::from(DEADLINE)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
