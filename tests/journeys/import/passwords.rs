//! Passwords that come along: known at once, and hashed anew by the first right login.

use onetap::kernel::seal::{Sealed, open};
use serde_json::json;

use super::{counts, import};
use crate::world::{World, client::device, objects::Kind};

/// Password and hash: published vectors of bcrypt and PBKDF2, read by `tests/passwords.rs` as well.
fn published() -> Vec<(String, String)> {
    let all: serde_json::Value = serde_json::from_str(include_str!("../../vectors/passwords.json")).unwrap();
    let sources = all.as_array().unwrap().iter().flat_map(|source| source["hashes"].as_array().unwrap());
    let text = |pair: &serde_json::Value, at: usize| pair[at].as_str().unwrap().to_owned();
    let pairs = sources.map(|pair| (text(pair, 0), text(pair, 1)));
    let can_be_typed = |typed: &str| !typed.is_empty() && typed.len() <= 128 && !typed.contains('\0');
    let is_foreign = |text: &str| text.starts_with("$2") || text.contains("pbkdf2");
    pairs.filter(|(typed, text)| can_be_typed(typed) && is_foreign(text)).collect()
}

/// What an account keeps of its password, opened.
fn kept(world: &World, account: &str) -> String {
    let states = world.objects.states(Kind::Account);
    let sealed = Sealed::from_text(states[account]["state"]["password"]["hash"].as_str().unwrap());
    let bytes = open(&world.settings.sealing, &format!("password:{account}"), &sealed).unwrap();
    String::from_utf8(bytes.expose().clone()).unwrap()
}

#[test]
fn who_comes_with_a_foreign_hash_signs_in_and_is_hashed_anew() {
    let vectors = published();
    for algorithm in ["$2", "pbkdf2"] {
        assert!(vectors.iter().filter(|(_, hash)| hash.contains(algorithm)).count() >= 3, "{algorithm}");
    }
    for (typed, hash) in vectors {
        let world = World::new();
        let line = json!({"externalId": "7", "username": "xiaoming", "password": hash});
        let imported = import(&world, &[line]);
        assert_eq!(counts(&imported), [1, 0, 0], "{hash}");
        let id = imported.text("/lines/0/account");
        let log_in = |password: &str| {
            let body = json!({"identifier": "XiaoMing", "password": password, "device": device()});
            world.post("/v1/password/login", &body).send()
        };
        log_in(&format!("x{typed}")).is_problem(401, "invalid_credentials");
        assert_eq!(kept(&world, id), hash);
        let first = log_in(&typed).signed_in();
        assert_eq!(first.body["account"]["id"], imported.body["lines"][0]["account"]);
        let upgraded = kept(&world, id);
        assert!(upgraded.starts_with("$argon2id$v=19$"), "{hash} became {upgraded}");
        log_in(&typed).signed_in();
        assert_eq!(kept(&world, id), upgraded, "once");
    }
}
