//! `/sandbox/people`: tells carriers and registers whose numbers are.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    routing::post,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Reply, bad_request};
use crate::{
    people::{Person, Status},
    sms::e164,
    state::World,
};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/people", post(register).delete(clear))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Register {
    phone: String,
    name: Option<String>,
    id_number: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    reassigned: Vec<String>,
    /// RFC 3339.
    cancelled: Option<String>,
    status: Option<Status>,
}

/// One entry per number; a new one takes the place of the old. Of numbers without one nothing is known.
async fn register(State(world): State<Arc<World>>, body: Result<Json<Register>, JsonRejection>) -> Reply {
    let Json(Register { phone, name, id_number, reassigned, cancelled, status }) =
        body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let phone = e164(&phone).ok_or_else(|| bad_request("phone: not a number"))?;
    let time = |text: &str, field: &str| {
        let time = text.parse::<Timestamp>().map(Timestamp::as_millisecond);
        time.map_err(|_| bad_request(&format!("{field}: not a time of RFC 3339")))
    };
    let reassigned = reassigned.iter().map(|text| time(text, "reassigned")).collect::<Result<Vec<_>, _>>()?;
    let cancelled = cancelled.map(|text| time(&text, "cancelled")).transpose()?;
    let person = Person { name, id_number, reassigned, cancelled, status };
    let told = json!({ "phone": phone, "name": person.name, "idNumber": person.id_number });
    world.ledger().people.insert(phone, person);
    Ok(Json(told))
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger().people.clear();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[tokio::test]
    async fn what_is_told_is_known_until_it_is_told_anew() {
        let bench = Bench::new();
        let told = json!({
            "phone": "13800138000", "name": "王小红", "idNumber": "11010519491231002X",
            "reassigned": ["2026-06-01T00:00:00+08:00"], "cancelled": "2026-02-01T00:00:00Z", "status": "off",
        });
        assert_eq!(bench.people(told).await, 200);
        let person = bench.world.person("+8613800138000").unwrap();
        // `date -u -d 2026-06-01T00:00:00+08:00 +%s` (GNU date)
        assert_eq!(person.reassigned, [1_780_243_200_000]);
        assert_eq!((person.name.as_deref(), person.status), (Some("王小红"), Some(Status::Off)));
        assert_eq!(person.id_number.as_deref(), Some("11010519491231002X"));
        assert_eq!(bench.people(json!({ "phone": "+8613800138000" })).await, 200);
        assert!(bench.world.person("+8613800138000").unwrap().reassigned.is_empty());
        assert_eq!(bench.send("DELETE", "/sandbox/people", &[], String::new()).await.status, 204);
        assert!(bench.world.person("+8613800138000").is_none());
    }

    #[tokio::test]
    async fn what_is_no_order_is_refused() {
        let bench = Bench::new();
        for bad in [
            json!({ "name": "王小红" }),
            json!({ "phone": "somebody" }),
            json!({ "phone": "13800138000", "reassigned": ["yesterday"] }),
            json!({ "phone": "13800138000", "cancelled": "2026-02-01" }),
            json!({ "phone": "13800138000", "status": "busy" }),
            json!({ "phone": "13800138000", "nickname": "x" }),
        ] {
            assert_eq!(bench.people(bad).await, 400);
        }
    }
}
