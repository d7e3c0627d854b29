//! What others publish, kept in an isolate's memory.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use super::{clock, world::EdgeWorld};
use crate::ports::Publications;

/// Texts kept; beyond it an isolate starts anew. An issuer has two.
const KEPT: usize = 64;

thread_local! {
    static TEXTS: RefCell<BTreeMap<String, (u64, Vec<u8>)>> = const { RefCell::new(BTreeMap::new()) };
}

impl Publications for EdgeWorld {
    fn publication(&self, url: &str) -> Option<Vec<u8>> {
        let now = clock::platform_millis();
        TEXTS.with_borrow(|texts| {
            texts.get(url).filter(|(until, _)| now < *until).map(|(_, text)| text.clone())
        })
    }

    fn keep_publication(&self, url: &str, body: &[u8], time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let until = clock::platform_millis().saturating_add(millis);
        TEXTS.with_borrow_mut(|texts| {
            if texts.len() >= KEPT {
                texts.clear();
            }
            texts.insert(url.to_owned(), (until, body.to_vec()));
        });
    }
}
