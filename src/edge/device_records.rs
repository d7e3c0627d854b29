//! Edge copies of device records, in KV.

use super::{config, js, kv, world::EdgeWorld};
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
        let json = json::write(record)?;
        kv::put(self, config::DEVICES, token_digest, &json, ttl).await.ok_or(fault)
    }

    async fn retract_device(&self, token_digest: &str) -> Result<(), Fault> {
        let fault = Fault::new("device_record_not_deleted");
        let kv = js::get(&self.env, config::DEVICES).ok_or(fault)?;
        js::ask(&kv, "delete", &[token_digest.into()]).await.map(|_| ()).ok_or(fault)
    }

    async fn device(&self, token_digest: &str) -> Result<Option<DeviceRecord>, Fault> {
        let fault = Fault::new("device_record_not_read");
        let json = kv::text(self, config::DEVICES, token_digest).await.ok_or(fault)?;
        json.map(|json| json::read(json.as_bytes()).ok_or(fault)).transpose()
    }
}
