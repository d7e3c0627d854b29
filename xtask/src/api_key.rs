//! Makes an API key: printed once, only its digest is stored.

use std::ops::RangeInclusive;
use std::process::Command;

use anyhow::{Context, Result, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::secrets::entropy;
use crate::shell::{capture, npm_tool, say, variable};
use crate::{setup, vars};

/// Roles that the back office knows; most keys are a backend's.
const ROLES: [&str; 5] = ["backend", "viewer", "support", "operator", "security"];

/// Scopes that the service knows.
const SCOPES: &[&str] = &[
    "one_tap:exchange",
    "phone:read",
    "token:introspect",
    "token:revoke",
    "account:freeze",
    "account:protect",
    "account:restore",
    "account:import",
    "account:facts",
    "account:friends",
    "account:money",
    "cases:read",
    "cases:decide",
];

/// What a key may be given of its own, as the columns in `migrations/` allow.
const PER_MINUTE: RangeInclusive<u32> = 1..=30_000;
const PER_MONTH: RangeInclusive<u32> = 1..=1_000_000_000;

/// Creates the key that `NAME`, `SCOPES`, `MODE`, `PER_MINUTE`, `PER_MONTH`, `APPS` and `ROLE` describe, in the local state or
/// (`REMOTE=1`) in production.
pub(crate) fn create() -> Result<()> {
    let order = Order::read(variable)?;
    setup::all()?;
    let key = order.key(&entropy::<32>()?);
    let answer = capture(&mut statement(&order.sql(&key))?, "see the lines above")?;
    if !is_stored(&answer)? {
        bail!(
            "there is, or was, a key named {}: choose another NAME, so that the audit stays unambiguous",
            order.name
        );
    }
    say("the key is shown this once; only its digest is stored");
    println!("{key}");
    Ok(())
}

/// A key to be made, checked.
#[derive(Debug)]
struct Order {
    name: String,
    scopes: String,
    role: String,
    is_test: bool,
    per_minute: Option<u32>,
    per_month: Option<u32>,
    apps: Option<String>,
}

impl Order {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let usage = "usage: make api-key NAME=backend SCOPES=\"one_tap:exchange phone:read\" [MODE=test] \
                     [PER_MINUTE=600] [PER_MONTH=1000000] [APPS=shop] [ROLE=backend] [REMOTE=1]";
        let name = variable("NAME").context(usage)?;
        let scopes = variable("SCOPES").context(usage)?;
        let role = variable("ROLE").unwrap_or_else(|| "backend".into());
        let plain =
            |text: &str, extra: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
        if !plain(&name, " ._-") || !plain(&scopes, ":_ ") {
            bail!("NAME and SCOPES are made of letters, digits and . _ - : only; {usage}");
        }
        let apps = variable("APPS");
        if apps.as_deref().is_some_and(|apps| !plain(apps, "-_. ")) {
            bail!("APPS is made of ids of apps, separated by blanks; {usage}");
        }
        if let Some(unknown) = scopes.split_whitespace().find(|scope| !SCOPES.contains(scope)) {
            bail!("the scope {unknown} is unknown: use some of {}", SCOPES.join(", "));
        }
        if !ROLES.contains(&role.as_str()) {
            bail!("ROLE={role} is unknown: use one of {}", ROLES.join(", "));
        }
        let is_test = match variable("MODE").as_deref() {
            None | Some("live") => false,
            Some("test") => true,
            Some(other) => bail!("MODE={other} is unknown: use live or test"),
        };
        let limit = |name: &str, range: RangeInclusive<u32>| -> Result<Option<u32>> {
            let Some(text) = variable(name) else { return Ok(None) };
            let limit = text.parse().ok().filter(|limit| range.contains(limit));
            limit.map(Some).with_context(|| {
                format!("{name}={text} is no whole number from {} to {}", range.start(), range.end())
            })
        };
        let (per_minute, per_month) = (limit("PER_MINUTE", PER_MINUTE)?, limit("PER_MONTH", PER_MONTH)?);
        if let (Some(minute), Some(month)) = (per_minute, per_month)
            && minute > month
        {
            bail!("PER_MINUTE={minute} is more than PER_MONTH={month}");
        }
        Ok(Self { name, scopes, role, is_test, per_minute, per_month, apps })
    }

    /// The key itself. One for tests looks different, so that nobody mixes them up.
    fn key(&self, random: &[u8]) -> String {
        let prefix = if self.is_test { "oak_test_" } else { "oak_" };
        format!("{prefix}{}", BASE64URL_NOPAD.encode(random))
    }

    fn sql(&self, key: &str) -> String {
        let Self { name, scopes, role, .. } = self;
        let digest = HEXLOWER.encode(&Sha256::digest(key));
        let mode = if self.is_test { "test" } else { "live" };
        let or_null = |limit: Option<u32>| limit.map_or("NULL".to_owned(), |limit| limit.to_string());
        format!(
            "INSERT INTO api_keys (digest, name, scopes, role, mode, calls_per_minute, calls_per_month, apps, \
             created_at) VALUES ('{digest}', '{name}', '{scopes}', '{role}', '{mode}', {}, {}, {}, \
             unixepoch() * 1000) \
             ON CONFLICT (name) DO NOTHING RETURNING name",
            or_null(self.per_minute),
            or_null(self.per_month),
            self.apps.as_ref().map_or("NULL".to_owned(), |apps| format!("'{apps}'"))
        )
    }
}

