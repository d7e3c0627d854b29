//! Problems: `application/problem+json` (RFC 9457). The one place where failures become answers.

use serde::Serialize;

use super::{
    http::{HttpOut, PROBLEM_JSON},
    otp::ChallengeBody,
    step_up_required::NOT_MINE,
};
use crate::{
    journeys::{Failure, otp::Challenged},
    kernel::{fault::Fault, json, secret::Secret},
    model::{
        language::Language,
        login::Method,
        refusal::{Code, Fallback, FieldProblem, Refusal},
    },
};

mod kinds;

/// A problem of the contract, as it happened.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What it is.
    pub kind: &'static Kind,
    /// What happened this time; the title's text when there is nothing to add.
    pub detail: Option<Box<str>>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What to offer instead.
    pub fallback: Option<Fallback>,
    /// With what the client goes on.
    pub next: Option<Box<Next>>,
    /// Wrong fields.
    pub fields: Box<[FieldProblem]>,
    /// What can be proven instead.
    pub proofs: Option<Box<[Method]>>,
    /// For the `Allow` header of a 405.
    pub allow: Option<&'static str>,
    /// Ours, for the log; never shown.
    pub fault: Option<Fault>,
    /// It is none: the first of equal requests got this reply, as kept. It travels as a problem so that every step of a
    /// handler ends by `?`, and becomes the reply in `Reply::from`.
    pub answered: Option<Box<Secret<Vec<u8>>>>,
}

/// With what the client goes on.
#[derive(Debug, Clone)]
pub enum Next {
    /// A code by SMS that is already on its way.
    Challenge(ChallengeBody),
    /// What claims a number that may be another person's by now, and seconds it is good for.
    Ticket(String, u64),
}

/// One row of the contract's table: what a code means, in the languages we speak.
#[derive(Debug)]
pub struct Kind {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: &'static str,
    /// What it means, in English.
    pub en: &'static str,
    /// 简体中文.
    pub zh: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a ChallengeBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proofs: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    problem: &'a str,
}

impl Problem {
    /// The problem of a code.
    pub fn of(code: Code) -> Self {
        Self::new(kinds::of(code))
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.kind.code
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::new(&Kind {
            status: 405,
            code: "method_not_allowed",
            en: "This method is not allowed here.",
            zh: "不支持该请求方法。",
        })
    }

    /// 413.
    pub fn payload_too_large() -> Self {
        Self::new(&Kind {
            status: 413,
            code: "payload_too_large",
            en: "The body is larger than 16 KiB.",
            zh: "请求体超过 16 KiB。",
        })
    }

    /// 415.
    pub fn unsupported_media_type() -> Self {
        Self::new(&Kind {
            status: 415,
            code: "unsupported_media_type",
            en: "A body of this type is not taken here.",
            zh: "不支持该请求体类型。",
        })
    }

    /// 503: it is not known whether a token was taken back.
    pub fn not_revoked(cause: Self) -> Self {
        Self {
            retry_after: Some(1),
            fault: cause.fault,
            ..Self::new(&Kind {
                status: 503,
                code: "try_again",
                en: "The token may still be good. Try again.",
                zh: "令牌可能仍然有效，请重试。",
            })
        }
    }

    /// The deployment's configuration has problems.
    pub fn misconfigured() -> Self {
        Self::new(&Kind {
            status: 503,
            code: "misconfigured",
            en: "The service is not configured.",
            zh: "服务配置有误。",
        })
    }

    /// Something of ours broke.
    pub fn internal(fault: Fault) -> Self {
        let problem = Self::new(&Kind {
            status: 500,
            code: "internal",
            en: "Something went wrong on our side.",
            zh: "服务内部错误。",
        });
        Self { fault: Some(fault), ..problem }
    }

    /// Offers the code by SMS where one-tap did not work out for whatever reason.
    #[must_use]
    pub fn or_otp(mut self) -> Self {
        let is_ours = self.kind.status >= 500 && self.kind.code != "try_again";
        if is_ours && self.fallback.is_none() {
            self.fallback = Some(Fallback::Otp);
        }
        self
    }

