//! The LoginResult of a sign-in that waits: why, what can be proven, and how much of it.

use serde::Serialize;

use super::{
    Reply,
    cookie::{self, Transport},
    login::json,
    otp::ChallengeBody,
    problem::Problem,
};
use crate::{
    journeys::{otp::Challenged, step_up::StepUp, trusted_phones::TrustedPhoneView},
    model::{owner_proof::ProofKind, questions::ROUNDS, step_up::Reason},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepUpRequired<'a> {
    status: &'static str,
    ticket: &'a str,
    expires_in: u64,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hints: Option<Hints<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    choices: &'a [&'static str],
    methods: Vec<Way>,
    need: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proven: Vec<&'static str>,
    /// Where nothing can be proven that would be enough.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fallback: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Approval<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    friends: Option<Friends<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<ChallengeBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceToken<'a>>,
}

/// What can be proven.
#[derive(Serialize)]
struct Way {
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    strength: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hints<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    since: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Approval<'a> {
    r#match: &'a str,
    expires_in: u64,
}

/// Friends who are asked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Friends<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phrase: Option<&'a str>,
    expires_in: u64,
}

/// One of a series of questions.
#[derive(Serialize)]
struct Question<'a> {
    round: usize,
    rounds: usize,
    text: &'a str,
    options: &'a [String],
}

#[derive(Serialize)]
struct DeviceToken<'a> {
    token: &'a str,
}

/// What whoever proved the number can say of the account, as it stands in `choices`.
pub(super) const CHOICES: [&str; 2] = ["mine", NOT_MINE];

/// The second of them.
pub(super) const NOT_MINE: &str = "not_mine";

/// The answer, with the code that was just sent.
pub(super) fn step_up_required(
    step_up: &StepUp,
    challenged: Option<&Challenged>,
    transport: Transport,
) -> Result<Reply, Problem> {
    let issued = step_up.device_token.as_ref();
    let mut methods: Vec<Way> = Vec::new();
    for kind in &step_up.offered {
        let way = Way { method: kind.name(), id: None, hint: None, strength: kind.strength() };
        match kind {
            ProofKind::TrustedPhone => {
                for TrustedPhoneView { id, phone, .. } in &step_up.by_phone {
                    // Who may have bought the number learns no part of another.
                    let hint = (!step_up.reason.is_of_number()).then(|| phone.masked());
                    let id = Some(id.to_string());
                    methods.push(Way { id, hint, ..way });
                }
            }
            _ => methods.push(way),
        }
    }
    let choices = match step_up.reason {
        Reason::NumberMayBeRecycled => CHOICES.as_slice(),
        Reason::NumberRecycled => CHOICES.get(1..).unwrap_or_default(),
        _ => &[],
    };
    let can_appeal = !matches!(step_up.reason, Reason::NumberRecycled | Reason::Risk);
    let fallback: &[&str] = if methods.is_empty() && can_appeal { &["appeal"] } else { &[] };
    let hints = step_up.hints.as_ref();
    let reply = json(&StepUpRequired {
        status: "step_up_required",
        ticket: &step_up.ticket,
        expires_in: step_up.expires_in,
        reason: step_up.reason.name(),
        hints: hints.map(|hints| Hints { display_name: hints.display_name.as_deref(), since: &hints.since }),
        choices,
        methods,
        need: step_up.need,
        proven: step_up.proven.iter().map(|kind| kind.name()).collect(),
        fallback,
        approval: step_up
            .question
            .as_ref()
            .map(|(digits, expires_in)| Approval { r#match: digits, expires_in: *expires_in }),
        question: step_up.round.as_ref().map(|(round, shown)| Question {
            round: *round,
            rounds: ROUNDS,
            text: &shown.question,
            options: &shown.options,
        }),
        friends: step_up.friends.as_ref().map(|asked| Friends {
            id: &asked.id,
            phrase: asked.phrase.as_deref(),
            expires_in: asked.expires_in,
        }),
        challenge: challenged.map(ChallengeBody::from),
        device: issued
            .filter(|_| transport == Transport::Body)
            .map(|token| DeviceToken { token: token.expose() }),
    })?;
    Ok(match issued.filter(|_| transport == Transport::Cookie) {
        Some(token) => reply.with_cookies(vec![cookie::of_waiting(token.expose(), step_up.expires_in)]),
        None => reply,
    })
}
