//! For models over documents: states are many and documents few, so each is kept once, and each step of each is carried out
//! once and remembered.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

/// A document as it is persisted, without what is no part of the protocol. Kept once, so that one number says which.
pub(super) struct Kept<S> {
    nth: usize,
    pub(super) text: Arc<str>,
    /// What can be read off it.
    pub(super) seen: Arc<S>,
}

impl<S> Clone for Kept<S> {
    fn clone(&self) -> Self {
        Self { nth: self.nth, text: self.text.clone(), seen: self.seen.clone() }
    }
}

impl<S> PartialEq for Kept<S> {
    fn eq(&self, other: &Self) -> bool {
        self.nth == other.nth
    }
}

impl<S> Eq for Kept<S> {}

impl<S> Hash for Kept<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nth.hash(state);
    }
}

impl<S> fmt::Debug for Kept<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All documents that there were.
pub(super) struct Keeper<S>(Mutex<HashMap<String, Kept<S>>>);

impl<S> Default for Keeper<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Keeper<S> {
    pub(super) fn keep(&self, text: String, see: impl FnOnce(&str) -> S) -> Kept<S> {
        let mut kept = self.0.lock().unwrap();
        let nth = kept.len();
        let new = || Kept { nth, text: text.as_str().into(), seen: see(&text).into() };
        kept.entry(text.clone()).or_insert_with(new).clone()
    }
}

/// What was carried out before.
pub(super) type Memory<K, V> = Mutex<HashMap<K, Arc<V>>>;

pub(super) fn remember<K: Eq + Hash, V>(memory: &Memory<K, V>, key: K, work: impl FnOnce() -> V) -> Arc<V> {
    if let Some(known) = memory.lock().unwrap().get(&key) {
        return known.clone();
    }
    let worked = Arc::new(work());
    memory.lock().unwrap().insert(key, worked.clone());
    worked
}
