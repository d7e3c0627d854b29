//! What people are told about their account: what happened, when, and what to do. Neither number nor place.

use super::{App, Apps};
use crate::{
    kernel::time::Timestamp,
    model::{language::Language, notice::NoticeKind},
};

impl Apps {
    /// The text of a push message, in the app's language.
    pub fn notice(&self, app: &str, kind: NoticeKind, at: Timestamp) -> String {
        text(kind, self.language(app), at)
    }

    /// The text of an SMS, which says whom it is from; `signed` as carriers in China demand.
    pub fn notice_by_sms(&self, app: &str, kind: NoticeKind, at: Timestamp, signed: bool) -> String {
        let language = self.language(app);
        let text = text(kind, language, at);
        let app: &App = self.app(app);
        match (signed, language) {
            (false, Language::En) => format!("{}: {text}", app.name(language)),
            (true, _) | (_, Language::ZhCn) => format!("【{}】{text}", app.signature(language)),
        }
    }
}

fn text(kind: NoticeKind, language: Language, at: Timestamp) -> String {
    let (zh, en) = match kind {
        // People are not told.
        NoticeKind::AccountCreated | NoticeKind::SignInHeld => ("", ""),
        NoticeKind::NewDevice => (
            "您的账号在新设备上登录。若非本人操作，请在应用内移除该设备。",
            "a new device signed in. Not you? Remove it in the app.",
        ),
        NoticeKind::TokenReused => (
            "您的一处登录疑似被盗用，已被退出。请在应用内检查登录设备。",
            "a sign-in may have been stolen and was ended. Check your devices.",
        ),
        NoticeKind::ApprovalRequested => (
            "新设备请求登录您的账号。若是本人，请在应用内确认；否则请拒绝。",
            "a new device asks to sign in. Approve it in the app if it is yours, else deny it.",
        ),
        NoticeKind::ApprovalDenied => (
            "一次登录您账号的请求被拒绝。若有疑问，请在应用内检查登录设备。",
            "a sign-in to your account was denied. Unexpected? Check your devices.",
        ),
        NoticeKind::PasswordChanged => (
            "您的账号密码已修改。若非本人操作，请尽快重置密码。",
            "your password was changed. Not you? Reset it now.",
        ),
        NoticeKind::IdentityBound => (
            "您的账号新增了一种登录方式。若非本人操作，请在应用内解绑。",
            "a new way to sign in was added. Not you? Remove it in the app.",
        ),
        NoticeKind::IdentityUnbound => (
            "您的账号解绑了一种登录方式。若非本人操作，请检查账号安全。",
            "a way to sign in was removed. Not you? Check your account.",
        ),
        NoticeKind::PhoneChangeRequested => (
            "有人申请更换您账号的手机号，等待期后可生效。若非本人，请在应用内撤销。",
            "a new number was asked for on your account. Not you? Object in the app.",
        ),
        NoticeKind::PhoneChanged => (
            "您账号的手机号已更换。若非本人操作，请立即联系客服。",
            "the number of your account was changed. Not you? Contact support.",
        ),
        NoticeKind::SessionsEnded => (
            "新设备让您的其他设备退出了登录。若非本人操作，请尽快重新登录检查。",
            "a new device signed your other devices out. Not you? Sign in and check.",
        ),
        NoticeKind::ProtectionOff => (
            "您的账号已关闭登录保护。若非本人操作，请在应用内重新开启。",
            "login protection was switched off. Not you? Switch it on in the app.",
        ),
        NoticeKind::TrustedPhoneAdded => (
            "您的账号新增了一个可信手机号。若非本人操作，请在应用内移除。",
            "a trusted phone was added to your account. Not you? Remove it in the app.",
        ),
        NoticeKind::TrustedPhoneRemoved => (
            "您的账号移除了一个可信手机号。若非本人操作，请检查账号安全。",
            "a trusted phone was removed. Not you? Check your account.",
        ),
        NoticeKind::AccountExported => (
            "您的账号数据已被导出。若非本人操作，请尽快修改密码。",
            "the data of your account was exported. Not you? Change your password.",
        ),
        NoticeKind::DeletionRequested => (
            "您的账号已申请注销。若非本人操作，请立即联系客服恢复。",
            "your account is to be deleted. Not you? Contact support at once.",
        ),
        NoticeKind::NumberClaimed => (
            "有人表示您账号的手机号已归其使用，三天后该号码将与您的账号解绑。若号码仍是您的，请在应用内提出异议。",
            "somebody says your number is theirs now; it leaves your account in three days. Still yours? Object in the app.",
        ),
        NoticeKind::NumberReassigned => (
            "您账号的手机号已归他人使用，已与您的账号解绑。请在应用内绑定新号码；若有异议，请在七天内提出。",
            "your number is somebody else's now and has left your account. Add a new one; object in the app within 7 days.",
        ),
        NoticeKind::AppealOpened => (
            "有人就您的账号提交了申诉。若非本人操作，请在常用设备的应用内拒绝。",
            "somebody appeals for your account. Not you? Refuse it in the app on a known device.",
        ),
        NoticeKind::FriendsAsked => (
            "有人正请您的好友为其证明是您本人。若非本人操作，请在常用设备的应用内拒绝。",
            "somebody asks your friends to confirm that they are you. Not you? Refuse it in the app on a known device.",
        ),
        NoticeKind::AppealDecided => (
            "与您的账号有关的申诉或异议已有结果，请在应用内查看；若有疑问，请联系客服。",
            "an appeal or objection about your account was decided. See the app, or contact support.",
        ),
        NoticeKind::MoneyEnds => (
            "三天后您的账号将不再按资金账号保护。若有疑问，请立即联系客服。",
            "in three days your account is guarded no more as one with money. Wrong? Contact support.",
        ),
    };
    let at = clock(at, language);
    match language {
        Language::ZhCn => format!("{at} {zh}"),
        Language::En => format!("{at}, {en}"),
    }
}

