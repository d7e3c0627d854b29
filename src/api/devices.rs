//! `/v1/devices...`

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    http::HttpIn,
    login::{self, MAX_DEVICE_NAME},
    own,
    problem::Problem,
};
use crate::{
    journeys::{Service, own_account::View},
    kernel::{id::DeviceId, time::Timestamp},
    model::refusal::Refusal,
    ports::World,
};

/// `GET /v1/devices`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        devices: Vec<ListedDevice<'a>>,
    }
    let view = service.look(own::doer(service.settings, request)?).await?;
    login::json(&Answer { devices: bodies(&view) })
}

/// A device in answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedDevice<'a> {
    id: DeviceId,
    current: bool,
    name: &'a str,
    platform: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_version: Option<&'a str>,
    trust: &'static str,
    first_used_at: String,
    last_used_on: String,
    days_used: u32,
    sessions: usize,
}

/// The devices of what is seen.
pub fn bodies(view: &View) -> Vec<ListedDevice<'_>> {
    let sessions = &view.seen.sessions;
    let here = sessions.iter().find(|session| session.id == view.seen.session).map(|session| session.device);
    let devices = view.devices.iter().map(|known| {
        let (device, profile) = (&known.device, &known.device.profile);
        let last_used = Timestamp::from_secs(device.usage.last_day.saturating_mul(86_400)).rfc3339();
        ListedDevice {
            id: device.id,
            current: Some(device.id) == here,
            name: &known.name,
            platform: profile.platform.name(),
            model: profile.model.as_deref(),
            os: profile.os.as_deref(),
            app_version: profile.app_version.as_deref(),
            trust: known.trust.name(),
            first_used_at: device.usage.first_at.rfc3339(),
            last_used_on: last_used.split('T').next().unwrap_or_default().to_owned(),
            days_used: device.usage.days,
            sessions: sessions.iter().filter(|session| session.device == device.id).count(),
        }
    });
    devices.collect()
}

/// `PATCH /v1/devices/{id}`
pub(super) async fn change<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    device: DeviceId,
) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let mut body = Fields::read(request)?;
    let name = body.optional_text("name", MAX_DEVICE_NAME);
    let trusted = body.optional_flag("trusted");
    body.finish(Some(()))?;
    if name.is_none() && trusted.is_none() {
        return Err(Refusal::field("name", "is missing, and so is trusted").into());
    }
    service.change_device(doer, device, name.as_deref(), trusted).await?;
    Ok(Reply::nothing())
}

/// `DELETE /v1/devices/{id}`
pub(super) async fn remove<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    device: DeviceId,
) -> Result<Reply, Problem> {
    service.remove_device(own::doer(service.settings, request)?, device).await?;
    Ok(Reply::nothing())
}
