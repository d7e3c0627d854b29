//! Edge copies of device records, in KV.

use super::{config, kv, world::EdgeWorld};
use crate::{
    kernel::{fault::Fault, json},
    model::device::DeviceRecord,
    ports::DeviceRecords,
};

impl DeviceRecords for EdgeWorld {
    async fn publish_device(&self, token_digest: &str, record: &DeviceRecord) -> Result<(), Fault> {
        let fault = Fault::new("device_record_not_written");
        let ttl = match &config::of(&self.env).settings {
            Ok(settings) => settings.limits.device_trust_seconds,
            Err(_) => return Err(fault),
        };
        // A text of our own making: given a map, `put` would write `{}`.
        let json = serde_json::to_string(record).map_err(|_| fault)?;
        let put =
            self.env.kv(config::DEVICES).map_err(|_| fault)?.put(token_digest, json).map_err(|_| fault)?;
        put.expiration_ttl(ttl).execute().await.map_err(|_| fault)
    }

    async fn retract_device(&self, token_digest: &str) -> Result<(), Fault> {
        let fault = Fault::new("device_record_not_deleted");
        let kv = self.env.kv(config::DEVICES).map_err(|_| fault)?;
        kv.delete(token_digest).await.map_err(|_| fault)
    }

    async fn device(&self, token_digest: &str) -> Result<Option<DeviceRecord>, Fault> {
        let fault = Fault::new("device_record_not_read");
        let json = kv::text(self, config::DEVICES, token_digest).await.ok_or(fault)?;
        json.map(|json| json::read(json.as_bytes()).ok_or(fault)).transpose()
    }
}
