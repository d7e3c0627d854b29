//! KV, within a time.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use worker::Delay;

use super::{js, world::EdgeWorld};

/// Time for an answer of KV. Where it matters there is another way to go on without one.
const DEADLINE: Duration = Duration::from_secs(1);

/// The text under a key, as this place sees it. `None`: no answer in time; `Some(None)`: there is none.
pub(super) async fn text(world: &EdgeWorld, namespace: &str, key: &str) -> Option<Option<String>> {
    let kv = js::get(&world.env, namespace)?;
    let key = [key.into()];
    let read = js::ask(&kv, "get", &key);
    #[cfg(feature = "test-hooks")]
    let read = async {
        world.hooks.delay(namespace).await;
        read.await
    };
    Some(within(read).await??.as_string())
}

/// Puts a text there for so many seconds. `None`: it was not written.
pub(super) async fn put(
    world: &EdgeWorld,
    namespace: &str,
    key: &str,
    text: &str,
    seconds: u64,
) -> Option<()> {
    let kv = js::get(&world.env, namespace)?;
    let life = js::object(&[("expirationTtl", js::number(i64::try_from(seconds).ok()?))])?;
    js::ask(&kv, "put", &[key.into(), text.into(), life]).await.map(|_| ())
}

/// What comes of it in time.
pub(super) async fn within<T>(answer: impl Future<Output = T>) -> Option<T> {
    match select(pin!(answer), Delay::from(DEADLINE)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
