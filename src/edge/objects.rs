//! The Durable Objects, and calling them.

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use worker::{
    Delay, DurableObject, Env, Request, Response, State, durable_object, js_sys::Uint8Array, wasm_bindgen,
};

use super::{
    config,
    fetch::outgoing,
    js,
    object::{self, Runs},
    world::EdgeWorld,
};
use crate::{
    kernel::{fault::Fault, id::AccountId, json},
    model::{account, counter, handle, handle::HandleName},
    ports::{Accounts, Counters, Handles, OBJECT_TIMED_OUT},
};

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident runs $machine:ty;)*) => {$(
        $(#[$doc])*
        #[durable_object(alarm)]
        pub struct $name {
            state: State,
            env: Env,
        }

        // After a panic nothing is left half-changed: the document is written in one statement.
        impl UnwindSafe for $name {}
        impl RefUnwindSafe for $name {}

        impl DurableObject for $name {
            fn new(state: State, env: Env) -> Self {
                Self { state, env }
            }

            async fn fetch(&self, request: Request) -> worker::Result<Response> {
                object::fetch(&self.state, &self.env, request, &Runs::<$machine>::STEPS).await
            }

            async fn alarm(&self) -> worker::Result<Response> {
                object::alarm(&self.state, &self.env, &Runs::<$machine>::STEPS).await
            }
        }
    )*};
}

objects! {
    /// An identifier: see [`crate::model::handle`].
    Handle runs handle::Handle;
    /// A person: see [`crate::model::account`].
    Account runs account::Account;
    /// Something counted or claimed: see [`crate::model::counter`].
    Counter runs counter::Counter;
}

/// Time for an object's answer. Far above what one takes, far below what a person waits.
const DEADLINE: Duration = Duration::from_secs(5);

impl Handles for EdgeWorld {
    async fn handle(
        &self,
        name: &HandleName,
        operation: handle::Operation,
    ) -> Result<handle::Outcome, Fault> {
        outcome(&self.call(config::HANDLES, name.as_str(), json::write(&operation)?).await?)
    }
}

impl Accounts for EdgeWorld {
    async fn account(&self, id: AccountId, operation: account::Operation) -> Result<account::Outcome, Fault> {
        outcome(&self.call(config::ACCOUNTS, &id.to_string(), json::write(&operation)?).await?)
    }
}

impl Counters for EdgeWorld {
    async fn counter(&self, name: &str, operation: counter::Operation) -> Result<counter::Outcome, Fault> {
        outcome(&self.call(config::COUNTERS, name, json::write(&operation)?).await?)
    }
}

fn outcome<T: DeserializeOwned>(json: &[u8]) -> Result<T, Fault> {
    json::read(json).ok_or(Fault::new("outcome_does_not_parse"))
}

impl EdgeWorld {
    /// Sends an operation to an object, both as JSON: one way for all kinds, which keeps it small.
    async fn call(&self, namespace: &str, name: &str, operation: String) -> Result<Vec<u8>, Fault> {
        #[cfg(feature = "test-hooks")]
        {
            self.hooks.meet(namespace).await;
            self.hooks.before_call(namespace)?;
        }
        let exchange = pin!(self.exchange(namespace, name, operation));
        let outcome = match select(exchange, Delay::from(DEADLINE)).await {
            Either::Left((outcome, _)) => outcome,
            // A panic in an object can leave its caller waiting for ever.
            Either::Right(_) => return Err(OBJECT_TIMED_OUT),
        };
        #[cfg(feature = "test-hooks")]
        self.hooks.after_call(namespace)?;
        outcome.ok_or(Fault::new("object_unreachable"))?.ok_or(Fault::new("object_failed"))
    }

    /// `None`: the object was not reached; `Some(None)`: it failed.
    async fn exchange(&self, namespace: &str, name: &str, body: String) -> Option<Option<Vec<u8>>> {
        #[cfg(feature = "test-hooks")]
        let headers = self.hooks.headers(namespace);
        #[cfg(not(feature = "test-hooks"))]
        let headers = [];
        // The host is not looked at: the stub leads to the object.
        let request = outgoing("POST", "https://object/", &headers, Some(body.into()))?;
        let stub = js::call(&js::get(&self.env, namespace)?, "getByName", &[name.into()])?;
        let response = js::ask(&stub, "fetch", &[request.into()]).await?;
        let bytes = js::ask(&response, "arrayBuffer", &[]).await?;
        Some(js::get(&response, "ok")?.is_truthy().then(|| Uint8Array::new(&bytes).to_vec()))
    }
}
