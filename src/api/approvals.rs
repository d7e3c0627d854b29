//! `/v1/approvals` and `/v1/account/login-protection`: the owner's side of login protection.

use serde::Serialize;

use super::{Reply, body::Fields, http::HttpIn, login, own, problem::Problem};
use crate::{
    journeys::{Service, approval::PendingView},
    kernel::id::ApprovalId,
    model::{login_history::Place, step_up::Digits},
    ports::World,
};

/// `GET /v1/approvals`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        approvals: Vec<Approval<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Approval<'a> {
        id: ApprovalId,
        asked_at: String,
        expires_in: u64,
        app: &'a str,
        method: &'static str,
        device: Device<'a>,
        #[serde(skip_serializing_if = "Place::is_unknown")]
        place: &'a Place,
    }
    #[derive(Serialize)]
    struct Device<'a> {
        name: &'a str,
        platform: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
    }
    let views = service.approvals(own::doer(service.settings, request)?).await?;
    let approvals = views.iter().map(|PendingView { pending, device_name, expires_in }| Approval {
        id: pending.id,
        asked_at: pending.asked_at.rfc3339(),
        expires_in: *expires_in,
        app: &pending.app,
        method: pending.method.name(),
        device: Device {
            name: device_name,
            platform: pending.profile.platform.name(),
            model: pending.profile.model.as_deref(),
        },
        place: &pending.place,
    });
    login::json(&Answer { approvals: approvals.collect() })
}

/// `POST /v1/approvals/{id}`
pub(super) async fn answer<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    approval: ApprovalId,
) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let approves = body.choice("decision", &[("approve", true), ("deny", false)]);
    let typed = body.optional_text("match", 8);
    let digits = match (approves, typed) {
        (Some(true), None) => body.wrong("match", "is missing: the two digits that the other device shows"),
        (Some(true), Some(typed)) => {
            let digits = Digits::read(&typed);
            if digits.is_none() {
                body.wrong::<()>("match", "must be two digits, 10 to 99");
            }
            Some(digits)
        }
        _ => Some(None),
    };
    let (_, digits) = body.finish(approves.zip(digits))?;
    let (doer, proof) = (own::doer(service.settings, request)?, login::proof(request));
    service.answer_approval(doer, approval, digits, proof.as_ref()).await?;
    Ok(Reply::nothing())
}

/// `GET /v1/account/login-protection`
pub(super) async fn protection<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer {
        enabled: bool,
        /// Somebody can be asked: else it is on, and holds nobody up.
        active: bool,
    }
    let view = service.look(own::doer(service.settings, request)?).await?;
    login::json(&Answer { enabled: view.seen.is_protected, active: view.seen.protection_holds })
}

/// `PUT /v1/account/login-protection`
pub(super) async fn protect<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let enabled = body.required_flag("enabled");
    let enabled = body.finish(enabled)?;
    service.protect_login(own::doer(service.settings, request)?, enabled).await?;
    Ok(Reply::nothing())
}
