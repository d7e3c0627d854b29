//! The languages we speak to people.

use serde::{Deserialize, Serialize};

/// A language we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English; also for whoever asks for none of ours.
    En,
    /// 简体中文.
    ZhCn,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The language tag (RFC 5646), as in headers, bodies and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }
}

/// A text in the languages it is known in: `{"zh-CN": "一点通", "en": "Onetap"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localized {
    #[serde(rename = "zh-CN", skip_serializing_if = "Option::is_none")]
    zh_cn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    en: Option<String>,
}

impl Localized {
    /// A text in both languages.
    pub fn new(zh_cn: &str, en: &str) -> Self {
        Self { zh_cn: Some(zh_cn.to_owned()), en: Some(en.to_owned()) }
    }

    /// The text in a language.
    pub fn get(&self, language: Language) -> Option<&str> {
        match language {
            Language::En => self.en.as_deref(),
            Language::ZhCn => self.zh_cn.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_localized_text_goes_by_language_tags() {
        let text: Localized = serde_json::from_str(r#"{"zh-CN":"一点通"}"#).unwrap();
        assert_eq!(text.get(Language::ZhCn), Some("一点通"));
        assert_eq!(text.get(Language::En), None);
        let both = serde_json::to_value(Localized::new("一点通", "Onetap")).unwrap();
        for language in Language::ALL {
            assert_eq!(both[language.name()].as_str(), Localized::new("一点通", "Onetap").get(language));
        }
        assert!(serde_json::from_str::<Localized>(r#"{"fr":"Onetap"}"#).is_err());
    }
}
