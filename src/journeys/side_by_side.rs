//! Several calls at once.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// A call that leaves its answer where whoever asks finds it.
pub(super) type Asking<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Waits for all of them. Boxed and without a value, so that it is compiled once, which keeps it small.
pub(super) async fn all(mut calls: Vec<Asking<'_>>) {
    poll_fn(move |context| {
        calls.retain_mut(|call| call.as_mut().poll(context).is_pending());
        if calls.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
