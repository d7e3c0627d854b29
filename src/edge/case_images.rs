//! Images of cases, in KV. They go with their case, and by themselves when it is over.

use super::{config, js, kv, world::EdgeWorld};
use crate::{
    kernel::{fault::Fault, seal::Sealed, time::Timestamp},
    ports::{CaseImages, Clock},
};

/// The least time to live that KV takes, seconds.
const LEAST_TTL: u64 = 60;

impl CaseImages for EdgeWorld {
    async fn put_image(&self, key: &str, image: &Sealed, until: Timestamp) -> Result<(), Fault> {
        let ttl = until.since(self.now()).as_secs().max(LEAST_TTL);
        let put = kv::put(self, config::IMAGES, key, image.as_str(), ttl);
        put.await.ok_or(Fault::new("image_not_kept"))
    }

    async fn image(&self, key: &str) -> Result<Option<Sealed>, Fault> {
        let text = kv::text(self, config::IMAGES, key).await.ok_or(Fault::new("image_not_read"))?;
        Ok(text.map(|text| Sealed::from_text(&text)))
    }

    async fn drop_image(&self, key: &str) -> Result<(), Fault> {
        let fault = Fault::new("image_not_deleted");
        let kv = js::get(&self.env, config::IMAGES).ok_or(fault)?;
        js::ask(&kv, "delete", &[key.into()]).await.map(|_| ()).ok_or(fault)
    }
}
