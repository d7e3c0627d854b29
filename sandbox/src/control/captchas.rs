//! `/sandbox/captchas`: what a widget hands to the client once somebody has solved it, or has not.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{State, rejection::JsonRejection},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, bad_request, broken};
use crate::{
    captchas::{Captcha, LIFETIME_MS},
    crypto,
    state::World,
    tokens::Provider,
};

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/captchas", post(mint))
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    #[default]
    Pass,
    Fail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mint {
    provider: Provider,
    #[serde(default)]
    outcome: Outcome,
    /// Which of our applications; default: the vendor's first account.
    app: Option<String>,
}

async fn mint(State(world): State<Arc<World>>, body: Result<Json<Mint>, JsonRejection>) -> Reply {
    let Json(mint) = body.map_err(|rejection| bad_request(&rejection.body_text()))?;
    let account = world
        .account_for(mint.provider, mint.app.as_deref(), None)
        .ok_or_else(|| bad_request("no account of this provider serves the app"))?;
    let random = || crypto::random_hex().map_err(|_| broken());
    let now_ms = world.now_ms();
    let token = random()?;
    let (token, fields) = match mint.provider {
        Provider::Turnstile => (format!("0.{token}"), BTreeMap::new()),
        Provider::Geetest => {
            let fields = BTreeMap::from([
                ("captcha_output", crypto::base64_url(random()?.as_bytes())),
                ("pass_token", random()?),
                ("gen_time", (now_ms / 1000).to_string()),
            ]);
            (token, fields)
        }
        _ => return Err(bad_request("provider: has no captchas")),
    };
    let handed = if fields.is_empty() {
        token.clone()
    } else {
        let mut all: BTreeMap<&str, &String> = fields.iter().map(|(name, value)| (*name, value)).collect();
        all.insert("lot_number", &token);
        json!(all).to_string()
    };
    let captcha = Captcha {
        account_id: account.id().to_owned(),
        passes: mint.outcome == Outcome::Pass,
        expires_ms: now_ms.saturating_add(LIFETIME_MS),
        fields,
        used_by: None,
    };
    world.ledger().captchas.insert((mint.provider, token), captcha);
    Ok(Json(Value::from_iter([("captchaToken", handed)])))
}
