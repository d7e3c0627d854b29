//! What an SMS with a code says.
//!
//! A text names purpose and life of the code and asks to tell nobody. Its last line is for machines: browsers
//! and Apple's systems offer the code only to the site it names (`@login.example #123456`,
//! <https://wicg.github.io/sms-one-time-codes/>); Android hands a message to the app whose hash stands in it
//! (<https://developers.google.com/identity/sms-retriever/verify>). One message cannot be sure to satisfy both.
//!
//! The setting `APP_MESSAGES`, where everything may be left out:
//! `{"default": {"name": {"zh-CN": "一点通", "en": "Onetap"}, "signature": {"zh-CN": "一点通"},
//! "language": "zh-CN", "host": "login.example", "androidHash": "FA+9qCX9VSu",
//! "templates": {"zh-CN": {"login": "【{signature}】登录验证码{code}"}, "en": {}}}}`.
//! The holes of a template are [`HOLES`]; the last line is added to it. `language` is that of notices, which go to
//! people who have just not asked for anything.

use serde::Deserialize;

use crate::{
    kernel::{config, table::Table},
    model::{
        language::{Language, Localized},
        otp_purpose::Purpose,
        platform::Platform,
    },
};

mod check;
mod email;
mod length;
mod notice;
mod texts;

#[cfg(test)]
mod tests;

use length::Length;

/// What a template may ask for, in braces; `code` it must.
pub const HOLES: [&str; 5] = ["code", "name", "signature", "purpose", "minutes"];

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// The app.
    pub app: &'a str,
    /// Their language.
    pub language: Language,
    /// What the code is for.
    pub purpose: Purpose,
    /// What they will read the code on.
    pub platform: Platform,
    /// They are in China, where a message needs a signature.
    pub signed: bool,
}

/// The messages of all apps.
#[derive(Debug, Clone)]
pub struct Apps {
    apps: Table<String, App>,
    built_in: App,
    host: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct App {
    name: Localized,
    signature: Localized,
    language: Option<String>,
    host: Option<String>,
    android_hash: Option<String>,
    templates: Templates,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Templates {
    #[serde(rename = "zh-CN")]
    zh_cn: Table<Purpose, String>,
    en: Table<Purpose, String>,
}

impl Apps {
    /// Reads the setting, for the apps served. `host` is the one to name where an app names none: that of the
    /// issuer, without port. `code_length` (digits) and `minutes` (a code's life) are those in force: with them
    /// every text of every served app must fit into one SMS.
    ///
    /// # Errors
    /// Every problem, beginning with the app.
    pub fn read(
        json: Option<&str>,
        served: &[String],
        host: &str,
        code_length: usize,
        minutes: u64,
    ) -> Result<Self, Vec<String>> {
        let apps = json.map_or_else(|| Ok(Table::new()), config::from_json).map_err(|error| vec![error])?;
        let apps = Self { apps, built_in: App::default(), host: host.to_owned() };
        let problems = check::problems(&apps, served, &"0".repeat(code_length), minutes);
        if problems.is_empty() { Ok(apps) } else { Err(problems) }
    }

    /// The text to send: the fullest one that fits into one SMS.
    pub fn compose(&self, to: &Recipient<'_>, code: &str, minutes: u64) -> String {
        let app = self.app(to.app);
        let last_line = match &app.android_hash {
            Some(hash) if to.platform == Platform::Android => hash.clone(),
            _ => format!("@{} #{code}", app.host.as_ref().unwrap_or(&self.host)),
        };
        let minutes = minutes.to_string();
        let text = |language, template: &str| {
            let purpose = texts::purpose(to.purpose, language);
            let values = [code, app.name(language), app.signature(language), purpose, &minutes];
            format!("{}\n{last_line}", fill(template, &values))
        };
        if let Some(own) = app.template(to.language, to.purpose) {
            return text(to.language, own);
        }
        let built_in = texts::templates(to.language, to.signed);
        let mut texts = built_in.iter().map(|(language, template)| text(*language, template));
        let fits = |text: &String| Length::of(text).fits();
        texts.clone().find(fits).or_else(|| texts.next_back()).unwrap_or_default()
    }

    /// The name of an app for people.
    pub fn name(&self, app: &str, language: Language) -> &str {
        self.app(app).name(language)
    }

    /// The language in which an app speaks to people of whom it knows none.
    pub fn language(&self, app: &str) -> Language {
        let named = self.app(app).language.as_deref();
        Language::ALL.into_iter().find(|language| named == Some(language.name())).unwrap_or(Language::ZhCn)
    }

    fn app(&self, id: &str) -> &App {
        self.apps.get(id).unwrap_or(&self.built_in)
    }
}

impl App {
    fn name(&self, language: Language) -> &str {
        self.name.get(language).unwrap_or("onetap")
    }

    fn signature(&self, language: Language) -> &str {
        self.signature.get(language).unwrap_or_else(|| self.name(language))
    }

    fn template(&self, language: Language, purpose: Purpose) -> Option<&str> {
        let own = match language {
            Language::ZhCn => &self.templates.zh_cn,
            Language::En => &self.templates.en,
        };
        own.get(&purpose).map(String::as_str)
    }
}

// One pass, so that a brace in a value opens no hole. What is no hole stays as it is.
fn fill(template: &str, values: &[&str; HOLES.len()]) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let hole = piece.split_once('}').and_then(|(name, rest)| {
            let at = HOLES.iter().position(|hole| *hole == name)?;
            Some((values.get(at)?, rest))
        });
        match hole {
            Some((value, rest)) => text.extend([*value, rest]),
            None => text.extend(["{", piece]),
        }
    }
    text
}
