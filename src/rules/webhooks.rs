//! Where backends want to be told: the setting `WEBHOOKS`.
//!
//! `[{"url": "https://backend.example/hooks", "secret": "whsec_...", "app": "default", "events": ["login.new_device"]}]`.
//! Without `app` it is told of every app, without `events` of everything. `secret` may be a list of several, while one
//! takes the place of another.

use crate::{
    kernel::{
        config::{self, Members},
        digest::sha256,
        encoding::hex,
        webhook::WebhookSecret,
    },
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
    events: Option<Vec<String>>,
}

impl Webhook {
    /// Reads the setting. `served` are the apps; `http` URLs only where `allows_http`.
    ///
    /// # Errors
    /// Every problem, naming the entry; no URL and no secret is quoted.
    pub fn read(json: &str, served: &[String], allows_http: bool) -> Result<Vec<Self>, Vec<String>> {
        let Some(entries) = config::entries(json) else {
            return Err(vec![
                "is not a JSON array of {\"url\", \"secret\", \"app\"?, \"events\"?}".to_owned(),
            ]);
        };
        let mut problems = Vec::new();
        let mut hooks: Vec<Self> = Vec::new();
        for (at, mut entry) in entries.into_iter().enumerate() {
            let mut problem = |text: &str| problems.push(format!("entry {at}: {text}"));
            let url = one(take(&mut entry, "url")).unwrap_or_default();
            if !is_url(&url, allows_http) {
                problem("\"url\" is not an https URL");
            }
            let mut secrets = Vec::new();
            for text in take(&mut entry, "secret").unwrap_or_default() {
                match WebhookSecret::read(&text) {
                    Some(secret) => secrets.push(secret),
                    None => problem("\"secret\" is not whsec_ and 24 to 64 bytes in Base64"),
                }
            }
            if secrets.is_empty() {
                problem("has no \"secret\"");
            }
            let app = one(take(&mut entry, "app"));
            if app.as_ref().is_some_and(|app| !served.contains(app)) {
                problem("\"app\" is not in APPS");
            }
            let events = take(&mut entry, "events");
            let is_known = |name: &String| NoticeKind::ALL.iter().any(|kind| kind.name() == name);
            if events.as_ref().is_some_and(|names| !names.iter().all(is_known)) {
                problem(&format!(
                    "\"events\" are not of {}",
                    NoticeKind::ALL.map(NoticeKind::name).join(", ")
                ));
            }
            for (name, _) in &entry {
                problem(&format!("\"{name}\" is unknown"));
            }
            let name = hex(&sha256(url.as_bytes()));
            if hooks.iter().any(|other| other.name == name) {
                problem("the URL stands twice");
            }
            hooks.push(Self { name, url, secrets, app, events });
        }
        if problems.is_empty() { Ok(hooks) } else { Err(problems) }
    }

    /// Whether it wants to be told.
    pub fn wants(&self, notice: &Notice) -> bool {
        self.app.as_ref().is_none_or(|app| *app == notice.app)
            && self.events.as_ref().is_none_or(|events| events.iter().any(|name| name == notice.kind.name()))
    }
}

fn take(entry: &mut Members, name: &str) -> Option<Vec<String>> {
    let at = entry.iter().position(|(known, _)| known == name)?;
    Some(entry.swap_remove(at).1)
}

/// The only text of a list; an empty one, which nothing may be, where there is not just one.
fn one(texts: Option<Vec<String>>) -> Option<String> {
    let mut texts = texts?;
    if texts.len() == 1 { texts.pop() } else { Some(String::new()) }
}

fn is_url(url: &str, allows_http: bool) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| allows_http));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    !host.is_empty() && !host.contains('@') && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{id::AccountId, time::Timestamp},
        model::notice::Channel,
    };

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn read(json: &str) -> Result<Vec<Webhook>, Vec<String>> {
        Webhook::read(json, &["default".to_owned(), "shop".to_owned()], false)
    }

    fn notice(kind: NoticeKind, app: &str) -> Notice {
        let (account, at) = (AccountId::from_bytes([1; 16]), Timestamp::from_secs(0));
        let (app, channel) = (app.to_owned(), Channel::Webhooks);
        Notice { number: 1, kind, account, session: None, device: None, app, at, channel }
    }

    #[test]
    fn a_backend_is_told_what_it_asked_for() {
        let json = format!(
            r#"[{{"url":"https://a.example/h?k=1","secret":"{SECRET}"}},
                {{"url":"https://b.example","secret":["{SECRET}","{SECRET}"],"app":"shop","events":["account.created"]}}]"#
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
        assert_eq!(problems.len(), 8, "{problems:?}");
        assert!(!problems.concat().contains("hook.example") && !problems.concat().contains("whsec_c2"));
        assert!(
            read(&format!(r#"[{{"url":"https://a","secret":"{SECRET}","x":"s3cret"}}]"#)).unwrap_err().len()
                == 1
        );
        assert!(Webhook::read(&json.replace("u@", ""), &["ghost".to_owned()], true).unwrap_err().len() < 5);
    }
}
