//! Personal data at rest: what the run used, and the search for it in every byte that the stacks left behind.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use serde_json::Value;

use crate::stack::{lock, root};

/// Shorter texts would be found by chance.
const LEAST_BYTES: usize = 8;
/// Of a longer secret the end is searched for: tokens begin alike.
const MOST_BYTES: usize = 32;

static USED: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());

/// A secret found where none may be.
#[derive(Debug)]
#[expect(dead_code, reason = "read through Debug")]
pub(crate) struct Leak {
    file: PathBuf,
    offset: usize,
    /// What kind of secret; never the secret itself.
    kind: &'static str,
    /// How it was written.
    written: &'static str,
}

/// Remembers that the run used a secret. Says whether it is new.
pub(crate) fn note(kind: &'static str, secret: &str) -> bool {
    assert!(secret.len() >= LEAST_BYTES, "a {kind} of {} bytes is too short to search for", secret.len());
    lock(&USED).insert(secret.to_owned(), kind).is_none()
}

/// Remembers every token and full number in an answer.
pub(crate) fn note_answer(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(note_answer),
        Value::Object(members) => {
            for (name, value) in members {
                let kind = match name.as_str() {
                    "accessToken" => "access token",
                    "refreshToken" => "refresh token",
                    "token" => "device token",
                    "challengeId" => "challenge",
                    "ticket" => "ticket",
                    _ => {
                        note_answer(value);
                        continue;
                    }
                };
                if let Some(text) = value.as_str() {
                    note(kind, text);
                }
            }
        }
        _ => {}
    }
}

/// Remembers the secrets among the development settings: keys, those of webhooks, and the vendors' secrets.
pub(crate) fn note_settings() {
    let text = fs::read_to_string(root().join(".dev.vars")).unwrap();
    let mut found = 0;
    for line in text.lines() {
        let Some((_, value)) = line.split_once('=') else { continue };
        let Ok(value) = serde_json::from_str::<Value>(value.trim_matches('\'')) else { continue };
        let entries = value["keys"].as_array().or(value.as_array()).cloned().unwrap_or_default();
        for (name, value) in entries.iter().filter_map(Value::as_object).flatten() {
            let kind = match name.as_str() {
                "k" | "d" => "key",
                "secret" => "webhook secret",
                _ => "",
            };
            if !kind.is_empty() {
                note(kind, value.as_str().unwrap());
                found += 1;
            }
            let secrets = value.as_object().into_iter().flatten();
            for (_, secret) in secrets.filter(|(name, _)| is_vendor_secret(name)) {
                note("vendor secret", secret.as_str().unwrap());
                found += 1;
            }
        }
    }
    assert!(found >= 10, "only {found} secrets in .dev.vars");
}

/// How many secrets of each kind the run used.
pub(crate) fn census() -> BTreeMap<&'static str, usize> {
    let mut census = BTreeMap::new();
    for kind in lock(&USED).values() {
        *census.entry(*kind).or_default() += 1;
    }
    census
}

/// Searches a folder for everything noted, plain, in hexadecimal and in base64 of every alignment. Also says how
/// many bytes were searched.
pub(crate) fn search(folder: &Path) -> (Vec<Leak>, usize) {
    let mut patterns = BTreeMap::new();
    for (secret, kind) in lock(&USED).iter() {
        let end = secret.as_bytes().last_chunk::<MOST_BYTES>().map_or(secret.as_bytes(), |end| end);
        for (written, pattern) in spellings(end) {
            patterns.entry(pattern).or_insert((*kind, written));
        }
    }
    let meanings: Vec<_> = patterns.values().copied().collect();
    let automaton = AhoCorasick::new(patterns.keys()).unwrap();
    let mut leaks = Vec::new();
    let mut searched = 0;
    for file in files(folder) {
        let bytes = fs::read(&file).unwrap();
        searched += bytes.len();
        leaks.extend(automaton.find_iter(&bytes).map(|found| {
            let (kind, written) = meanings[found.pattern().as_usize()];
            Leak { file: file.clone(), offset: found.start(), kind, written }
        }));
    }
    (leaks, searched)
}

/// All ways in which a text could have been written.
pub(crate) fn spellings(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("plain", secret.to_vec()),
        ("hex", HEXLOWER.encode(secret).into_bytes()),
        ("HEX", HEXUPPER.encode(secret).into_bytes()),
    ];
    for alignment in 0..3 {
        all.push(("base64", inner_base64(&BASE64_NOPAD, secret, alignment)));
        all.push(("base64url", inner_base64(&BASE64URL_NOPAD, secret, alignment)));
    }
    all
}

/// The part of a base64 text that depends on nothing but the secret, which stands `alignment` bytes after a multiple of 3.
fn inner_base64(encoding: &Encoding, secret: &[u8], alignment: usize) -> Vec<u8> {
    let text = encoding.encode(&[&[0; 2][..alignment], secret].concat());
    let begin = (alignment * 8).div_ceil(6);
    let end = (alignment + secret.len()) * 8 / 6;
    text.as_bytes()[begin..end].to_vec()
}

fn is_vendor_secret(name: &str) -> bool {
    // MobTech's appKey is as public as an appId; flash and CMCC sign with theirs. Both are searched for.
    const OTHERS: [&str; 8] = [
        "apiKey",
        "password",
        "secretKey",
        "authToken",
        "captchaKey",
        "masterSecret",
        "accessKeySecret",
        "clientSecret",
    ];
    matches!(name, "appKey" | "appSecret") || OTHERS.contains(&name)
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
