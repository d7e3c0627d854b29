//! Builds the Worker with `worker-build`, only when something it is made of changed, and holds its size at the gate.
//!
//! Output: `build/release` (what `wrangler.toml` names), `build/test` and `build/test-unwind` (with the fault points
//! of the `test-hooks` feature). `PANIC=unwind` builds the release with panics that stay local (nightly only).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::setup::{self, Tools};
use crate::shell::{Lock, capture, npm_tool, npm_tools, root, run, say, variable};

/// Largest compressed Worker that `make size` lets pass, in bytes.
const SIZE_LIMIT: f64 = 600_000.0;

/// What the Worker is made of: files and folders below the root.
const SOURCES: [&str; 7] =
    [".cargo", "src", "providers", "build.rs", "Cargo.toml", "Cargo.lock", "package-lock.json"];

/// What is built: which features, and what a panic does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variant {
    name: &'static str,
    hooks: bool,
    unwind: bool,
}

impl Variant {
    pub(crate) const TEST: Self = Self { name: "test", hooks: true, unwind: false };
    pub(crate) const TEST_UNWIND: Self = Self { name: "test-unwind", hooks: true, unwind: true };

    /// The variant that `VARIANT` (release, test, test-unwind) and `PANIC` (abort, unwind) ask for.
    pub(crate) fn from_environment() -> Result<Self> {
        let unwind = match variable("PANIC").as_deref() {
            None | Some("abort") => false,
            Some("unwind") => true,
            Some(other) => bail!("PANIC={other} is unknown: use abort or unwind"),
        };
        match variable("VARIANT").as_deref() {
            None | Some("release") => Ok(Self { name: "release", hooks: false, unwind }),
            Some("test") => Ok(Self::TEST),
            Some("test-unwind") => Ok(Self::TEST_UNWIND),
            Some(other) => bail!("VARIANT={other} is unknown: use release, test or test-unwind"),
        }
    }

    /// Whether it goes to production: names of functions then cost start-up time. Test builds keep them for panics.
    fn is_shipped(self) -> bool {
        !self.hooks
    }

    /// The JavaScript module that wrangler serves.
    pub(crate) fn entry(self) -> PathBuf {
        root().join("build").join(self.name).join("index.js")
    }
}

/// Builds the variant unless it is up to date.
pub(crate) fn build(variant: Variant, tools: &Tools) -> Result<()> {
    let stamp = root().join("build").join(format!("{}.stamp", variant.name));
    // The leading number goes up when this function builds differently.
    let key =
        format!("3 hooks={} unwind={} worker-build={}", variant.hooks, variant.unwind, setup::WORKER_BUILD);
    let current = fingerprint(&SOURCES, &key)?;
    let is_current =
        || variant.entry().exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == current);
    // Asked without the lock first: who only wants to start need not wait for somebody else's build.
    if is_current() {
        return Ok(());
    }
    let _lock = Lock::of_project("build")?;
    if is_current() {
        return Ok(());
    }
    if variant.unwind {
        setup::nightly()?;
    }
    say(&format!(
        "building the Worker ({}, panic={})",
        variant.name,
        if variant.unwind { "unwind" } else { "abort" }
    ));
    fs::remove_file(&stamp).ok();
    let mut command = std::process::Command::new(&tools.worker_build);
    // What is shipped `shrink` optimises, which cannot undo what optimising for speed does first. What is tested only has
    // to work: optimising it takes minutes, and with panics that unwind more stack than `wasm-opt` has.
    command
        .current_dir(root())
        .args(["--release", "--no-opt", "--out-dir"])
        .arg(format!("build/{}", variant.name));
    if variant.unwind {
        command.arg("--panic-unwind");
    }
    if variant.hooks {
        command.args(["--features", "test-hooks"]);
    }
    command
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", npm_tools().join("wasm-opt"))
        .env("ESBUILD_BIN", npm_tools().join("esbuild"))
        .env("PATH", path_of(&npm_tool("node", &[])?));
    run(&mut command, "correct the compiler's complaints above")?;
    if variant.is_shipped() {
        shrink(variant)?;
    }
    fs::write(&stamp, current).context("cannot write the build's stamp")
}

