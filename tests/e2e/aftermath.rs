//! After all stories, when every stack is stopped: what they left behind.

use std::{collections::BTreeMap, fs};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    client::{answered, random},
    leaks,
    stack::{run_folder, structured},
    story_alone,
};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_alone("aftermath: nothing personal or secret is in any byte of state or log", nothing_leaked),
        story_alone("aftermath: the search finds what is there, however written", search_finds),
        story_alone("aftermath: every answered request left exactly one log line", one_line_each),
    ]
}

async fn nothing_leaked() {
    leaks::note_settings();
    let (found, searched) = leaks::search(run_folder());
    let census = leaks::census();
    assert!(searched > 100_000, "only {searched} bytes were left behind");
    for kind in [
        "number",
        "credential",
        "access token",
        "refresh token",
        "device token",
        "device name",
        "push token",
        "webhook secret",
        "challenge",
        "code",
    ] {
        assert!(census.contains_key(kind), "the run used no {kind}: {census:?}");
    }
    assert!(found.is_empty(), "{} leaks, {:#?}", found.len(), &found[..found.len().min(10)]);
}

async fn search_finds() {
    let folder = tempfile::tempdir().unwrap();
    let secret = format!("planted-{}", data_encoding::HEXLOWER.encode(&random::<8>()));
    leaks::note("planted secret", &secret);
    let encoded: [(&str, Vec<u8>); 6] = [
        ("plain", secret.clone().into_bytes()),
        ("hex", data_encoding::HEXLOWER.encode(secret.as_bytes()).into_bytes()),
        ("HEX", data_encoding::HEXUPPER.encode(secret.as_bytes()).into_bytes()),
        ("base64 0", data_encoding::BASE64.encode(secret.as_bytes()).into_bytes()),
        ("base64 1", data_encoding::BASE64URL.encode(format!("?{secret}?").as_bytes()).into_bytes()),
        (
            "base64 2",
            data_encoding::BASE64_NOPAD.encode(format!("\u{ff}{secret}\u{ff}").as_bytes()).into_bytes(),
        ),
    ];
    for (written, bytes) in encoded {
        let noise = random::<64>();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/blob"), [&noise[..], &bytes, &noise[..]].concat()).unwrap();
        let (found, _) = leaks::search(folder.path());
        assert_eq!(found.len(), 1, "written as {written}: {found:?}");
    }
}

async fn one_line_each() {
    let mut asked = BTreeMap::<_, Vec<String>>::new();
    for (log, id) in answered() {
        asked.entry(log).or_default().push(id);
    }
    for (log, ids) in asked {
        let mut lines = BTreeMap::<String, Vec<Value>>::new();
        for line in String::from_utf8_lossy(&fs::read(&log).unwrap()).lines() {
            let Some(json) = structured(line).filter(|json| json["event"] == "request") else { continue };
            lines.entry(json["requestId"].as_str().unwrap().to_owned()).or_default().push(json);
        }
        for id in ids {
            let of_request = lines.get(&id).map_or(&[][..], Vec::as_slice);
            assert_eq!(of_request.len(), 1, "{id} in {}: {of_request:?}", log.display());
            let line = &of_request[0];
            let is_whole = ["level", "route", "code"].iter().all(|name| line[name].is_string());
            assert!(is_whole && line["millis"].is_u64(), "{line}");
        }
    }
}