/// Day, hour and minute: in China's time for who reads Chinese, else in UTC.
fn clock(at: Timestamp, language: Language) -> String {
    let (china, utc) = (at.compact17(), at.rfc3339());
    let china = |from, to| china.get(from..to).unwrap_or_default();
    let utc = |from, to| utc.get(from..to).unwrap_or_default();
    match language {
        Language::ZhCn => format!("{}-{} {}:{}", china(4, 6), china(6, 8), china(8, 10), china(10, 12)),
        Language::En => format!("{} {} UTC", utc(5, 10), utc(11, 16)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::message::length::Length;

    fn apps(json: &str) -> Apps {
        Apps::read(Some(json), &["default".to_owned()], "login.example", 6, 5).unwrap()
    }

    #[test]
    fn every_notice_is_one_sms_that_says_what_when_and_what_to_do() {
        // 2026-11-20T04:05:00Z, five past noon in China.
        let at = Timestamp::from_secs(1_795_147_500);
        for (language, when, signature) in
            [("zh-CN", "11-20 12:05 ", "十二个字的签名在这里了吧"), ("en", "11-20 04:05 UTC, ", "onetap")]
        {
            let apps = apps(&format!(
                r#"{{"default":{{"language":"{language}","signature":{{"zh-CN":"{signature}"}}}}}}"#
            ));
            for kind in &NoticeKind::ALL[1..] {
                let push = apps.notice("default", *kind, at);
                assert!(push.starts_with(when), "{push}");
                let signed = language == "zh-CN";
                let text = apps.notice_by_sms("default", *kind, at, signed);
                assert!(text.ends_with(&push), "{text}");
                assert!(!kind.warns() || Length::of(&text).fits(), "{text} {:?}", Length::of(&text));
                assert_eq!(text.starts_with('【'), signed);
            }
        }
    }
}
