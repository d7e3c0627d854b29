//! Makes an API key: printed once, only its digest is stored.

use std::process::Command;

use anyhow::{Context, Result, bail};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::secrets::entropy;
use crate::shell::{capture, npm_tool, say, variable};
use crate::{setup, vars};

/// Roles that the back office knows; most keys are a backend's.
const ROLES: [&str; 5] = ["backend", "viewer", "support", "operator", "security"];

/// Scopes that the service knows.
const SCOPES: [&str; 4] = ["one_tap:exchange", "phone:read", "token:introspect", "token:revoke"];

/// Creates the key that `NAME`, `SCOPES` and `ROLE` describe, in the local state or (`REMOTE=1`) in production.
pub(crate) fn create() -> Result<()> {
    let usage =
        "usage: make api-key NAME=backend SCOPES=\"one_tap:exchange phone:read\" [ROLE=backend] [REMOTE=1]";
    let name = variable("NAME").context(usage)?;
    let scopes = variable("SCOPES").context(usage)?;
    let role = variable("ROLE").unwrap_or_else(|| "backend".into());
    let plain =
        |text: &str, extra: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    if !plain(&name, " ._-") || !plain(&scopes, ":_ ") {
        bail!("NAME and SCOPES are made of letters, digits and . _ - : only; {usage}");
    }
    if let Some(unknown) = scopes.split_whitespace().find(|scope| !SCOPES.contains(scope)) {
        bail!("the scope {unknown} is unknown: use some of {}", SCOPES.join(", "));
    }
    if !ROLES.contains(&role.as_str()) {
        bail!("ROLE={role} is unknown: use one of {}", ROLES.join(", "));
    }
    setup::all()?;
    let key = format!("oak_{}", BASE64URL_NOPAD.encode(&entropy::<32>()?));
    let digest = HEXLOWER.encode(&Sha256::digest(&key));
    let sql = format!(
        "INSERT INTO api_keys (digest, name, scopes, role, created_at) \
         VALUES ('{digest}', '{name}', '{scopes}', '{role}', unixepoch() * 1000)"
    );
    capture(&mut statement(&sql)?, "see the lines above; a name can be used once")?;
    say("the key is shown this once; only its digest is stored");
    println!("{key}");
    Ok(())
}

fn statement(sql: &str) -> Result<Command> {
    if variable("REMOTE").is_some() {
        return npm_tool("wrangler", &["d1", "execute", "DB", "--yes", "--remote", "--command", sql]);
    }
    let state = vars::state()?;
    setup::migrate(&state)?;
    let place = state.to_string_lossy().into_owned();
    npm_tool(
        "wrangler",
        &["d1", "execute", "DB", "--yes", "--local", "--persist-to", &place, "--command", sql],
    )
}
