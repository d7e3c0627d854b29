//! Structured logs: one line a request, one a fault. Codes and times, nothing personal.

use serde::Serialize;
use worker::console_log;

use crate::{
    api::LogLine,
    journeys::notices::Told,
    kernel::{fault::Fault, json},
    model::notice::{Channel, Notice},
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

/// One attempt at a notice.
pub(super) fn notice(notice: &Notice, told: Told, calls: &[ProviderCall]) {
    let (level, event, fault) = match told {
        Told::Done => ("info", "notice", None),
        Told::Later(_) => ("info", "notice_delayed", None),
        // A device that is gone, or a way that nobody has set up, is no surprise.
        Told::GivenUp(why @ ("gone" | "refused" | "not_set_up")) => ("info", "notice_given_up", Some(why)),
        Told::GivenUp(why) => ("error", "notice_given_up", Some(why)),
    };
    let channel = match notice.channel {
        Channel::Webhooks | Channel::Webhook(_) => "webhook",
        Channel::Push(..) => "push",
        Channel::Sms(_) => "sms",
        Channel::Email(_) => "email",
    };
    write(&Line {
        level: if is_account_fault(calls) { "alert" } else { level },
        event,
        route: Some(channel),
        code: notice.kind.name(),
        fault,
        millis: None,
        request_id: None,
        providers: &of(calls),
    });
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
    if let Ok(json) = json::write(line) {
        console_log!("{json}");
    }
}
