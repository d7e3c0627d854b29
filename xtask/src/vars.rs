//! The service's settings for one development run: `.dev.vars`, then what the run itself decides, then `ONETAP_VAR_*`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::secrets::{SANDBOX, dev_vars_path};
use crate::shell::{root, variable};

/// An environment variable `ONETAP_VAR_ISSUER=x` sets `ISSUER` to x for this run; an empty value removes the setting.
const OVERRIDE_PREFIX: &str = "ONETAP_VAR_";

/// Names and values.
pub(crate) type Vars = BTreeMap<String, String>;

/// The local state's folder: `STATE_DIR`, else where wrangler itself keeps it.
pub(crate) fn state() -> Result<PathBuf> {
    match variable("STATE_DIR") {
        Some(folder) => Ok(env::current_dir().context("no working directory")?.join(folder)),
        None => Ok(default_state()),
    }
}

/// Where `npx wrangler dev` keeps its state.
pub(crate) fn default_state() -> PathBuf {
    root().join(".wrangler/state")
}

/// The settings of a run on these addresses.
pub(crate) fn for_run(service: &str, sandbox: &str, clock_skew: &str) -> Result<Vars> {
    let text = fs::read_to_string(dev_vars_path())
        .context("cannot read .dev.vars: delete it and run `make setup`")?;
    let mut vars = parse(&text)?;
    vars.insert("ISSUER".into(), service.into());
    vars.insert("PROVIDER_BASE_URL".into(), sandbox.into());
    if let Some(hooks) = vars.get_mut("WEBHOOKS") {
        *hooks = hooks.replace(SANDBOX, sandbox);
    }
    vars.insert("CLOCK_SKEW_SECONDS".into(), clock_skew.into());
    for (name, value) in env::vars() {
        match name.strip_prefix(OVERRIDE_PREFIX) {
            Some(name) if value.is_empty() => {
                vars.remove(name);
            }
            Some(name) => {
                vars.insert(name.to_owned(), value);
            }
            None => {}
        }
    }
    Ok(vars)
}

/// The settings as a file for `wrangler dev --env-file`, which then reads no `.dev.vars`.
pub(crate) fn to_file(vars: &Vars) -> Result<String> {
    let mut text = String::new();
    for (name, value) in vars {
        let Some(quote) = ["'", "`", "\""].into_iter().find(|quote| !value.contains(quote)) else {
            bail!("the value of {name} holds every kind of quotation mark");
        };
        // wrangler expands `$NAME` in values, whatever the quotes.
        text.push_str(&format!("{name}={quote}{}{quote}\n", value.replace('$', "\\$")));
    }
    Ok(text)
}

/// Reads `NAME=value` lines, the value bare or in one pair of single quotes, as `make setup` writes them.
fn parse(text: &str) -> Result<Vars> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').context(".dev.vars has a line without `=`")?;
            let value = value.trim();
            let inner = ['\'', '"', '`']
                .into_iter()
                .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
                .unwrap_or(value);
            Ok((name.trim().to_owned(), inner.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let mut vars = Vars::new();
        vars.insert("A".into(), r#"{"k":"v"}"#.into());
        vars.insert("B".into(), "it's".into());
        assert_eq!(parse(&to_file(&vars).unwrap()).unwrap(), vars);
        assert_eq!(parse("# c\n\nX=1\n").unwrap()["X"], "1");
        assert!(parse("nonsense").is_err());
    }

    #[test]
    fn dollars_are_not_expanded_and_unquotable_values_refused() {
        let vars = Vars::from([("A".to_owned(), "$HOME".to_owned())]);
        assert_eq!(to_file(&vars).unwrap(), "A='\\$HOME'\n");
        assert!(to_file(&Vars::from([("A".to_owned(), "'`\"".to_owned())])).is_err());
    }
}
