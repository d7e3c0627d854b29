//! Hashes of passwords against published vectors (`vectors/passwords.json`), and what an import takes and refuses.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use data_encoding::HEXLOWER;
use onetap::kernel::{
    password::{Cost, ImportRefusal, Password, PasswordHash},
    secret::Secret,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Published {
    source: String,
    hashes: Vec<(String, String)>,
}

fn published() -> Vec<Published> {
    serde_json::from_str(include_str!("vectors/passwords.json")).unwrap()
}

fn password(typed: &str) -> Password {
    Password::new(Secret::new(typed.to_owned()), Secret::new(typed.to_owned()))
}

fn knows(hash: &PasswordHash, typed: &str) -> bool {
    hash.compare(&password(typed)).unwrap().finish().unwrap()
}

fn refusal(text: &str) -> ImportRefusal {
    PasswordHash::import(text).err().unwrap_or_else(|| panic!("{text} is taken"))
}

#[test]
fn the_vectors_of_rfc_9106() {
    for (algorithm, tag) in [
        (Algorithm::Argon2d, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"),
        (Algorithm::Argon2i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
        (Algorithm::Argon2id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    ] {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], algorithm, Version::V0x13, params).unwrap();
        let mut digest = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut digest).unwrap();
        assert_eq!(HEXLOWER.encode(&digest), tag);
    }
}

#[test]
fn published_hashes_know_their_password_and_no_other() {
    for Published { source, hashes } in published() {
        for (typed, text) in hashes {
            let hash = PasswordHash::import(&text).unwrap_or_else(|_| panic!("{source}: {text}"));
            assert!(knows(&hash, &typed), "{source}: {text}");
            let other = typed.strip_suffix('x').map_or_else(|| format!("x{typed}"), str::to_owned);
            assert!(!knows(&hash, &other), "{source}: {text}");
        }
    }
}

#[test]
fn what_would_take_the_isolate_is_refused() {
    let argon2 = |costs: &str| format!("$argon2id$v=19${costs}$c29tZXNhbHQ${}", "A".repeat(43));
    let bcrypt = |cost: &str| format!("$2b${cost}${}", ".".repeat(53));
    let pbkdf2 = |iterations: &str| format!("pbkdf2_sha256${iterations}$salt${}=", "A".repeat(43));
    for text in [
        argon2("m=65536,t=4,p=1"),
        argon2("m=65536,t=3,p=4"),
        argon2("m=19456,t=13,p=16"),
        argon2("m=8,t=32768,p=1"),
        bcrypt("04"),
        bcrypt("14"),
        pbkdf2("1"),
        pbkdf2("2000000"),
    ] {
        assert!(PasswordHash::import(&text).is_ok(), "{text}");
    }
    for text in [
        argon2("m=65537,t=1,p=1"),
        argon2("m=102400,t=2,p=8"),
        argon2("m=65536,t=5,p=1"),
        argon2("m=8,t=32769,p=1"),
        argon2("m=4294967295,t=4294967295,p=1"),
        argon2("m=4096,t=1,p=17"),
        argon2("m=4096,t=1,p=4294967295"),
        bcrypt("15"),
        bcrypt("31"),
        pbkdf2("2000001"),
        pbkdf2("4294967295"),
    ] {
        assert_eq!(refusal(&text), ImportRefusal::TooCostly, "{text}");
    }
}

#[test]
fn unknown_algorithms_are_named_so() {
    for text in [
        "",
        "plain",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$etNnh7FA$OlM7eljE/B7F1J4XYNnk81",
        "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
        "$2$05$......................YgIDy4hFBdVlc/6LHnD9mX488r9cLd2",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1",
        "$argon2x$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "pbkdf2_sha1$260000$seasalt$bBbJ3eXzQ3iJQ0nQhXKXgZ0mDNo=",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "bcrypt_sha256$$2b$12$......................21jzCB1r6pN6rp5O2Ev0ejjTAboskKm",
    ] {
        assert_eq!(refusal(text), ImportRefusal::UnknownAlgorithm, "{text}");
    }
}

#[test]
fn what_is_not_written_as_it_should_be_is_malformed() {
    for text in [
        "$2a$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
        "$2a$05$CCCCCCCCCCCCCCCCCCCC+.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1,keyid=AA$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=31,t=2,p=4$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgL",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
        "$argon2id",
        "pbkdf2_sha256$0$salt$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=",
        "pbkdf2_sha256$-1$salt$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=",
        "pbkdf2_sha256$1$$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=",
        "pbkdf2_sha256$1$salt$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL",
        "$pbkdf2-sha256$i=1,l=64$c2FsdA$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs",
        "pbkdf2_sha256$1$sa lt$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=",
    ] {
        assert_eq!(refusal(text), ImportRefusal::Malformed, "{text}");
    }
    let long = format!("pbkdf2_sha256$1${}$Eg+2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs=", "s".repeat(256));
    assert_eq!(refusal(&long), ImportRefusal::Malformed);
}

#[test]
fn reasons_have_codes_of_their_own() {
    use ImportRefusal::{Malformed, TooCostly, UnknownAlgorithm};
    let codes = [UnknownAlgorithm, Malformed, TooCostly].map(ImportRefusal::code);
    assert_eq!(codes, ["password_hash_unknown", "password_hash_malformed", "password_hash_too_costly"]);
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in r"\PC*", costs in r"[$,=mtpvil0-9]{0,40}") {
        for text in [&text, &format!("$argon2id${text}"), &format!("$2a$10${text}"), &format!("$argon2id${costs}")] {
            let _ = PasswordHash::import(text);
        }
    }

    #[test]
    fn a_changed_hash_is_refused_or_knows_the_password_no_more(
        vector in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in b' '..=b'~',
    ) {
        // Those that cost little; a change to the costs would be slow to follow.
        let vectors: Vec<_> = published().into_iter().flat_map(|published| published.hashes).collect();
        let cheap: Vec<_> = vectors.into_iter().filter(|(_, text)| text.contains("m=256") || text.contains("$1$")).collect();
        let (typed, text) = vector.get(&cheap);
        let digest = text.rfind('$').unwrap() + 1;
        let place = digest + place.index(text.len() - digest);
        let mut changed = text.clone().into_bytes();
        *changed.get_mut(place).unwrap() = byte;
        let changed = String::from_utf8(changed).unwrap();
        if let Ok(hash) = PasswordHash::import(&changed) {
            let is_same = changed.trim_end_matches('=') == text.trim_end_matches('=');
            prop_assert_eq!(knows(&hash, typed), is_same, "{}", changed);
        }
    }

    #[test]
    fn what_is_taken_is_within_bounds(
        memory in 0_u32..140_000, passes in 0_u32..40, lanes in 0_u32..40,
        cost in 0_u32..40, iterations in 0_u32..4_000_000,
    ) {
        let digest = "A".repeat(43);
        let argon2 = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$c29tZXNhbHQ${digest}");
        let is_possible = (1..=16).contains(&lanes) && passes >= 1 && memory >= 8 * lanes;
        prop_assert_eq!(
            PasswordHash::import(&argon2).is_ok(),
            is_possible && memory <= 65_536 && memory * passes <= 262_144,
        );
        let bcrypt = format!("$2b${cost:02}${}", ".".repeat(53));
        prop_assert_eq!(PasswordHash::import(&bcrypt).is_ok(), (4..=14).contains(&cost));
        let pbkdf2 = format!("$pbkdf2-sha256${iterations}$c29tZXNhbHQ${digest}");
        prop_assert_eq!(PasswordHash::import(&pbkdf2).is_ok(), (1..=2_000_000).contains(&iterations));
    }

    #[test]
    fn every_password_is_known_to_its_own_hash_alone(
        typed in r"\PC{0,128}", other in r"\PC{0,128}", salt: [u8; 16],
    ) {
        let hash = PasswordHash::make(&password(&typed), salt, Cost { memory: 8, passes: 1 }).unwrap();
        prop_assert!(knows(&hash, &typed));
        prop_assert_eq!(knows(&hash, &other), typed == other);
        prop_assert_eq!(PasswordHash::import(hash.text().expose()), Ok(hash));
    }
}
