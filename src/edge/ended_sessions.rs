//! Which sessions were ended, in KV.

use super::{config, kv, world::EdgeWorld};
use crate::{
    kernel::{fault::Fault, id::SessionId, time::Timestamp},
    ports::{Clock, EndedSessions},
};

/// The least time to live that KV takes, seconds.
const LEAST_TTL: u64 = 60;

impl EndedSessions for EdgeWorld {
    async fn publish_end(&self, session: SessionId, until: Timestamp) -> Result<(), Fault> {
        let fault = Fault::new("end_of_session_not_published");
        let ttl = until.since(self.now()).as_secs().max(LEAST_TTL);
        kv::put(self, config::SESSIONS, &session.to_string(), ENDED, ttl).await.ok_or(fault)
    }

    async fn has_ended(&self, session: SessionId) -> Result<bool, Fault> {
        let fault = Fault::new("end_of_session_not_read");
        let text = kv::text(self, config::SESSIONS, &session.to_string()).await.ok_or(fault)?;
        Ok(text.is_some())
    }
}

const ENDED: &str = "ended";
