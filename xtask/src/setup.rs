//! Makes a bare machine ready. Every step looks first and does nothing when its work is done, so a second run takes
//! a moment; versions come from `Cargo.lock`, `package-lock.json` and the constants here, never from "latest".

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell::{Lock, cache, capture, cargo, npm_tool, npm_tools, root, run, say};
use crate::wasm::fingerprint;
use crate::{secrets, vars};

const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Version of `worker-build`; goes with the `worker` crate of the same version.
pub(crate) const WORKER_BUILD: &str = "0.8.7";
const RUSTUP_ADVICE: &str = "install rustup and its stable toolchain, see https://rustup.rs";
const REGISTRY_ADVICE: &str =
    "see the lines above; the package registries must be reachable for the first set-up";

/// The programs that turn the crate into a Worker.
pub(crate) struct Tools {
    /// `worker-build`, which drives the others.
    pub(crate) worker_build: PathBuf,
    /// `wasm-bindgen` of exactly the library's version.
    pub(crate) wasm_bindgen: PathBuf,
}

/// Brings everything into place: Wasm target, build tools, npm packages, development secrets, the local database.
pub(crate) fn all() -> Result<Tools> {
    let _lock = Lock::of_project("setup")?;
    wasm_target("stable toolchain", None)?;
    let tools = tools()?;
    npm_packages()?;
    secrets::ensure_dev_vars()?;
    migrate(&vars::default_state())?;
    Ok(tools)
}

/// Adds what `PANIC=unwind` needs to the nightly toolchain: the standard library's source and the Wasm target.
pub(crate) fn nightly() -> Result<()> {
    let advice = "run `rustup toolchain install nightly --profile minimal --component rust-src`";
    let toolchains = capture(Command::new("rustup").args(["toolchain", "list"]), RUSTUP_ADVICE)?;
    if !toolchains.lines().any(|line| line.starts_with("nightly")) {
        say("installing the nightly toolchain");
        run(
            Command::new("rustup").args(["toolchain", "install", "nightly", "--profile", "minimal"]),
            advice,
        )?;
    }
    let sysroot = capture(Command::new("rustc").args(["+nightly", "--print", "sysroot"]), advice)?;
    if !Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library").exists() {
        say("adding the nightly standard library's source");
        run(Command::new("rustup").args(["component", "add", "rust-src", "--toolchain", "nightly"]), advice)?;
    }
    wasm_target("nightly toolchain", Some("nightly"))
}

/// Adds rustfmt and clippy, which a minimal toolchain lacks.
pub(crate) fn lint_tools() -> Result<()> {
    let sysroot = capture(Command::new("rustc").args(["--print", "sysroot"]), RUSTUP_ADVICE)?;
    let programs = Path::new(sysroot.trim()).join("bin");
    if programs.join("cargo-fmt").exists() && programs.join("cargo-clippy").exists() {
        return Ok(());
    }
    say("adding rustfmt and clippy");
    run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]), REGISTRY_ADVICE)
}

