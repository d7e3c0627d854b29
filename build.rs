//! Checks the provider documents and compiles them to JSON, which the service reads when a provider is first used.
//!
//! Shares the modules that define documents with the service, so that both mean the same by a good document.
#![allow(dead_code, unreachable_pub, reason = "shared modules offer the service more than is used here")]
#![allow(clippy::print_stdout, reason = "standard output is how a build script speaks to cargo")]

use std::{env, error::Error, fmt::Write as _, fs, path::Path, process::ExitCode};

use providers::{document::Document, validate};

#[path = "src/model"]
mod model {
    pub mod carrier;
}

#[path = "src/providers"]
mod providers {
    pub mod countries;
    pub mod document;
    pub mod names;
    pub mod operation;
    pub mod template;
    pub mod validate;
}

const FOLDER: &str = "providers";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={FOLDER}");
    match compile() {
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
