//! What an e-mail with a code says. There is room, and no machine reads it.

use super::{Apps, Recipient, fill};
use crate::model::{language::Language, otp_purpose::Purpose};

impl Apps {
    /// Subject and text.
    pub fn compose_email(&self, to: &Recipient<'_>, code: &str, minutes: u64) -> (String, String) {
        let app = self.app(to.app);
        let (subject, text, purpose) = match (to.language, to.purpose) {
            (Language::ZhCn, Purpose::Bind) => (SUBJECT_ZH, TEXT_ZH, "绑定邮箱"),
            (Language::ZhCn, _) => (SUBJECT_ZH, TEXT_ZH, "安全验证"),
            (Language::En, Purpose::Bind) => (SUBJECT_EN, TEXT_EN, "new e-mail address"),
            (Language::En, _) => (SUBJECT_EN, TEXT_EN, "security"),
        };
        let (name, minutes) = (app.name(to.language), minutes.to_string());
        let values = [code, name, app.signature(to.language), purpose, &minutes];
        (fill(subject, &values), fill(text, &values))
    }
}

const SUBJECT_ZH: &str = "{name}{purpose}验证码";
const SUBJECT_EN: &str = "Your {name} {purpose} code";
const TEXT_ZH: &str =
    "您的{name}{purpose}验证码是{code}，{minutes}分钟内有效。切勿告诉他人。\n\n若非本人操作，请忽略本邮件。";
const TEXT_EN: &str = "{code} is your {name} {purpose} code, valid for {minutes} minutes. Tell nobody.\n\n\
                       If you did not ask for it, ignore this message.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::platform::Platform;

    #[test]
    fn says_what_for_how_long_and_to_tell_nobody() {
        let names = r#"{"default": {"name": {"zh-CN": "一点通", "en": "Onetap"}}}"#;
        let apps = Apps::read(Some(names), &["default".to_owned()], "login.example", 6, 5).unwrap();
        let compose = |language, purpose| {
            let to = Recipient { app: "default", language, purpose, platform: Platform::Ios, signed: false };
            apps.compose_email(&to, "271828", 5)
        };
        let (subject, text) = compose(Language::ZhCn, Purpose::Bind);
        assert_eq!(subject, "一点通绑定邮箱验证码");
        assert!(
            text.starts_with("您的一点通绑定邮箱验证码是271828，5分钟内有效。切勿告诉他人。\n"),
            "{text}"
        );
        let (subject, text) = compose(Language::En, Purpose::StepUp);
        assert_eq!(subject, "Your Onetap security code");
        let says = "271828 is your Onetap security code, valid for 5 minutes. Tell nobody.\n";
        assert!(text.starts_with(says), "{text}");
    }
}
