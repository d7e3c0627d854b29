//! The walls between the rooms, held against the source itself.
//!
//! Every path that a file of `src/` names, in imports, types, expressions, macros and attributes, must lead to
//! where its room may go. The second half breaks each wall and wants the breach found.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::{fs, path::Path};

use walls::{ANY_CRATE, Room, breaches};

#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/walls.rs"]
mod walls;

const ROOMS: &[Room] = &[
    Room {
        name: "kernel",
        may_import: &[],
        may_use_crates: &[
            "aes",
            "aes_gcm",
            "argon2",
            "base16ct",
            "base32ct",
            "base64ct",
            "blowfish",
            "cbc",
            "data_encoding",
            "des",
            "ed25519_dalek",
            "hmac",
            "md5",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "subtle",
            "time",
            "zeroize",
        ],
        may_wait: false,
    },
    Room {
        name: "model",
        may_import: &["kernel"],
        may_use_crates: &["data_encoding", "serde"],
        may_wait: false,
    },
    Room { name: "rules", may_import: &["kernel", "model"], may_use_crates: &["serde"], may_wait: false },
    Room {
        name: "providers",
        may_import: &["kernel", "model"],
        may_use_crates: &["data_encoding", "serde", "serde_json"],
        may_wait: false,
    },
    Room { name: "ports", may_import: &["kernel", "model"], may_use_crates: &["serde"], may_wait: true },
    Room {
        name: "journeys",
        may_import: &["kernel", "model", "rules", "providers", "ports"],
        may_use_crates: &["data_encoding", "futures_util", "serde"],
        may_wait: true,
    },
    Room {
        name: "api",
        may_import: &["kernel", "model", "ports", "journeys"],
        may_use_crates: &["data_encoding", "serde", "serde_json"],
        may_wait: true,
    },
    Room {
        name: "edge",
        may_import: &["kernel", "model", "rules", "providers", "ports", "journeys", "api"],
        may_use_crates: ANY_CRATE,
        may_wait: true,
    },
];

/// Longest file, lines.
const LONG: usize = 400;

fn src() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

