//! The service's public keys, kept as long as it allows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::Mutex;

/// The service lets its keys be kept for so long.
const KEPT: Duration = Duration::from_secs(300);

/// Tokens of unknown keys make us ask for the keys at most this often.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// The keys at a URL.
#[derive(Debug)]
pub(crate) struct Keys {
    http: reqwest::Client,
    url: String,
    // Held while they are fetched: whoever comes meanwhile waits for the same answer.
    fetched: Mutex<Option<Fetched>>,
}

#[derive(Debug)]
struct Fetched {
    keys: JwkSet,
    at: Instant,
}

impl Keys {
    pub(crate) fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url, fetched: Mutex::default() }
    }

    /// The key of an id; `None`: there is no such key.
    ///
    /// # Errors
    /// The keys could not be had. Old ones are not used in their place: one of them may have been withdrawn.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<Jwk>> {
        let mut fetched = self.fetched.lock().await;
        if let Some(Fetched { keys, at }) = fetched.as_ref() {
            let (age, key) = (at.elapsed(), keys.find(kid));
            // An unknown key may be a new one, or an invention.
            if age < COOL_DOWN || (age < KEPT && key.is_some()) {
                return Ok(key.cloned());
            }
        }
        let keys = self.fetch().await.context("the keys could not be fetched")?;
        let key = keys.find(kid).cloned();
        *fetched = Some(Fetched { keys, at: Instant::now() });
        Ok(key)
    }

    async fn fetch(&self) -> reqwest::Result<JwkSet> {
        self.http.get(&self.url).send().await?.error_for_status()?.json().await
    }
}
