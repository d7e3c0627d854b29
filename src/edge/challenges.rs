//! Records of codes on their way, in KV. Written once and never deleted: they expire.

use super::{config, kv, world::EdgeWorld};
use crate::{
    kernel::{fault::Fault, id::ChallengeId, json},
    model::challenge::Record,
    ports::{Challenges, Clock},
};

/// The least time to live that KV takes, seconds.
const LEAST_TTL: u64 = 60;

impl Challenges for EdgeWorld {
    async fn record_challenge(&self, id: ChallengeId, record: &Record) -> Result<(), Fault> {
        let fault = Fault::new("challenge_not_recorded");
        #[cfg(feature = "test-hooks")]
        self.hooks.before_call(config::CHALLENGES)?;
        let ttl = record.expires.since(self.now()).as_secs().max(LEAST_TTL);
        let json = json::write(record)?;
        let key = id.to_string();
        let write = kv::put(self, config::CHALLENGES, &key, &json, ttl);
        #[cfg(feature = "test-hooks")]
        let write = async {
            self.hooks.delay(config::CHALLENGES).await;
            write.await
        };
        // One that is written late does no harm: the handle keeps the MAC as long as the code is good.
        let written = kv::within(write).await.ok_or(fault)?;
        #[cfg(feature = "test-hooks")]
        self.hooks.after_call(config::CHALLENGES)?;
        written.ok_or(fault)
    }

    async fn challenge(&self, id: ChallengeId) -> Result<Option<Record>, Fault> {
        let fault = Fault::new("challenge_not_read");
        #[cfg(feature = "test-hooks")]
        if self.hooks.hides(config::CHALLENGES)? {
            return Ok(None);
        }
        let json = kv::text(self, config::CHALLENGES, &id.to_string()).await.ok_or(fault)?;
        json.map(|json| json::read(json.as_bytes()).ok_or(fault)).transpose()
    }
}
