//! Problems: `application/problem+json` (RFC 9457). The one place where failures become answers.

use serde::Serialize;

use super::{
    http::{HttpOut, PROBLEM_JSON},
    language::Language,
};
use crate::{
    journeys::Failure,
    kernel::fault::Fault,
    model::refusal::{Code, Fallback, FieldProblem, Refusal},
};

/// A problem of the contract.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: &'static str,
    /// What it means, for people.
    pub title: Texts,
    /// What happened this time; the title's text when there is nothing to add.
    pub detail: Option<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What to offer instead.
    pub fallback: Vec<Fallback>,
    /// Wrong fields.
    pub fields: Vec<FieldProblem>,
    /// For the `Allow` header of a 405.
    pub allow: Option<String>,
    /// Ours, for the log; never shown.
    pub fault: Option<Fault>,
}

/// A text in the languages we speak.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// English.
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
    retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fallback: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    problem: &'a str,
}

impl Problem {
    /// The problem of a code.
    pub const fn of(code: Code) -> Self {
        match code {
            Code::InvalidRequest => {
                Self::new(400, "invalid_request", "The request is not valid.", "请求无效。")
            }
            Code::InvalidPhone => {
                Self::new(400, "invalid_phone", "This is not a mobile number.", "手机号码无效。")
            }
            Code::Unauthenticated => {
                Self::new(401, "unauthenticated", "Sign in, or send a valid key.", "未登录或凭证无效。")
            }
            Code::Forbidden => Self::new(403, "forbidden", "This is not allowed.", "没有权限。"),
            Code::NotFound => Self::new(404, "not_found", "There is nothing here.", "未找到。"),
            Code::RateLimited => {
                Self::new(429, "rate_limited", "Too many requests.", "请求过于频繁，请稍后再试。")
            }
            Code::OneTapRejected => Self::new(
                422,
                "one_tap_rejected",
                "One-tap login did not succeed.",
                "一键登录未成功，请换用其他方式。",
            ),
            Code::OneTapUnavailable => Self::new(
                503,
                "one_tap_unavailable",
                "One-tap login is not available now.",
                "一键登录暂不可用，请换用其他方式。",
            ),
            Code::TryAgain => Self::new(
                503,
                "try_again",
                "The first of these requests is still running.",
                "相同请求正在处理，请稍后再试。",
            ),
            Code::IdempotencyConflict => Self::new(
                422,
                "idempotency_conflict",
                "The Idempotency-Key was used with another request.",
                "该 Idempotency-Key 已用于其他请求。",
            ),
            Code::SessionExpired => {
                Self::new(401, "session_expired", "The session has expired.", "登录已过期，请重新登录。")
            }
            Code::SessionRevoked => {
                Self::new(401, "session_revoked", "The session was ended.", "登录已失效，请重新登录。")
            }
        }
    }

    /// 405.
    pub const fn method_not_allowed() -> Self {
        Self::new(405, "method_not_allowed", "This method is not allowed here.", "不支持该请求方法。")
    }

    /// 413.
    pub const fn payload_too_large() -> Self {
        Self::new(413, "payload_too_large", "The body is larger than 16 KiB.", "请求体超过 16 KiB。")
    }

    /// 415.
    pub const fn unsupported_media_type() -> Self {
        Self::new(
            415,
            "unsupported_media_type",
            "The body must be application/json.",
            "请求体须为 application/json。",
        )
    }

    /// The deployment's configuration has problems.
    pub const fn misconfigured() -> Self {
        Self::new(503, "misconfigured", "The service is not configured.", "服务配置有误。")
    }

    /// Something of ours broke.
    pub fn internal(fault: Fault) -> Self {
        let problem = Self::new(500, "internal", "Something went wrong on our side.", "服务内部错误。");
        Self { fault: Some(fault), ..problem }
    }

    /// Offers the code by SMS where one-tap did not work out for whatever reason.
    #[must_use]
    pub fn or_otp(mut self) -> Self {
        let is_ours = self.status >= 500 && self.code != "try_again";
        if is_ours && self.fallback.is_empty() {
            self.fallback.push(Fallback::Otp);
        }
        self
    }

    /// The answer.
    pub fn render(&self, language: Language, request_id: &str) -> HttpOut {
        let title = match language {
            Language::En => self.title.en,
            Language::ZhCn => self.title.zh,
        };
        let fallback = self.fallback.iter().map(|fallback| match fallback {
            Fallback::Otp => "otp",
        });
        let field = |field: &'_ FieldProblem| format!("{} {}", field.name, field.problem);
        let of_fields = || self.fields.iter().map(field).collect::<Vec<_>>().join("; ");
        let detail = match &self.detail {
            Some(detail) => detail.clone(),
            None if self.fields.is_empty() => title.to_owned(),
            None => of_fields(),
        };
        let body = Body {
            r#type: format!("/problems/{}", self.code),
            title,
            status: self.status,
            code: self.code,
            detail: &detail,
            request_id,
            retry_after: self.retry_after,
            fallback: fallback.collect(),
            fields: self
                .fields
                .iter()
                .map(|field| Field { name: &field.name, problem: &field.problem })
                .collect(),
        };
        let mut out =
            HttpOut::of_type(self.status, PROBLEM_JSON, serde_json::to_vec(&body).unwrap_or_default());
        let language = match language {
            Language::En => "en",
            Language::ZhCn => "zh-CN",
        };
        out.headers.push(("content-language", language.to_owned()));
        out.headers.extend(self.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        out.headers.extend(self.allow.clone().map(|methods| ("allow", methods)));
        if self.status == 401 {
            out.headers.push(("www-authenticate", "Bearer".to_owned()));
        }
        out
    }

    const fn new(status: u16, code: &'static str, en: &'static str, zh: &'static str) -> Self {
        Self {
            status,
            code,
            title: Texts { en, zh },
            detail: None,
            retry_after: None,
            fallback: Vec::new(),
            fields: Vec::new(),
            allow: None,
            fault: None,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, retry_after, fallback, fields } = refusal;
        Self { retry_after, fallback, fields, ..Self::of(code) }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refusal(refusal) => refusal.into(),
            // The text of a provider never reaches a client.
            Failure::Upstream(_) => Refusal::to_otp(Code::OneTapUnavailable).into(),
            Failure::Fault(fault) => Self::internal(fault),
        }
    }
}
