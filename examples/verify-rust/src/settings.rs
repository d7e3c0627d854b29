//! What the backend is told from outside. Every problem is named at the start, none is guessed around.

use anyhow::{Result, bail};

/// The settings.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the service publishes its keys.
    pub(crate) jwks_url: String,
    /// `iss` of its tokens: the service's public URL.
    pub(crate) issuer: String,
    /// `aud` of the tokens for this backend: the app's id.
    pub(crate) audience: String,
    /// Key with the scope `token:introspect`; without it nobody can be asked whether a session still lives.
    pub(crate) api_key: Option<String>,
    /// Port on the loopback interface.
    pub(crate) port: u16,
}

impl Settings {
    /// Reads them by name.
    ///
    /// # Errors
    /// All problems, each with the name of its setting.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let mut problems = Vec::new();
        let mut required = |name: &str| {
            get(name).unwrap_or_else(|| {
                problems.push(format!("{name} is missing"));
                String::new()
            })
        };
        let (jwks_url, issuer) = (required("JWKS_URL"), required("ISSUER"));
        let audience = required("AUDIENCE");
        let port = get("PORT").map_or(Ok(8789), |text| text.parse());
        if port.is_err() {
            problems.push("PORT is no port number".to_owned());
        }
        match port {
            Ok(port) if problems.is_empty() => {
                Ok(Self { jwks_url, issuer, audience, api_key: get("API_KEY"), port })
            }
            _ => bail!(problems.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_named_at_once() {
        let problems = Settings::read(|name| (name == "PORT").then(|| "many".to_owned())).unwrap_err();
        let expected = "JWKS_URL is missing; ISSUER is missing; AUDIENCE is missing; PORT is no port number";
        assert_eq!(problems.to_string(), expected);
        let settings = Settings::read(|name| (name != "PORT").then(|| name.to_owned())).unwrap();
        assert_eq!((settings.issuer.as_str(), settings.port), ("ISSUER", 8789));
    }
}