/// `wasm-opt` arguments, in order, for the smallest *compressed* module: chosen by gzip size, not by size.
///
/// Inlining a large function into its only caller and naming common subexpressions save bytes, but number more locals
/// per function, and then like code no longer compresses as like. Functions sorted by name bring the instances of
/// one generic function within gzip's window of 32 kB. The names go last.
const SHRINK: [&str; 7] = [
    "--enable-exception-handling",
    "-Oz",
    "--one-caller-inline-max-function-size",
    "20",
    "--skip-pass=local-cse",
    "--reorder-functions-by-name",
    "--strip-debug",
];

/// Shrinks the module in place. Which Wasm features may be used is read from the module itself, except for exceptions:
/// `wasm-bindgen` catches those of JavaScript, after the compiler wrote its list.
fn shrink(variant: Variant) -> Result<()> {
    let module = variant.entry().with_file_name("index_bg.wasm");
    let mut command = npm_tool("wasm-opt", &SHRINK)?;
    run(command.arg(&module).arg("--output").arg(&module), "see the lines above")
}

/// Asks wrangler for the upload's compressed size and refuses one above the limit.
pub(crate) fn size() -> Result<()> {
    let arguments = ["deploy", "--dry-run", "--outdir", "build/upload"];
    let report = capture(npm_tool("wrangler", &arguments)?.env("NO_COLOR", "1"), "see the lines above")?;
    let bytes = gzip_bytes(&report).with_context(|| format!("wrangler named no gzip size:\n{report}"))?;
    say(&format!("compressed size {:.0} kB of at most {:.0} kB", bytes / 1000.0, SIZE_LIMIT / 1000.0));
    if bytes > SIZE_LIMIT {
        bail!(
            "the Worker is too large: look for a new dependency or generic code that is compiled many times"
        );
    }
    Ok(())
}

/// SHA-256 over the names and contents of files and folders (recursively) below the root, and `key`.
pub(crate) fn fingerprint(parts: &[&str], key: &str) -> Result<String> {
    let mut files = Vec::new();
    for part in parts {
        collect(&root().join(part), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new_with_prefix(key);
    for file in files {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        digest.update(Sha256::digest(file.to_string_lossy().as_bytes()));
        digest.update(Sha256::digest(&content));
    }
    Ok(HEXLOWER.encode(&digest.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.exists() {
        files.push(path.to_path_buf());
    }
    Ok(())
}

fn path_of(command: &std::process::Command) -> std::ffi::OsString {
    let set = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value);
    set.unwrap_or_default().to_owned()
}

/// The figure of a line such as `Total Upload: 181.02 KiB / gzip: 70.11 KiB`, in bytes.
fn gzip_bytes(report: &str) -> Option<f64> {
    let mut words = report.split("gzip:").nth(1)?.split_whitespace();
    let figure: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        _ => return None,
    };
    Some(figure * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_read_from_wranglers_report() {
        assert_eq!(gzip_bytes("Total Upload: 181.02 KiB / gzip: 70.5 KiB\n"), Some(72_192.0));
        assert_eq!(gzip_bytes("x gzip: 2 MiB"), Some(2_097_152.0));
        assert_eq!(gzip_bytes("Total Upload"), None);
    }

    #[test]
    fn a_fingerprint_follows_content_and_key() {
        let one = fingerprint(&["Cargo.toml"], "a").unwrap();
        assert_eq!(one, fingerprint(&["Cargo.toml"], "a").unwrap());
        assert_ne!(one, fingerprint(&["Cargo.toml"], "b").unwrap());
        assert_ne!(one, fingerprint(&["Cargo.toml", "build.rs"], "a").unwrap());
    }
}
