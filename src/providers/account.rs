//! An operator's account with a provider.

use serde_json::{Map, Value};

use crate::{
    kernel::{secret::Secret, table::Table},
    model::platform::Platform,
};

use super::{
    accounts, countries,
    document::{Certainty, Document},
};

/// The purpose of templates without a code: those of notices.
pub const NOTICE: &str = "notice";

/// One account with one provider.
#[derive(Debug, Clone)]
pub struct Account {
    /// Id of the provider's document.
    pub provider: String,
    /// The app it belongs to; `default` when the entry names none.
    pub app: String,
    /// The platforms it is for; all when the entry names none.
    pub platforms: Option<Vec<Platform>>,
    /// Where requests go instead of to the vendor: a relay with a fixed address.
    pub base_url: Option<String>,
    /// The operator has tried the provider, though the facts of its document are only assumed.
    pub confirmed: bool,
    /// What clients call a third-party login: the provider's id, or what the operator chose for an issuer of OpenID
    /// Connect.
    pub kind: String,
    /// Third-party login: codes are taken that no browser was sent for, as the vendor's SDK in an app gives them out.
    pub native: bool,
    pub(super) settings: Settings,
    pub(super) messages: Messages,
}

/// Names and values of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) values: Table<String, Secret<String>>,
    /// Those that are no secrets.
    pub(super) public: Vec<String>,
}

/// What only accounts that share work have: those for messages, and, but for the templates, those for questions about
/// a number.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    pub(super) countries: Option<Vec<String>>,
    pub(super) weight: u64,
    pub(super) templates: Table<String, String>,
    pub(super) template_params: Vec<String>,
}

impl Default for Messages {
    fn default() -> Self {
        let template_params = vec!["code".to_owned()];
        Self { countries: None, weight: 1, templates: Table::new(), template_params }
    }
}

impl Account {
    /// An account for all platforms of an app, with whatever document.
    ///
    /// # Errors
    /// Every problem, naming the setting, never a value.
    pub fn new(document: &Document, app: &str, settings: Map<String, Value>) -> Result<Self, Vec<String>> {
        let (settings, problems) = accounts::read_settings(document, settings);
        if !problems.is_empty() {
            return Err(problems);
        }
        let (provider, app) = (document.id().to_owned(), app.to_owned());
        Ok(Self {
            kind: provider.clone(),
            provider,
            app,
            platforms: None,
            base_url: None,
            confirmed: false,
            native: false,
            settings,
            messages: Messages::default(),
        })
    }

    /// Whether it is for this platform.
    pub fn serves(&self, platform: Platform) -> bool {
        self.platforms.as_ref().is_none_or(|platforms| platforms.contains(&platform))
    }

    /// SMS, questions about a number: the countries that it is kept to, within those of its document; `None` for all of them. Same forms as
    /// in documents.
    pub fn countries(&self) -> Option<&[String]> {
        self.messages.countries.as_deref()
    }

    /// The same: whether it may be used for a country, named by its E.164 country code (`86`). The document must serve
    /// the country too: [`Document::serves_country`].
    pub fn serves_country(&self, code: &str) -> bool {
        self.countries().is_none_or(|list| countries::serve(list, code))
    }

    /// SMS, e-mail, questions about a number: its share among several, 0 to 100. With 0 it is used only when the others refused.
    pub fn weight(&self) -> u64 {
        self.messages.weight
    }

    /// SMS, e-mail: the vendor's id of the template for a purpose (`login`) in a language (`zh-CN`): the one for both, for
    /// the purpose, or for everything with a code.
    pub fn template(&self, purpose: &str, language: &str) -> Option<&str> {
        let templates = &self.messages.templates;
        let general = if purpose == NOTICE { NOTICE } else { "default" };
        let names = [&format!("{purpose}.{language}"), purpose, general];
        names.into_iter().find_map(|name| templates.get(name)).map(String::as_str)
    }

    /// SMS, e-mail: the parameters of its templates in their order: of `code`, `minutes` and `app`.
    pub fn template_params(&self) -> &[String] {
        &self.messages.template_params
    }

    /// A setting that is no secret, such as the site key that a bot check's widget needs.
    pub fn public_setting(&self, name: &str) -> Option<&str> {
        let is_public = self.settings.public.iter().any(|public| public == name);
        is_public.then(|| self.settings.values.get(name)).flatten().map(|value| value.expose().as_str())
    }

    /// Whether production may use it with this document: facts that are only assumed need the operator's word.
    pub fn fit_for_production(&self, document: &Document) -> bool {
        document.certainty() != Certainty::Assumed || self.confirmed
    }

    pub(super) const fn settings(&self) -> &Table<String, Secret<String>> {
        &self.settings.values
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{Capability, accounts_from_json, find},
        NOTICE,
    };

    #[test]
    fn templates_are_found_from_the_particular_to_the_general() {
        let json = json!([{
            "provider": "aliyun_sms", "weight": 0, "countries": ["86"], "templateParams": ["code", "minutes"],
            "templates": {"default": "d", "login": "l", "login.zh-CN": "z", "notice.en": "n"},
            "settings": {"accessKeyId": "i", "accessKeySecret": "s", "signName": "n"}
        }]);
        let account = accounts_from_json(&json.to_string()).unwrap().remove(0);
        for (purpose, language, id) in
            [("login", "zh-CN", "z"), ("login", "en", "l"), ("bind", "zh-CN", "d"), ("default", "en", "d")]
        {
            assert_eq!(account.template(purpose, language), Some(id), "{purpose}.{language}");
        }
        // What is made for a code says nothing without one.
        assert_eq!((account.template(NOTICE, "en"), account.template(NOTICE, "zh-CN")), (Some("n"), None));
        assert_eq!((account.weight(), account.template_params().len()), (0, 2));
        assert!(account.serves_country("86") && !account.serves_country("1"));
        assert!(find("aliyun_sms").unwrap().serves_country(Capability::Sms, "86"));
    }

    #[test]
    fn only_what_is_no_secret_is_told() {
        let json = json!([{"provider": "turnstile", "settings": {"siteKey": "k", "secretKey": "s"}}]);
        let account = accounts_from_json(&json.to_string()).unwrap().remove(0);
        assert_eq!(account.public_setting("siteKey"), Some("k"));
        assert_eq!((account.public_setting("secretKey"), account.public_setting("nobody")), (None, None));
        assert!(account.template("login", "en").is_none() && account.serves_country("1"));
        assert_eq!((account.weight(), account.template_params()), (1, &["code".to_owned()][..]));
    }
}