    /// Tells of the code that is on its way.
    #[must_use]
    pub fn with_challenge(self, challenged: Option<&Challenged>) -> Self {
        Self { next: challenged.map(|sent| Next::Challenge(sent.into()).into()), ..self }
    }

    /// Tells how to claim the number.
    #[must_use]
    pub fn with_ticket(self, ticket: String, expires_in: u64) -> Self {
        Self { next: Some(Next::Ticket(ticket, expires_in).into()), ..self }
    }

    /// The answer; for clients of OAuth with the member `error` that they look for (RFC 6749, section 5.2).
    pub fn render(&self, language: Language, request_id: &str, for_oauth: bool) -> HttpOut {
        let title = match language {
            Language::En => self.kind.en,
            Language::ZhCn => self.kind.zh,
        };
        let fallback = self.fallback.map(|fallback| match fallback {
            Fallback::Otp => "otp",
            Fallback::OneTap => "one_tap",
            Fallback::Appeal => "appeal",
        });
        let field = |field: &'_ FieldProblem| format!("{} {}", field.name, field.problem);
        let of_fields = || self.fields.iter().map(field).collect::<Vec<_>>().join("; ");
        let detail = match &self.detail {
            Some(detail) => detail.to_string(),
            None if self.fields.is_empty() => title.to_owned(),
            None => of_fields(),
        };
        let (challenge, ticket, expires_in) = match self.next.as_deref() {
            Some(Next::Challenge(challenge)) => (Some(challenge), None, None),
            Some(Next::Ticket(ticket, expires_in)) => (None, Some(ticket.as_str()), Some(*expires_in)),
            None => (None, None, None),
        };
        let body = Body {
            r#type: format!("/problems/{}", self.kind.code),
            title,
            status: self.kind.status,
            code: self.kind.code,
            detail: &detail,
            request_id,
            error: for_oauth.then_some(match self.kind.status {
                401 => "invalid_client",
                403 => "unauthorized_client",
                429 | 503 => "temporarily_unavailable",
                500 => "server_error",
                _ => "invalid_request",
            }),
            retry_after: self.retry_after,
            fallback: fallback.map(|way| [way]),
            challenge,
            fields: self
                .fields
                .iter()
                .map(|field| Field { name: &field.name, problem: &field.problem })
                .collect(),
            proofs: self.proofs.as_ref().map(|proofs| proofs.iter().map(|proof| proof.name()).collect()),
            ticket,
            expires_in,
            choices: ticket.map(|_| [NOT_MINE]),
        };
        let mut out = HttpOut::of_type(
            self.kind.status,
            PROBLEM_JSON,
            json::write(&body).unwrap_or_default().into_bytes(),
        );
        out.headers.push(("content-language", language.name().to_owned()));
        out.headers.extend(self.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        out.headers.extend(self.allow.map(|methods| ("allow", methods.to_owned())));
        if self.kind.status == 401 {
            out.headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        out
    }

    fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            detail: None,
            retry_after: None,
            fallback: None,
            next: None,
            fields: Box::default(),
            proofs: None,
            allow: None,
            fault: None,
            answered: None,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, retry_after, fallback, fields, proofs } = refusal;
        Self { retry_after, fallback, fields: fields.into(), proofs, ..Self::of(code) }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refusal(refusal) => refusal.into(),
            Failure::Answered(reply) => {
                Self { answered: Some(reply.into()), ..Self::internal(Fault::new("kept_reply_is_cut")) }
            }
            // The text of a provider never reaches a client.
            Failure::Upstream(_) => Refusal::to_otp(Code::OneTapUnavailable).into(),
            Failure::Fault(fault) => Self::internal(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::journeys::Upstream;

    fn render(problem: &Problem, language: Language) -> (u16, BTreeMap<&'static str, String>, Value) {
        let out = problem.render(language, "req_1", false);
        (out.status, out.headers.into_iter().collect(), serde_json::from_slice(&out.body).unwrap())
    }

    #[test]
    fn every_member_of_the_contract() {
        let refusal = Refusal { retry_after: Some(3), ..Refusal::to_otp(Code::OneTapRejected) };
        let (status, headers, body) = render(&refusal.into(), Language::ZhCn);
        assert_eq!((status, headers["retry-after"].as_str()), (422, "3"));
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["content-language"], "zh-CN");
        let title = "一键登录未成功，请换用其他方式。";
        let expected = json!({
            "type": "/problems/one_tap_rejected", "title": title, "status": 422, "code": "one_tap_rejected",
            "detail": title, "requestId": "req_1", "retryAfter": 3, "fallback": ["otp"],
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn wrong_fields_are_listed_and_told() {
        let mut refusal = Refusal::field("a.b", "is missing");
        refusal.fields.extend(Refusal::field("c", "is empty").fields);
        let (_, headers, body) = render(&refusal.into(), Language::En);
        assert_eq!(headers["content-language"], "en");
        assert_eq!(body["detail"], "a.b is missing; c is empty");
        let fields = json!([{"name": "a.b", "problem": "is missing"}, {"name": "c", "problem": "is empty"}]);
        assert_eq!(body["fields"], fields);
    }

    #[test]
    fn codes_and_statuses() {
        let faulty = Problem::internal(Fault::new("broken"));
        for (problem, status, code) in [
            (Problem::of(Code::InvalidRequest), 400, "invalid_request"),
            (Problem::of(Code::InvalidPhone), 400, "invalid_phone"),
            (Problem::of(Code::Unauthenticated), 401, "unauthenticated"),
            (Problem::of(Code::Forbidden), 403, "forbidden"),
            (Problem::of(Code::NotFound), 404, "not_found"),
            (Problem::of(Code::RateLimited), 429, "rate_limited"),
            (Problem::of(Code::OneTapRejected), 422, "one_tap_rejected"),
            (Problem::of(Code::OneTapUnavailable), 503, "one_tap_unavailable"),
            (Problem::of(Code::TryAgain), 503, "try_again"),
            (Problem::of(Code::IdempotencyConflict), 422, "idempotency_conflict"),
            (Problem::of(Code::SessionExpired), 401, "session_expired"),
            (Problem::of(Code::SessionRevoked), 401, "session_revoked"),
            (Problem::of(Code::OtpIncorrect), 401, "otp_incorrect"),
            (Problem::of(Code::BotCheckRequired), 403, "bot_check_required"),
            (Problem::of(Code::SmsUnavailable), 503, "sms_unavailable"),
            (Problem::of(Code::RiskDenied), 403, "risk_denied"),
            (Problem::of(Code::TicketInvalid), 410, "ticket_invalid"),
            (Problem::method_not_allowed(), 405, "method_not_allowed"),
            (Problem::payload_too_large(), 413, "payload_too_large"),
            (Problem::unsupported_media_type(), 415, "unsupported_media_type"),
            (Problem::misconfigured(), 503, "misconfigured"),
            (faulty, 500, "internal"),
        ] {
            let (sent, headers, body) = render(&problem, Language::En);
            assert_eq!((sent, &body["status"], &body["code"]), (status, &json!(status), &json!(code)));
            assert_eq!(headers.contains_key("www-authenticate"), status == 401, "{code}");
            assert!(!body["detail"].as_str().unwrap().is_empty() && !body.to_string().contains("broken"));
        }
    }

    #[test]
    fn the_code_by_sms_is_offered_when_we_fail_but_not_while_we_work() {
        let offers = |failure: Failure| Problem::from(failure).or_otp().fallback.is_some();
        assert!(offers(Fault::new("broken").into()));
        assert!(offers(Upstream { provider: "cmcc".to_owned(), is_transient: false }.into()));
        assert!(offers(Refusal::to_otp(Code::OneTapRejected).into()));
        assert!(!offers(Code::TryAgain.into()));
        assert!(!offers(Code::InvalidRequest.into()));
    }

    #[test]
    fn other_methods_are_told() {
        let problem = Problem { allow: Some("GET, HEAD"), ..Problem::method_not_allowed() };
        assert_eq!(render(&problem, Language::En).1["allow"], "GET, HEAD");
    }
}
