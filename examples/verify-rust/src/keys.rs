//! The service's public keys, kept as long as it allows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
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
    fetched: Mutex<Fetched>,
}

#[derive(Debug, Default)]
struct Fetched {
    keys: Option<(JwkSet, Instant)>,
    // When it was last tried, whatever came of it: while the service is out of reach, tokens with invented keys must not
    // make everybody wait.
    tried: Option<Instant>,
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
        let key = match &fetched.keys {
            Some((keys, at)) if at.elapsed() < KEPT => Some(keys.find(kid).cloned()),
            _ => None,
        };
        // An unknown key may be a new one, or an invention.
        let cools_down = fetched.tried.is_some_and(|at| at.elapsed() < COOL_DOWN);
        match key {
            Some(Some(key)) => return Ok(Some(key)),
            Some(None) if cools_down => return Ok(None),
            None if cools_down => bail!("the keys could not be fetched a moment ago"),
            _ => {}
        }
        fetched.tried = Some(Instant::now());
        let keys = self.fetch().await.context("the keys could not be fetched")?;
        let key = keys.find(kid).cloned();
        fetched.keys = Some((keys, Instant::now()));
        Ok(key)
    }

    async fn fetch(&self) -> reqwest::Result<JwkSet> {
        self.http.get(&self.url).send().await?.error_for_status()?.json().await
    }
}
