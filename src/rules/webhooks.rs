//! Where backends want to be told: the setting `WEBHOOKS`.
//!
//! `[{"url": "https://backend.example/hooks", "secret": "whsec_...", "app": "default", "events": ["login.new_device"]}]`.
//! Without `app` it is told of every app, without `events` of everything. `secret` may hold several, separated by
//! blanks, while one takes the place of another.

use serde::Deserialize;

use crate::{
    kernel::{config, digest::sha256, encoding::hex, webhook::WebhookSecret},
    model::notice::{Notice, NoticeKind},
};

/// One receiver.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name in messages on their way to it: made of the URL, which may hold a secret.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// What it knows our messages by.
    pub secrets: Vec<WebhookSecret>,
    app: Option<String>,
    events: Option<Vec<NoticeKind>>,
}

impl Webhook {
    /// Reads the setting. `served` are the apps; `http` URLs only where `allows_http`.
    ///
    /// # Errors
    /// Every problem, naming the entry; no URL and no secret is quoted.
    pub fn read(json: &str, served: &[String], allows_http: bool) -> Result<Vec<Self>, Vec<String>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Entry {
            url: String,
            secret: String,
            app: Option<String>,
            events: Option<Vec<String>>,
        }
        // The parser's own words could quote a secret.
        let entries: Vec<Entry> = config::from_json(json).map_err(|_| {
            vec!["is not a JSON array of {\"url\", \"secret\", \"app\"?, \"events\"?}".to_owned()]
        })?;
        let mut problems = Vec::new();
        let mut hooks: Vec<Self> = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            let mut problem = |text: &str| problems.push(format!("entry {at}: {text}"));
            if !is_url(&entry.url, allows_http) {
                problem("\"url\" is not an https URL");
            }
            let secrets: Option<Vec<_>> =
                entry.secret.split_ascii_whitespace().map(WebhookSecret::read).collect();
            let secrets = secrets.unwrap_or_default();
            if secrets.is_empty() {
                problem("\"secret\" is not whsec_ and 24 to 64 bytes in Base64");
            }
            if entry.app.as_ref().is_some_and(|app| !served.contains(app)) {
                problem("\"app\" is not in APPS");
            }
            let kind = |name: &String| NoticeKind::ALL.into_iter().find(|kind| kind.name() == name);
            let events = entry.events.map(|names| names.iter().map(kind).collect::<Option<Vec<_>>>());
            if events.as_ref().is_some_and(Option::is_none) {
                let known = NoticeKind::ALL.map(NoticeKind::name).join(", ");
                problem(&format!("\"events\" are not of {known}"));
            }
            let name = hex(&sha256(entry.url.as_bytes()));
            if hooks.iter().any(|other| other.name == name) {
                problem("the URL stands twice");
            }
            let events = events.flatten();
            hooks.push(Self { name, url: entry.url, secrets, app: entry.app, events });
        }
        if problems.is_empty() { Ok(hooks) } else { Err(problems) }
    }

    /// Whether it wants to be told.
    pub fn wants(&self, notice: &Notice) -> bool {
        self.app.as_ref().is_none_or(|app| *app == notice.app)
            && self.events.as_ref().is_none_or(|events| events.contains(&notice.kind))
    }
}

fn is_url(url: &str, allows_http: bool) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| allows_http));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    !host.is_empty() && !host.contains('@') && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{id::AccountId, time::Timestamp};

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn read(json: &str) -> Result<Vec<Webhook>, Vec<String>> {
        Webhook::read(json, &["default".to_owned(), "shop".to_owned()], false)
    }

    fn notice(kind: NoticeKind, app: &str) -> Notice {
        let (account, at) = (AccountId::from_bytes([1; 16]), Timestamp::from_secs(0));
        Notice { number: 1, kind, account, session: None, device: None, app: app.to_owned(), at }
    }

    #[test]
    fn a_backend_is_told_what_it_asked_for() {
        let json = format!(
            r#"[{{"url":"https://a.example/h?k=1","secret":"{SECRET}"}},
                {{"url":"https://b.example","secret":"{SECRET} {SECRET}","app":"shop","events":["account.created"]}}]"#
        );
        let hooks = read(&json).unwrap();
        assert_eq!((hooks[0].secrets.len(), hooks[1].secrets.len()), (1, 2));
        assert_ne!(hooks[0].name, hooks[1].name);
        for (kind, app, wanted) in [
            (NoticeKind::AccountCreated, "shop", [true, true]),
            (NoticeKind::AccountCreated, "default", [true, false]),
            (NoticeKind::TokenReused, "shop", [true, false]),
        ] {
            assert_eq!([0, 1].map(|at| hooks[at].wants(&notice(kind, app))), wanted, "{kind:?} {app}");
        }
    }

    #[test]
    fn all_problems_are_named_and_nothing_is_quoted() {
        let json = format!(
            r#"[{{"url":"http://hook.example","secret":"whsec_c2hvcnQ="}},
                {{"url":"https://u@hook.example","secret":"{SECRET}","app":"ghost","events":["login"]}},
                {{"url":"https://u@hook.example","secret":"{SECRET}"}}]"#
        );
        let problems = read(&json).unwrap_err();
        for (at, problem) in [
            (0, "\"url\""),
            (0, "\"secret\""),
            (1, "\"url\""),
            (1, "\"app\""),
            (1, "\"events\""),
            (2, "twice"),
        ] {
            let found = |text: &&String| text.starts_with(&format!("entry {at}")) && text.contains(problem);
            assert!(problems.iter().any(|text| found(&text)), "{at} {problem} {problems:?}");
        }
        assert_eq!(problems.len(), 7, "{problems:?}");
        assert!(!problems.concat().contains("hook.example") && !problems.concat().contains("whsec_c2"));
        assert!(
            read(&format!(r#"[{{"url":"https://a","secret":"{SECRET}","x":"s3cret"}}]"#)).unwrap_err().len()
                == 1
        );
        assert!(Webhook::read(&json.replace("u@", ""), &["ghost".to_owned()], true).unwrap_err().len() < 5);
    }
}
