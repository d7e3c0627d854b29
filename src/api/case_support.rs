//! `/v1/cases`: those who help people, by API key until the console brings people of its own.

use serde::Serialize;
use serde_json::Value;

use super::{
    Reply,
    appeals::{CaseBody, image_type},
    backend,
    body::Fields,
    http::{HttpIn, HttpOut},
    login,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        case_support::{OpenedCase, Queued},
    },
    kernel::id::AccountId,
    model::{
        api_key::Scope,
        case::{Matter, Vote},
        login_history::Place,
        refusal::Refusal,
    },
    ports::World,
};

/// Cases in an answer.
pub const PAGE: u32 = 50;

/// Longest reason of a decision, characters.
pub const MAX_REASON: usize = 500;

/// The states by which the queue can be asked for.
const STATES: [&str; 7] = ["open", "decided", "granted", "refused", "done", "gone", "expired"];

/// `GET /v1/cases?state=&cursor=`
pub(super) async fn list<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        cases: Vec<Row<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'a> {
        id: &'a str,
        account: AccountId,
        kind: &'a str,
        state: &'a str,
        profile: &'static str,
        opened_at: String,
        updated_at: String,
    }
    let backend = backend::admit(service, request, Scope::CasesRead).await?;
    let state = request.parameter("state").unwrap_or_else(|| STATES[0].into());
    if !STATES.contains(&&*state) {
        return Err(Refusal::field("state", format!("must be one of {}", STATES.join(", "))).into());
    }
    let cursor = request.parameter("cursor").map_or(Ok(0), |cursor| cursor.parse());
    let cursor = cursor.map_err(|_| Refusal::field("cursor", "is none of ours"))?;
    let (queued, last) = service.queued_cases(&backend, &state, cursor, PAGE).await?;
    let next_cursor = last.map(|number| number.to_string());
    let rows = queued.iter().map(|Queued { id, row, .. }| Row {
        id,
        account: row.account,
        kind: &row.kind,
        state: &row.state,
        profile: row.profile.name(),
        opened_at: row.opened_at.rfc3339(),
        updated_at: row.updated_at.rfc3339(),
    });
    login::json(&Answer { cases: rows.collect(), next_cursor })
}

/// `GET /v1/cases/{id}`
pub(super) async fn read<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::CasesRead).await?;
    let case = service.read_case(id(request), &backend, &request.id).await?;
    login::json(&Opened::of(&case, CaseBody::of(&case.view, service.world.now())))
}

/// A case for who decides it: all that was told, and of the number no more than its owner sees.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened<'a> {
    id: String,
    state: &'static str,
    expires_at: String,
    account: AccountId,
    kind: &'static str,
    profile: &'static str,
    opened_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    votes: Vec<VoteBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appeal: Option<Appeal<'a>>,
    /// Of an objection: who has the number now.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<Holder>,
}

#[derive(Serialize)]
struct VoteBody<'a> {
    by: &'a str,
    at: String,
    decision: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Appeal<'a> {
    reason: &'static str,
    proven: Vec<&'static str>,
    need: u8,
    told: Value,
    images: usize,
    on_own_device: bool,
    app: &'a str,
    device_name: &'a str,
    platform: &'static str,
    #[serde(skip_serializing_if = "Place::is_unknown")]
    place: &'a Place,
}

#[derive(Serialize)]
struct Holder {
    account: AccountId,
    since: String,
}

impl<'a> Opened<'a> {
    fn of(opened: &'a OpenedCase, body: CaseBody) -> Self {
        let case = &opened.view.case;
        let votes = opened.votes.iter().map(|(Vote { by, at, grants, .. }, reason)| VoteBody {
            by,
            at: at.rfc3339(),
            decision: if *grants { DECISIONS[0].0 } else { DECISIONS[1].0 },
            reason,
        });
        let (mut appeal, mut held_by) = (None, None);
        match &case.matter {
            Matter::Appeal(made) => {
                let (waits, sign_in) = (&made.waits, &made.waits.sign_in);
                appeal = Some(Appeal {
                    reason: waits.reason.name(),
                    proven: waits.proven.iter().map(|kind| kind.name()).collect(),
                    need: waits.need,
                    told: serde_json::from_str(opened.told.as_deref().unwrap_or_default())
                        .unwrap_or_default(),
                    images: made.images.len(),
                    on_own_device: made.on_own_device,
                    app: &sign_in.app,
                    device_name: opened.device_name.as_deref().unwrap_or_default(),
                    platform: sign_in.profile.platform.name(),
                    place: &sign_in.place,
                });
            }
            Matter::Objection(made) => {
                let rival = made.rival;
                held_by = rival.map(|rival| Holder { account: rival.account, since: rival.since.rfc3339() });
            }
            Matter::Friends(_) => {}
        }
        let CaseBody { id, state, expires_at } = body;
        Self {
            id,
            state,
            expires_at,
            account: opened.account,
            kind: case.kind(),
            profile: case.profile.name(),
            opened_at: case.opened_at.rfc3339(),
            phone: opened.phone.as_ref().map(crate::kernel::phone::PhoneNumber::masked),
            votes: votes.collect(),
            appeal,
            held_by,
        }
    }
}

/// `GET /v1/cases/{id}/images/{number}`, counted from 0.
pub(super) async fn image<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::CasesRead).await?;
    let number = request.path.split('/').nth(5).and_then(|number| number.parse().ok()).unwrap_or(usize::MAX);
    let image = service.case_image(id(request), number, &backend, &request.id).await?;
    let content_type = image_type(image.expose()).unwrap_or("application/octet-stream");
    Ok(Reply::Ready(HttpOut::of_type(200, content_type, image.expose().clone())))
}

const DECISIONS: [(&str, bool); 2] = [("grant", true), ("refuse", false)];

/// `POST /v1/cases/{id}/decision`
pub(super) async fn decide<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::CasesDecide).await?;
    let mut body = Fields::read(request)?;
    let (grants, reason) = (body.choice("decision", &DECISIONS), body.text("reason", MAX_REASON));
    let (grants, reason) = body.finish(grants.zip(reason))?;
    let case = service.decide_case(id(request), grants, &reason, &backend, &request.id).await?;
    login::json(&CaseBody::of(&case, service.world.now()))
}

fn id(request: &HttpIn) -> &str {
    request.path.split('/').nth(3).unwrap_or_default()
}
