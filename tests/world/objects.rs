//! Objects as the platform keeps them: JSON by kind and name, one operation at a time, an alarm each.

use std::{collections::BTreeMap, sync::Mutex};

use onetap::{
    journeys::Service,
    kernel::time::Timestamp,
    model::{
        account::Account,
        counter::Counter,
        handle::Handle,
        object::{Document, Machine},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{World, locked};

/// The classes of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Handle,
    Account,
    Counter,
}

/// The name of one object.
pub(crate) type Key = (Kind, String);

/// All objects.
#[derive(Default)]
pub(crate) struct Objects(Mutex<BTreeMap<Key, Stored>>);

#[derive(Default)]
struct Stored {
    json: String,
    alarm: Option<Timestamp>,
}

impl Objects {
    /// Carries out one operation, from JSON to JSON.
    pub(super) fn apply<M>(&self, key: &Key, operation: &M::Operation, now: Timestamp) -> M::Outcome
    where
        M: Machine + Serialize + DeserializeOwned,
        M::Operation: Serialize + DeserializeOwned,
        M::Outcome: Serialize + DeserializeOwned,
    {
        let operation = again(operation);
        let mut objects = locked(&self.0);
        let stored = objects.entry(key.clone()).or_default();
        let mut document: Document<M> = read(&stored.json);
        let outcome = document.apply(operation, now);
        stored.write(&document);
        if stored.json.is_empty() {
            objects.remove(key);
        }
        drop(objects);
        again(&outcome)
    }

    /// The states of the objects of a kind by name.
    pub(crate) fn states(&self, kind: Kind) -> BTreeMap<String, Value> {
        let objects = locked(&self.0);
        let of_kind = objects.iter().filter(|((known, _), _)| *known == kind);
        of_kind
            .map(|((_, name), stored)| (name.clone(), serde_json::from_str(&stored.json).unwrap()))
            .collect()
    }

    /// Everything persisted, as it stands in storage.
    pub(crate) fn stored(&self) -> Vec<(String, String)> {
        let objects = locked(&self.0);
        objects.iter().map(|((_, name), stored)| (name.clone(), stored.json.clone())).collect()
    }

    /// Puts a text among the objects, to see whether a search finds it.
    pub(crate) fn plant(&self, name: &str, text: &str) {
        self.with(&(Kind::Counter, name.to_owned()), |stored| text.clone_into(&mut stored.json));
    }

    /// When the next alarm is due.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        locked(&self.0).values().filter_map(|stored| stored.alarm).min()
    }

    /// Runs alarms until none is due.
    pub(super) async fn run_alarms(&self, service: Service<'_, World>) {
        use onetap::ports::Clock;
        while let Some(key) = self.due_alarm(service.world.now()) {
            match key.0 {
                Kind::Handle => self.wake::<Handle>(&key, service).await,
                Kind::Account => self.wake::<Account>(&key, service).await,
                Kind::Counter => self.wake::<Counter>(&key, service).await,
            }
        }
    }

    // An alarm stays set until it has run to its end: one that died runs again.
    fn due_alarm(&self, now: Timestamp) -> Option<Key> {
        let objects = locked(&self.0);
        let due = objects.iter().find(|(_, stored)| stored.alarm.is_some_and(|at| at <= now));
        due.map(|(key, _)| key.clone())
    }

    // The steps of an alarm at the edge: forget the object if it is over, else deliver, read again, settle.
    async fn wake<M>(&self, key: &Key, service: Service<'_, World>)
    where
        M: Machine + Serialize + DeserializeOwned,
    {
        use onetap::ports::Clock;
        let now = service.world.now();
        let mut document = self.with(key, |stored| read::<M>(&stored.json));
        if document.tidy(now) {
            locked(&self.0).remove(key);
            return;
        }
        let delivery = service.deliver(document.due(now)).await;
        let failed: Vec<u64> = delivery.failed.iter().map(|(id, _)| *id).collect();
        let is_over = self.with(key, |stored| {
            let mut document: Document<M> = read(&stored.json);
            document.settle(&delivery.delivered, &failed, now);
            let is_over = document.tidy(now);
            stored.write(&document);
            is_over
        });
        if is_over {
            locked(&self.0).remove(key);
        }
    }

    fn with<T>(&self, key: &Key, act: impl FnOnce(&mut Stored) -> T) -> T {
        act(locked(&self.0).entry(key.clone()).or_default())
    }
}

impl Stored {
    fn write<M: Machine + Serialize>(&mut self, document: &Document<M>) {
        let json = serde_json::to_string(document).unwrap();
        // As at the edge: looking at an object does not make one.
        if !self.json.is_empty() || json != serde_json::to_string(&Document::<M>::empty()).unwrap() {
            self.json = json;
        }
        self.alarm = document.wake_at();
    }
}

fn read<M: Machine + DeserializeOwned>(json: &str) -> Document<M> {
    if json.is_empty() {
        return Document::empty();
    }
    let document: Document<M> = serde_json::from_str(json).unwrap();
    assert!(document.is_known_version());
    document
}

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}
