//! Objects as the platform keeps them: JSON by kind and name, one operation at a time, an alarm each.

use std::{
    any::Any,
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

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
pub(crate) struct Objects {
    all: Mutex<BTreeMap<Key, Stored>>,
    /// Between two operations objects stay as they are, and what they are told is not written down: for stories of
    /// thousands. Whoever looks at them sees JSON all the same.
    pub(crate) stay_awake: AtomicBool,
}

#[derive(Default)]
struct Stored {
    json: String,
    awake: Option<Awake>,
    alarm: Option<Timestamp>,
}

/// An object that was not written down since it was last changed.
struct Awake {
    document: Box<dyn Any + Send>,
    write: fn(&dyn Any) -> String,
}

impl Objects {
    /// Carries out one operation, from JSON to JSON.
    pub(super) fn apply<M>(&self, key: &Key, operation: &M::Operation, now: Timestamp) -> M::Outcome
    where
        M: Machine + Serialize + DeserializeOwned + Send + 'static,
        M::Operation: Serialize + DeserializeOwned + Clone,
        M::Outcome: Serialize + DeserializeOwned,
    {
        let stays_awake = self.stay_awake.load(Ordering::Relaxed);
        let operation = if stays_awake { operation.clone() } else { again(operation) };
        let mut objects = locked(&self.all);
        let stored = objects.entry(key.clone()).or_default();
        let mut document: Document<M> = stored.take();
        let outcome = document.apply(operation, now);
        if stays_awake {
            stored.keep(document);
            return outcome;
        }
        stored.write(&document);
        if stored.json.is_empty() {
            objects.remove(key);
        }
        drop(objects);
        again(&outcome)
    }

    /// The states of the objects of a kind by name.
    pub(crate) fn states(&self, kind: Kind) -> BTreeMap<String, Value> {
        let objects = locked(&self.all);
        let of_kind = objects.iter().filter(|((known, _), _)| *known == kind);
        of_kind
            .map(|((_, name), stored)| (name.clone(), serde_json::from_str(&stored.text()).unwrap()))
            .collect()
    }

    /// Everything persisted, as it stands in storage.
    pub(crate) fn stored(&self) -> Vec<(String, String)> {
        let objects = locked(&self.all);
        objects.iter().map(|((_, name), stored)| (name.clone(), stored.text())).collect()
    }

    /// Puts a text among the objects, to see whether a search finds it.
    pub(crate) fn plant(&self, name: &str, text: &str) {
        self.with(&(Kind::Counter, name.to_owned()), |stored| text.clone_into(&mut stored.json));
    }

    /// When the next alarm is due.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        locked(&self.all).values().filter_map(|stored| stored.alarm).min()
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
        let objects = locked(&self.all);
        let due = objects.iter().find(|(_, stored)| stored.alarm.is_some_and(|at| at <= now));
        due.map(|(key, _)| key.clone())
    }

    // The steps of an alarm at the edge: forget the object if it is over, else deliver, read again, settle.
    async fn wake<M>(&self, key: &Key, service: Service<'_, World>)
    where
        M: Machine + Serialize + DeserializeOwned + Send + 'static,
    {
        use onetap::ports::Clock;
        let now = service.world.now();
        let mut document: Document<M> = self.with(key, |stored| read(&stored.text()));
        if document.tidy(now) {
            locked(&self.all).remove(key);
            return;
        }
        let delivery = service.deliver(document.due(now)).await;
        let failed: Vec<u64> = delivery.failed.iter().map(|(id, _)| *id).collect();
        let is_over = self.with(key, |stored| {
            let mut document: Document<M> = stored.take();
            document.settle(&delivery.delivered, &failed, now);
            let is_over = document.tidy(now);
            stored.write(&document);
            is_over
        });
        if is_over {
            locked(&self.all).remove(key);
        }
    }

    fn with<T>(&self, key: &Key, act: impl FnOnce(&mut Stored) -> T) -> T {
        act(locked(&self.all).entry(key.clone()).or_default())
    }
}

impl Stored {
    /// As it was left; it must be put back.
    fn take<M: Machine + DeserializeOwned + 'static>(&mut self) -> Document<M> {
        match self.awake.take() {
            Some(awake) => *awake.document.downcast().unwrap(),
            None => read(&self.json),
        }
    }

    fn keep<M: Machine + Serialize + Send + 'static>(&mut self, document: Document<M>)
    where
        Document<M>: Send,
    {
        self.alarm = document.wake_at();
        let write =
            |known: &dyn Any| serde_json::to_string(known.downcast_ref::<Document<M>>().unwrap()).unwrap();
        self.awake = Some(Awake { document: Box::new(document), write });
    }

    fn text(&self) -> String {
        match &self.awake {
            Some(awake) => (awake.write)(&*awake.document),
            None => self.json.clone(),
        }
    }

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
