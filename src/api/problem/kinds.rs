//! The codes of the contract: what each means, in the languages we speak.

use super::Kind;
use crate::model::refusal::Code;

/// What a code stands for.
pub(super) const fn of(code: Code) -> &'static Kind {
    match code {
        Code::InvalidRequest => {
            &Kind {
                status: 400, code: "invalid_request", en: "The request is not valid.", zh: "请求无效。"
            }
        }
        Code::InvalidPhone => &Kind {
            status: 400,
            code: "invalid_phone",
            en: "This is not a mobile number.",
            zh: "手机号码无效。",
        },
        Code::Unauthenticated => &Kind {
            status: 401,
            code: "unauthenticated",
            en: "Sign in, or send a valid key.",
            zh: "未登录或凭证无效。",
        },
        Code::Forbidden => {
            &Kind { status: 403, code: "forbidden", en: "This is not allowed.", zh: "没有权限。" }
        }
        Code::ReauthenticationRequired => &Kind {
            status: 403,
            code: "reauthentication_required",
            en: "Prove who you are first, or use a device that is known.",
            zh: "请先验证身份，或在常用设备上操作。",
        },
        Code::NotFound => {
            &Kind { status: 404, code: "not_found", en: "There is nothing here.", zh: "未找到。" }
        }
        Code::RateLimited => &Kind {
            status: 429,
            code: "rate_limited",
            en: "Too many requests.",
            zh: "请求过于频繁，请稍后再试。",
        },
        Code::OneTapRejected => &Kind {
            status: 422,
            code: "one_tap_rejected",
            en: "One-tap login did not succeed.",
            zh: "一键登录未成功，请换用其他方式。",
        },
        Code::OneTapUnavailable => &Kind {
            status: 503,
            code: "one_tap_unavailable",
            en: "One-tap login is not available now.",
            zh: "一键登录暂不可用，请换用其他方式。",
        },
        Code::TryAgain => &Kind {
            status: 503,
            code: "try_again",
            en: "The first of these requests is still running.",
            zh: "相同请求正在处理，请稍后再试。",
        },
        Code::IdempotencyConflict => &Kind {
            status: 422,
            code: "idempotency_conflict",
            en: "The Idempotency-Key was used with another request.",
            zh: "该 Idempotency-Key 已用于其他请求。",
        },
        Code::SessionExpired => &Kind {
            status: 401,
            code: "session_expired",
            en: "The session has expired.",
            zh: "登录已过期，请重新登录。",
        },
        Code::SessionRevoked => &Kind {
            status: 401,
            code: "session_revoked",
            en: "The session was ended.",
            zh: "登录已失效，请重新登录。",
        },
        Code::OtpIncorrect => &Kind {
            status: 401,
            code: "otp_incorrect",
            en: "The code is not correct, or no longer valid.",
            zh: "验证码错误或已失效。",
        },
        Code::BotCheckRequired => &Kind {
            status: 403,
            code: "bot_check_required",
            en: "Pass the bot check and send again.",
            zh: "请完成人机验证后重试。",
        },
        Code::SmsUnavailable => &Kind {
            status: 503,
            code: "sms_unavailable",
            en: "The message cannot be sent to this number now.",
            zh: "暂时无法向该号码发送短信。",
        },
        Code::EmailUnavailable => &Kind {
            status: 503,
            code: "email_unavailable",
            en: "The message cannot be sent to this address now.",
            zh: "暂时无法向该邮箱发送邮件。",
        },
        Code::RiskDenied => &Kind {
            status: 403,
            code: "risk_denied",
            en: "This is not possible now.",
            zh: "操作存在风险，已被拒绝。",
        },
        Code::TicketInvalid => &Kind {
            status: 410,
            code: "ticket_invalid",
            en: "The ticket is unknown, used or expired.",
            zh: "凭据无效或已过期。",
        },
        Code::CaseConflict => &Kind {
            status: 409,
            code: "case_conflict",
            en: "The case does not stand so that this could be done.",
            zh: "该申诉或异议的当前状态不允许此操作。",
        },
        Code::ProofFailed => {
            &Kind {
                status: 403, code: "proof_failed", en: "This was not confirmed.", zh: "验证未通过。"
            }
        }
        Code::ProofsExhausted => &Kind {
            status: 403,
            code: "proofs_exhausted",
            en: "Too much was tried. Only an appeal can help.",
            zh: "验证次数过多，请提交申诉。",
        },
        Code::AccountFrozen => &Kind {
            status: 403,
            code: "account_frozen",
            en: "The account is frozen or deleted.",
            zh: "账号已被冻结或注销。",
        },
        Code::InvalidCredentials => &Kind {
            status: 401,
            code: "invalid_credentials",
            en: "This does not sign anybody in.",
            zh: "账号或密码错误，或授权已失效。",
        },
        Code::IdentityInUse => &Kind {
            status: 409,
            code: "identity_in_use",
            en: "This cannot be bound: it is in use, or another of its kind is bound.",
            zh: "无法绑定：该账号已被使用，或已绑定同类账号。",
        },
        Code::PhoneInUse => &Kind {
            status: 409,
            code: "phone_in_use",
            en: "This number is in use.",
            zh: "该手机号已被使用。",
        },
        Code::LastIdentity => &Kind {
            status: 409,
            code: "last_identity",
            en: "Nothing else would lead to the account.",
            zh: "这是最后一种登录方式，不能解绑。",
        },
        Code::IdentityUnavailable => &Kind {
            status: 503,
            code: "identity_unavailable",
            en: "This way to sign in is not available now.",
            zh: "该登录方式暂不可用，请换用其他方式。",
        },
    }
}