#[test]
fn the_source_keeps_to_its_rooms() {
    let found = walls::breaches_below(ROOMS, src());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_file_belongs_to_a_module_and_is_short() {
    let reached = walls::files_below(src());
    let mut found = Vec::new();
    for file in files(src()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        if lines > LONG {
            found.push(format!("{}: {lines} lines are more than {LONG}", file.display()));
        }
        if !reached.contains(&file) {
            found.push(format!("{}: no module declares it", file.display()));
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

// Coarser than the walls, so that a hole in their reading of paths does not let the platform out.
#[test]
fn only_the_edge_names_the_platform() {
    for file in files(src()).into_iter().filter(|file| !file.starts_with(src().join("edge"))) {
        let source = fs::read_to_string(&file).unwrap();
        for name in ["worker::", "js_sys::", "web_sys::", "wasm_bindgen::"] {
            assert!(!source.contains(name), "{} names {name}", file.display());
        }
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A module, what somebody might write there, and what must be said about it.
type Breach = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const BREACHES: &[Breach] = &[
    // Upward, in every spelling.
    ("kernel::id", "use crate::model::account::Account;", "kernel must not import model"),
    ("model::account", "use crate::rules::limits::Limits;", "model must not import rules"),
    ("rules::limits", "use crate::ports::World;", "rules must not import ports"),
    ("providers::call", "use crate::journeys::Service;", "providers must not import journeys"),
    ("ports", "use crate::journeys::Service;", "ports must not import journeys"),
    ("journeys::one_tap", "use crate::api::http::HttpIn;", "journeys must not import api"),
    ("api::body", "use crate::providers::find;", "api must not import providers"),
    ("api::body", "use crate::rules::limits;", "api must not import rules"),
    ("api", "use crate::edge;", "api must not import edge"),
    ("journeys::one_tap", "use super::super::edge;", "journeys must not import edge"),
    ("journeys", "use self::super::edge::X;", "journeys must not import edge"),
    ("journeys", "use crate::{kernel::{id, time}, ports::World, edge::Y};", "journeys must not import edge"),
    ("api", "use crate::r#edge::X as Y;", "api must not import edge"),
    ("journeys", "mod inner { mod more { use super::super::super::edge::X; } }", "journeys must not import edge"),
    // Without an import.
    ("journeys", "fn f() { crate::edge::log(); }", "journeys must not import edge"),
    ("journeys", "fn f() { <crate::edge::X>::f(); <S as super::edge::T>::f(); }", "journeys must not import edge"),
    ("model", "fn f() { <[u8; 2]>::f::<crate::edge::X>(); }", "model must not import edge"),
    ("model", "fn f() { if true { use crate::api::x; } }", "model must not import api"),
    ("model", "struct S(Vec<Option<crate::ports::World>>);", "model must not import ports"),
    ("rules", "impl crate::ports::Clock for S {}", "rules must not import ports"),
    ("rules", "fn f(x: impl super::ports::Clock) {}", "rules must not import ports"),
    ("model", "pub(in crate::api) fn f() {}", "model must not import api"),
    // Inside macros, calls and definitions.
    ("journeys", r#"fn f() { format!("{}", crate::edge::X); }"#, "journeys must not import edge"),
    ("journeys", "fn f() { vec![(1, [super::edge::X])]; }", "journeys must not import edge"),
    ("model", "macro_rules! m { () => { $crate::api::x() }; }", "model must not import api"),
    ("model", "m! { use crate::{kernel::{id, seal as s}, edge::Y}; }", "model must not import edge"),
    ("model", "m! { use crate as c; }", "another name for the root"),
    ("model", r#"#[serde(with = "crate::api::text")] struct S;"#, "model must not import api"),
    ("model", "#[derive(crate::edge::Derive)] struct S;", "model must not import edge"),
    // Other names for the root, behind which every wall falls.
    ("journeys", "use crate as c; fn f() { c::edge::g(); }", "another name for the root"),
    ("journeys::one_tap", "use super::super as top;", "another name for the root"),
    ("journeys", "use crate::{self as c};", "another name for the root"),
    ("journeys", "use super::*;", "another name for the root"),
    ("journeys", "extern crate self as onetap;", "extern crate"),
    // Through a door of another room.
    ("journeys", "pub use crate::providers::Document;", "journeys must not re-export providers"),
    ("journeys", "pub(crate) use crate::rules;", "journeys must not re-export rules"),
    ("model", "use crate::exported_macro;", "exported_macro is not a room"),
    ("api", r#"#[path = "../edge/log.rs"] mod log;"#, "must stand where its name says"),
    ("", "pub mod api; pub use api::serve;", "the root only names the rooms"),
    // Crates that belong elsewhere.
    ("journeys", "fn f() { serde_json::to_vec(&1); }", "journeys must not use the crate serde_json"),
    ("model", "use serde_json as j;", "model must not use the crate serde_json"),
    ("ports", "trait T { fn f() -> ::worker::Request; }", "ports must not use the crate worker"),
    ("kernel", "fn f() { debug!(x = getrandom::u64()); }", "kernel must not use the crate getrandom"),
    ("api", "use {serde::Serialize, worker::{Env, Request}};", "api must not use the crate worker"),
    ("rules", "use sha2::Sha256;", "rules must not use the crate sha2"),
    ("api", "#[worker::event(fetch)] fn f() {}", "api must not use the crate worker"),
    // Waiting.
    ("model", "async fn f() {}", "model must not be async"),
    ("rules", "trait T { async fn f(); }", "rules must not be async"),
    ("providers", "fn f() { g(async { 1 }); }", "providers must not be async"),
    ("kernel", "fn f() { g(async || 1); }", "kernel must not be async"),
    // Tests may use any crate and wait, but stay in their room.
    ("kernel", "#[cfg(test)] mod tests { use crate::model::account; }", "kernel must not import model"),
    ("model", "#[cfg(not(test))] mod tests { use serde_json::Value; }", "must not use the crate serde_json"),
];

#[test]
fn every_breach_is_found() {
    for (module, source, expected) in BREACHES {
        let found = breaches(ROOMS, module, source);
        assert!(found.iter().any(|found| found.contains(expected)), "{module}: {source}\n{found:#?}");
    }
}

#[test]
fn what_is_allowed_is_not_a_breach() {
    for (module, source) in [
        (
            "kernel::id",
            "use super::secret::Secret; use serde::Deserialize; fn f() { u64::from(1_u8); <[u8; 2]>::g(); }",
        ),
        ("model", "pub mod account; use account::Account; fn f() { account::g(); std::mem::take(&mut 1); }"),
        ("model::handle", "use crate::{kernel::time, model::login::{self, Method}}; fn f() { time::f(); }"),
        ("journeys", "use crate::model::handle; async fn f() { handle::Operation::g().await }"),
        ("journeys", "pub(crate) fn f() { m!(pub(crate) $x::y, T::z, a.b::<C>(), 'a); }"),
        ("kernel", "#[cfg(test)] mod tests { use super::*; use serde_json::json; async fn f() { x::y() } }"),
        ("model", "#[cfg(test)] use proptest::prelude::*; #[allow(clippy::panic)] fn f() {}"),
        ("edge::log", "use worker::Env; use crate::{api::http, rules}; async fn f() { js_sys::x(); }"),
        ("", "#![allow(clippy::panic)] pub mod api; #[cfg(target_arch = \"wasm32\")] mod edge;"),
    ] {
        assert_eq!(breaches(ROOMS, module, source), Vec::<String>::new(), "{module}: {source}");
    }
}
