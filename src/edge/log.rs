//! Structured logs: one line a request, one a fault. Codes and times, nothing personal.

use serde::Serialize;
use worker::console_log;

use crate::{
    api::LogLine,
    journeys::notices::Told,
    kernel::fault::Fault,
    model::notice::{Channel, Posting},
    ports::{GuardTurn, ProviderCall},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    level: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    providers: &'a [Call<'a>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    provider: &'a str,
    capability: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_code: Option<&'a str>,
    millis: u64,
}

/// One answered request. It is an `alert` when our account with a provider is at fault: nobody but an operator
/// can mend that.
pub(super) fn request(log: &LogLine, calls: &[ProviderCall], millis: u64) {
    let providers = of(calls);
    let level = if is_account_fault(calls) {
        "alert"
    } else if log.fault.is_some() {
        "error"
    } else {
        "info"
    };
    write(&Line {
        level,
        event: "request",
        route: Some(log.route),
        code: log.code,
        fault: log.fault.map(Fault::code),
        millis: Some(millis),
        request_id: Some(&log.request_id),
        providers: &providers,
    });
}

/// One attempt at a notice, on one channel.
pub(super) fn notice(posting: &Posting, told: Told, calls: &[ProviderCall]) {
    #[derive(Serialize)]
    struct Line<'a> {
        level: &'static str,
        event: &'static str,
        notice: &'static str,
        channel: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
        providers: &'a [Call<'a>],
    }
    let (level, event, reason) = match told {
        Told::Done => ("info", "notice", None),
        Told::Later(_) => ("info", "notice_delayed", None),
        // A device that is gone, or a way that nobody has set up, is no surprise.
        Told::GivenUp(reason @ ("gone" | "refused" | "not_set_up")) => {
            ("info", "notice_given_up", Some(reason))
        }
        Told::GivenUp(reason) => ("error", "notice_given_up", Some(reason)),
    };
    let channel = match posting.channel {
        Channel::Webhooks | Channel::Webhook(_) => "webhook",
        Channel::Push { .. } => "push",
        Channel::Sms(_) => "sms",
    };
    let level = if is_account_fault(calls) { "alert" } else { level };
    let (notice, providers) = (posting.notice.kind.name(), &*of(calls));
    write(&Line { level, event, notice, channel, reason, providers });
}

/// Something of ours broke outside of a request.
pub(super) fn fault(event: &'static str, fault: Fault) {
    write(&Line {
        level: "error",
        event,
        route: None,
        code: fault.code(),
        fault: None,
        millis: None,
        request_id: None,
        providers: &[],
    });
}

/// The pumping guard closes or opens a scope: an operator should know.
pub(super) fn guard(turn: &GuardTurn) {
    #[derive(Serialize)]
    struct Line<'a> {
        level: &'static str,
        event: &'static str,
        scope: &'a str,
        guard: &'static str,
    }
    write(&Line { level: "alert", event: "pumping_guard", scope: &turn.scope, guard: turn.level });
}

fn of(calls: &[ProviderCall]) -> Vec<Call<'_>> {
    let calls = calls.iter().map(|call| Call {
        provider: &call.provider,
        capability: call.capability,
        outcome: call.outcome,
        vendor_code: call.vendor_code.as_deref(),
        millis: call.millis,
    });
    calls.collect()
}

fn is_account_fault(calls: &[ProviderCall]) -> bool {
    calls.iter().any(|call| call.outcome == "account_fault")
}

fn write(line: &impl Serialize) {
    if let Ok(json) = serde_json::to_string(line) {
        console_log!("{json}");
    }
}
