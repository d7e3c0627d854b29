//! What holds for every hash; published vectors are in `tests/passwords`.

use super::*;

const CHEAP: Cost = Cost { memory: 8, passes: 1 };

fn password(typed: &str) -> Password {
    Password::new(Secret::new(typed.to_owned()), Secret::new(typed.to_owned()))
}

#[test]
fn a_hash_of_ours_is_a_phc_text_with_todays_cost() {
    let hash = PasswordHash::make(&password("correct horse"), [0; 16], Cost::CURRENT).unwrap();
    let text = hash.text().expose();
    let start = "$argon2id$v=19$m=12288,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$";
    assert!(text.starts_with(start) && text.len() == start.len() + 43, "{text}");
    assert!(hash.is_of(Cost::CURRENT) && !hash.is_of(CHEAP));
    assert!(hash.compare(&password("correct horse")).unwrap().finish().unwrap());
    assert!(!hash.compare(&password("Correct horse")).unwrap().finish().unwrap());
    assert_eq!(PasswordHash::import(text), Ok(hash));
}

#[test]
fn the_salt_and_every_character_count() {
    let of = |typed: &str, salt| PasswordHash::make(&password(typed), [salt; 16], CHEAP).unwrap();
    let long = "x".repeat(512);
    let hash = of(&long, 1);
    assert_ne!(hash, of(&long, 2));
    assert_ne!(hash, of(&long[1..], 1));
    assert!(!hash.compare(&password(&long[1..])).unwrap().finish().unwrap());
}

#[test]
fn no_password_is_the_decoys() {
    let decoy = PasswordHash::decoy(CHEAP);
    assert!(decoy.is_of(CHEAP));
    assert!(!decoy.compare(&password("")).unwrap().finish().unwrap());
}

#[test]
fn an_imported_hash_knows_what_was_typed_and_ours_the_normal_form() {
    // Another system hashed the ligature as it came.
    let (typed, normal) = ("of\u{fb01}ce hours", "office hours");
    let imported = PasswordHash::make(&password(typed), [1; 16], CHEAP).unwrap();
    let ours = PasswordHash::make(&password(normal), [1; 16], CHEAP).unwrap();
    let both = Password::new(Secret::new(typed.to_owned()), Secret::new(normal.to_owned()));
    for hash in [imported, ours] {
        assert!(hash.compare(&both).unwrap().finish().unwrap());
    }
}

#[test]
fn slow_hashes_come_in_pieces_and_argon2_in_one() {
    let steps = |text: &str| {
        let mut verification = PasswordHash::import(text).unwrap().compare(&password("a")).unwrap();
        let mut steps = 1;
        while verification.step().unwrap().is_none() {
            steps += 1;
        }
        steps
    };
    // 2^10 rounds of 512; 120,000 iterations of 50,000.
    assert_eq!(steps("$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u"), 2);
    let digest = "A".repeat(43);
    assert_eq!(steps(&format!("pbkdf2_sha256$120000$salt${digest}=")), 3);
    assert_eq!(steps(&format!("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${digest}")), 1);
}

#[test]
fn neither_password_nor_hash_can_be_printed() {
    let typed = password("correct horse");
    let hash = PasswordHash::make(&typed, [1; 16], CHEAP).unwrap();
    let verification = hash.compare(&typed).unwrap();
    let shown = format!("{typed:?} {hash:?} {verification:?}");
    assert!(!shown.contains("horse") && !shown.contains("argon2id"), "{shown}");
}

#[test]
fn what_is_kept_is_the_text_itself() {
    let hash = PasswordHash::decoy(CHEAP);
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{}\"", hash.text().expose()));
    assert_eq!(serde_json::from_str::<PasswordHash>(&json).unwrap(), hash);
    let broken: PasswordHash = serde_json::from_str("\"plain\"").unwrap();
    assert!(broken.compare(&password("plain")).is_err());
}