/// Finds the browser of the end-to-end tests and the program that drives it, or installs both where Debian's packages do.
pub(crate) fn browser() -> Result<()> {
    const DRIVER: &str = "chromedriver";
    let advice = "install Chromium (or Chrome) and its chromedriver, so that `chromedriver --version` works; on Debian, \
                  as root: apt-get install chromium-driver";
    if Command::new(DRIVER).arg("--version").output().is_ok_and(|found| found.status.success()) {
        return Ok(());
    }
    say("installing Chromium");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        // Somebody else may be installing something.
        command.args(["-qq", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
        run(command.env("DEBIAN_FRONTEND", "noninteractive"), advice)
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", "chromium-driver"])?;
    capture(Command::new(DRIVER).arg("--version"), advice).map(drop)
}

/// Applies the D1 migrations to the local database in `state`, unless these very files were applied to it before.
pub(crate) fn migrate(state: &Path) -> Result<()> {
    let stamp = state.join("onetap-migrations");
    let current = fingerprint(&["migrations"], "")?;
    if fs::read_to_string(&stamp).is_ok_and(|applied| applied == current) {
        return Ok(());
    }
    say("applying the database migrations");
    let place = state.to_string_lossy().into_owned();
    let arguments = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", &place];
    capture(npm_tool("wrangler", &arguments)?.env("CI", "true"), "correct the files in migrations/")?;
    fs::create_dir_all(state)?;
    fs::write(&stamp, current).with_context(|| format!("cannot write {}", stamp.display()))
}

fn wasm_target(what: &str, toolchain: Option<&str>) -> Result<()> {
    let selector = toolchain.map(|name| format!("+{name}"));
    let sysroot = capture(Command::new("rustc").args(&selector).args(["--print", "sysroot"]), RUSTUP_ADVICE)?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(WASM_TARGET).exists() {
        return Ok(());
    }
    say(&format!("adding {WASM_TARGET} to the {what}"));
    let mut command = Command::new("rustup");
    command.args(["target", "add", WASM_TARGET]);
    if let Some(name) = toolchain {
        command.args(["--toolchain", name]);
    }
    run(&mut command, REGISTRY_ADVICE)
}

fn tools() -> Result<Tools> {
    let bindgen = locked_version("wasm-bindgen")?;
    Ok(Tools {
        worker_build: installed("worker-build", WORKER_BUILD, "worker-build")?,
        wasm_bindgen: installed("wasm-bindgen-cli", &bindgen, "wasm-bindgen")?,
    })
}

/// The path of a tool in the cache, building it first when this version is not there yet.
fn installed(package: &str, version: &str, program: &str) -> Result<PathBuf> {
    let cache = cache()?;
    let home = cache.join(format!("{package}-{version}"));
    let path = home.join("bin").join(program);
    if path.exists() {
        return Ok(path);
    }
    let _lock = Lock::acquire(&cache, "tools")?;
    if path.exists() {
        return Ok(path);
    }
    say(&format!("building {package} {version} (once per version, 1 to 4 minutes)"));
    // Installed beside its place and moved there whole: an interrupted build leaves no half tool behind.
    let draft = cache.join(format!("draft-{package}"));
    let objects = cache.join("target");
    let install = |locked: bool| {
        let mut command = cargo(&["install", "--force", "--root"]);
        command.arg(&draft).arg(format!("{package}@{version}"));
        if locked {
            command.arg("--locked");
        }
        command
            .env("CARGO_TARGET_DIR", &objects)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64")
            .env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
        run(&mut command, REGISTRY_ADVICE)
    };
    if install(true).is_err() {
        // A registry mirror may lack (or have withdrawn) a version that the tool's own lock file names.
        say(&format!("{package}: its lock file cannot be met here, resolving its dependencies afresh"));
        install(false)?;
    }
    fs::rename(&draft, &home).with_context(|| format!("cannot move the tool to {}", home.display()))?;
    fs::remove_dir_all(&objects).ok();
    Ok(path)
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let name = format!("name = \"{package}\"");
    lock.lines()
        .skip_while(|line| *line != name)
        .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("Cargo.lock does not name {package}: run `cargo generate-lockfile`"))
}

fn npm_packages() -> Result<()> {
    let stamp = root().join("node_modules/.onetap");
    let current = fingerprint(&["package.json", "package-lock.json"], "")?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == current) {
        return Ok(());
    }
    say("installing the npm packages (wrangler, node, esbuild, binaryen)");
    let advice = "install Node 20 or newer with npm, and see the lines above";
    run(Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(root()), advice)?;
    let version = capture(&mut npm_tool("node", &["--version"])?, "delete node_modules and try again")?;
    say(&format!("node {} in {}", version.trim(), npm_tools().display()));
    fs::write(&stamp, current).context("cannot write in node_modules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_names_wasm_bindgen() {
        let version = locked_version("wasm-bindgen").unwrap();
        assert_eq!(version.split('.').count(), 3, "{version}");
        assert!(locked_version("no-such-package").is_err());
    }
}
