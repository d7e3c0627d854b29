//! What every task needs: the project's folders, variables, progress lines, child commands and locks between runs.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the checkout: the nearest folder at or above the working directory with a `wrangler.toml`. (Not where
/// this program was compiled: checkouts may share a target folder.)
pub(crate) fn root() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let found = here.ancestors().find(|folder| folder.join("wrangler.toml").exists());
    found.unwrap_or(&here).to_path_buf()
}

/// Where built tools are kept between checkouts: `$XDG_CACHE_HOME/onetap`, else `~/.cache/onetap`.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match variable("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => {
            Path::new(&variable("HOME").context("HOME is not set: set it or XDG_CACHE_HOME")?).join(".cache")
        }
    };
    Ok(base.join("onetap"))
}

/// An environment variable; an empty one counts as absent, as make's unset variables do.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// One line of progress.
pub(crate) fn say(line: &str) {
    eprintln!("==> {line}");
}

/// Runs a command to its end with its output visible.
///
/// # Errors
/// When it cannot start or fails; `advice` tells the reader what to do about it.
pub(crate) fn run(command: &mut Command, advice: &str) -> Result<()> {
    let line = describe(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{line}`: {advice}"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}): {advice}");
    }
    Ok(())
}

/// Runs a command and returns its standard output; its standard error stays visible.
///
/// # Errors
/// As [`run`].
pub(crate) fn capture(command: &mut Command, advice: &str) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{line}`: {advice}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("`{line}` failed ({}): {advice}\n{text}", output.status);
    }
    Ok(text)
}

/// `cargo` with the given arguments, in the project's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root());
    command
}

/// A tool of `node_modules` with the given arguments. The pinned Node comes first on its PATH, so the machine's own
/// Node may be older than the tools demand.
pub(crate) fn npm_tool(name: &str, arguments: &[&str]) -> Result<Command> {
    let folder = npm_tools();
    let mut path = vec![folder.clone()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(folder.join(name));
    command
        .args(arguments)
        .current_dir(root())
        .env("PATH", env::join_paths(path).context("PATH cannot be extended")?)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_WRITE_LOGS", "false")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        // The simulator's own trace store would keep every request in the state folder, and costs time.
        .env("X_LOCAL_OBSERVABILITY", "false")
        .env("X_LOCAL_EXPLORER", "false");
    Ok(command)
}

/// The folder of the npm packages' programs.
pub(crate) fn npm_tools() -> PathBuf {
    root().join("node_modules/.bin")
}

/// Writes a file that only its owner may read, in one step: a reader sees the old or the new content, never half of it.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let folder = path.parent().context("a file needs a folder")?;
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Holds a file lock until dropped, so that two runs do not build or install the same thing at once.
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Waits, saying so, until nobody else holds the lock of `name` in `folder`.
    pub(crate) fn acquire(folder: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(format!("{name}.lock"));
        let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                say(&format!("waiting for another run that holds {}", path.display()));
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        Ok(Self(file))
    }

    /// A lock of this checkout: `setup` or `build`.
    pub(crate) fn of_project(name: &str) -> Result<Self> {
        Self::acquire(&root().join(".wrangler"), name)
    }
}

/// The command as a person would type it, without folders.
fn describe(command: &Command) -> String {
    let name =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|part| part.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
