//! The built-in texts. Short: with signature and last line a Chinese one has 70 characters.

use crate::model::{language::Language, otp_purpose::Purpose};

/// The templates that say it in a language, the fullest first. Carriers in China deliver nothing without a
/// signature; with one, English has as little room as Chinese, and less than it needs when the host is long.
pub(super) const fn templates(language: Language, signed: bool) -> &'static [(Language, &'static str)] {
    const ZH: (Language, &str) =
        (Language::ZhCn, "【{signature}】{purpose}验证码{code}，{minutes}分钟有效，切勿告诉他人。");
    const ZH_SHORT: (Language, &str) = (Language::ZhCn, "【{signature}】{code}{purpose}码，勿告他人。");
    const EN: (Language, &str) =
        (Language::En, "{code} is your {name} {purpose} code, valid for {minutes} min. Tell nobody.");
    const EN_SIGNED: (Language, &str) = (Language::En, "【{signature}】{code} {purpose} code. Tell nobody.");
    match (language, signed) {
        (Language::ZhCn, _) => &[ZH, ZH_SHORT],
        (Language::En, false) => &[EN],
        (Language::En, true) => &[EN_SIGNED, ZH, ZH_SHORT],
    }
}

/// The words for a purpose that fit into the templates.
pub(super) const fn purpose(purpose: Purpose, language: Language) -> &'static str {
    let (zh, en) = match purpose {
        Purpose::Login => ("登录", "sign-in"),
        Purpose::Bind => ("绑定手机", "new phone"),
        Purpose::ChangePhone => ("更换手机", "phone change"),
        Purpose::ResetPassword => ("重置密码", "password"),
        Purpose::TrustedPhone => ("信任手机", "trusted phone"),
        Purpose::StepUp => ("安全", "security"),
        Purpose::RealName => ("实名认证", "real-name"),
    };
    match language {
        Language::ZhCn => zh,
        Language::En => en,
    }
}
