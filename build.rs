//! Checks the provider documents and compiles them to JSON, which the service reads when a provider is first used; and
//! compiles the list of common passwords to digests, which take half the room.
//!
//! Shares the modules that define documents with the service, so that both mean the same by a good document.
#![allow(dead_code, unreachable_pub, reason = "shared modules offer the service more than is used here")]
#![allow(clippy::print_stdout, reason = "standard output is how a build script speaks to cargo")]

use std::{env, error::Error, fmt::Write as _, fs, path::Path, process::ExitCode};

use providers::{document::Document, validate};
use sha2::{Digest, Sha256};

#[path = "src/kernel"]
mod kernel {
    pub mod table;
}

#[path = "src/model"]
mod model {
    pub mod carrier;
}

#[path = "src/providers"]
mod providers {
    pub mod check_login;
    pub mod countries;
    pub mod document;
    pub mod names;
    pub mod operation;
    pub mod template;
    pub mod validate;
    pub mod written;
}

const FOLDER: &str = "providers";
const COMMON_PASSWORDS: &str = "src/rules/password/common.txt";

/// Shorter ones no setting admits anyway (`PASSWORD_MIN_CHARACTERS`).
const SHORTEST_PASSWORD: usize = 8;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-changed={COMMON_PASSWORDS}");
    match compile().and_then(|()| compile_passwords()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            for line in problem.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes `providers.rs`: `BUILT_IN`, a table of ids and JSON documents in the order of their ids.
fn compile() -> Result<(), Box<dyn Error>> {
    let mut files =
        fs::read_dir(FOLDER)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();

    let mut table = format!("static BUILT_IN: [BuiltIn; {}] = [\n", files.len());
    let mut problems = String::new();
    for file in &files {
        match read(file) {
            Ok((id, json)) => writeln!(table, "    BuiltIn::new({id:?}, {json:?}),")?,
            Err(found) => {
                for problem in found {
                    writeln!(problems, "{}: {problem}", file.display())?;
                }
            }
        }
    }
    table.push_str("];\n");
    if !problems.is_empty() {
        return Err(problems.into());
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("providers.rs"), table)?;
    Ok(())
}

/// Writes `common_passwords.bin`: the first 24 bits of the SHA-256 of each, in ascending order, as differences of 16 bits.
/// Where one would be greater there stands a number of nobody's in between.
fn compile_passwords() -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(COMMON_PASSWORDS)?;
    let words = text.lines().filter(|line| !line.starts_with('#') && line.len() >= SHORTEST_PASSWORD);
    let mut digests: Vec<u32> = words
        .map(|word| {
            Sha256::digest(word.to_ascii_lowercase())
                .iter()
                .take(3)
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        })
        .collect();
    digests.sort_unstable();
    digests.dedup();
    let (mut bytes, mut last) = (Vec::new(), 0_u32);
    for digest in digests {
        let mut rest = digest.saturating_sub(last);
        while rest > 0 {
            let step = u16::try_from(rest).unwrap_or(u16::MAX);
            bytes.extend(step.to_be_bytes());
            rest = rest.saturating_sub(step.into());
        }
        last = digest;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("common_passwords.bin"), bytes)?;
    Ok(())
}

fn read(file: &Path) -> Result<(String, String), Vec<String>> {
    let one = |problem: String| vec![problem];
    let text = fs::read_to_string(file).map_err(|error| one(error.to_string()))?;
    let document: Document = toml::from_str(&text).map_err(|error| one(error.to_string()))?;
    let mut problems = validate::problems(&document);
    if file.file_stem().is_none_or(|stem| stem != document.id()) {
        problems.push("the file must be named after the id".to_owned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let json = serde_json::to_string(&document).map_err(|error| one(error.to_string()))?;
    Ok((document.id().to_owned(), json))
}