/// Whether the statement, whose results wrangler lists as JSON, made a row.
fn is_stored(answer: &str) -> Result<bool> {
    let answer: Value = serde_json::from_str(answer).with_context(|| {
        format!("wrangler's answer is not understood, see whether the key is there: {answer}")
    })?;
    Ok(answer.pointer("/0/results").and_then(Value::as_array).is_some_and(|rows| !rows.is_empty()))
}

fn statement(sql: &str) -> Result<Command> {
    if variable("REMOTE").is_some() {
        return npm_tool(
            "wrangler",
            &["d1", "execute", "DB", "--yes", "--json", "--remote", "--command", sql],
        );
    }
    let state = vars::state()?;
    setup::migrate(&state)?;
    let place = state.to_string_lossy().into_owned();
    npm_tool(
        "wrangler",
        &["d1", "execute", "DB", "--yes", "--json", "--local", "--persist-to", &place, "--command", sql],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Order> {
        let given = [&[("NAME", "shop"), ("SCOPES", "phone:read")], more].concat();
        Order::read(|name| {
            given.iter().rfind(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn what_is_asked_for_is_stored() {
        let order = read(&[("MODE", "test"), ("PER_MINUTE", "20"), ("PER_MONTH", "1000")]).unwrap();
        let key = order.key(&[0; 32]);
        assert_eq!(key, format!("oak_test_{}", "A".repeat(43)));
        let sql = order.sql(&key);
        assert!(sql.contains("'shop', 'phone:read', 'backend', 'test', 20, 1000,"), "{sql}");
        let plain = read(&[]).unwrap();
        let key = plain.key(&[0; 32]);
        assert!(key.starts_with("oak_AAAA") && !plain.sql(&key).contains(&key), "{key}");
        assert!(plain.sql(&key).contains("'live', NULL, NULL,"));
    }

    #[test]
    fn a_name_that_is_taken_makes_no_row() {
        assert!(is_stored(r#"[{"results":[{"name":"shop"}],"success":true}]"#).unwrap());
        assert!(!is_stored(r#"[{"results":[],"success":true}]"#).unwrap());
        assert!(is_stored("wrangler 4").is_err());
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (name, text) in [
            ("MODE", "tets"),
            ("PER_MINUTE", "0"),
            ("PER_MINUTE", "30001"),
            ("PER_MINUTE", "-1"),
            ("PER_MINUTE", "many"),
            ("PER_MONTH", "1000000001"),
            ("SCOPES", "phone:raed"),
            ("NAME", "x'); DROP TABLE api_keys; --"),
            ("ROLE", "king"),
        ] {
            let problem = read(&[(name, text)]).unwrap_err().to_string();
            let is_named = problem.contains(name) || problem.contains(text);
            assert!(is_named, "{name}={text}: {problem}");
        }
        let problem = read(&[("PER_MINUTE", "20"), ("PER_MONTH", "10")]).unwrap_err().to_string();
        assert_eq!(problem, "PER_MINUTE=20 is more than PER_MONTH=10");
    }
}
