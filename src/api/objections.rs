//! `/v1/account/phone/claims`, `/v1/account/phone/objection` and `/v1/account/appeals`: the owner's side of claims and
//! appeals. Nobody is told who the other is.

use serde::Serialize;

use super::{Reply, appeals::CaseBody, http::HttpIn, login, own, problem::Problem};
use crate::{
    journeys::{Service, appeals::AppealView, objections::NumberClaimView, own_profile::AccountView},
    kernel::time::Timestamp,
    model::login_history::Place,
    ports::World,
};

/// `GET /v1/account/phone/claims`
pub(super) async fn claims<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer {
        claims: Vec<Claim>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    login::json(&Answer { claims: claims_of(service, &account)? })
}

/// The same, as answers have it.
pub(super) fn claims_of<W: World>(
    service: Service<'_, W>,
    account: &AccountView,
) -> Result<Vec<Claim>, Problem> {
    let views = service.number_claims(account).map_err(Problem::internal)?;
    let now = service.world.now();
    Ok(views.iter().map(|view| Claim::of(view, now)).collect())
}

/// Appeals, as answers have them.
pub(super) fn appeals_of(views: &[AppealView], now: Timestamp) -> Vec<Appeal<'_>> {
    views.iter().filter_map(|view| Appeal::of(view, now)).collect()
}

/// A number that somebody else waits for, or has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claim {
    phone: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_at: Option<String>,
    effective_at: String,
    object_until: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<CaseBody>,
}

impl Claim {
    fn of(view: &NumberClaimView, now: Timestamp) -> Self {
        Self {
            phone: view.phone.masked(),
            state: view.state,
            requested_at: view.requested_at.map(Timestamp::rfc3339),
            effective_at: view.effective_at.rfc3339(),
            object_until: view.object_until.rfc3339(),
            objection: view.objection.as_ref().map(|case| CaseBody::of(case, now)),
        }
    }
}

/// `POST /v1/account/phone/objection`
pub(super) async fn object<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let case = service.object(own::doer(service.settings, request)?).await?;
    Ok(Reply::Accepted(login::bytes(&CaseBody::of(&case, service.world.now()))?))
}

/// `GET /v1/account/appeals`
pub(super) async fn appeals<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Answer<'a> {
        appeals: Vec<Appeal<'a>>,
    }
    let account = service.account(own::doer(service.settings, request)?).await?;
    let views = service.appeals(&account).map_err(Problem::internal)?;
    login::json(&Answer { appeals: appeals_of(&views, service.world.now()) })
}

/// Somebody appeals for one's account, or asks friends: by which device, and where it was.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Appeal<'a> {
    id: String,
    kind: &'static str,
    state: &'static str,
    expires_at: String,
    opened_at: String,
    app: &'a str,
    device: Device<'a>,
    #[serde(skip_serializing_if = "Place::is_unknown")]
    place: &'a Place,
}

#[derive(Serialize)]
struct Device<'a> {
    name: &'a str,
    platform: &'static str,
}

impl<'a> Appeal<'a> {
    fn of(view: &'a AppealView, now: Timestamp) -> Option<Self> {
        let (waits, _) = view.case.case.matter.waits()?;
        let sign_in = &waits.sign_in;
        let CaseBody { id, state, expires_at } = CaseBody::of(&view.case, now);
        Some(Self {
            id,
            kind: view.case.case.kind(),
            state,
            expires_at,
            opened_at: view.case.case.opened_at.rfc3339(),
            app: &sign_in.app,
            device: Device { name: &view.device_name, platform: sign_in.profile.platform.name() },
            place: &sign_in.place,
        })
    }
}

/// `POST /v1/account/appeals/{id}/refuse`
pub(super) async fn refuse<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let id = request.path.split('/').nth(4).unwrap_or_default();
    let refused = service.refuse_appeal(own::doer(service.settings, request)?, id).await;
    Ok(Reply::done(refused))
}
