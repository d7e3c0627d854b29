//! A code is nowhere but in the message and the client's hand.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{PHONE, not, send};
use crate::world::{World, configuration::secrets, objects::Kind};

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn neither_code_nor_challenge_stands_in_state_or_logs() {
    // Eight digits, so that no time of day looks like one by chance.
    let world = World::with(|name| (name == "OTP_CODE_DIGITS").then(|| "8".to_owned()));
    let mut secrets = Vec::new();
    for nth in 0..10 {
        let phone = format!("138{nth:08}");
        let sent = world.send_otp(&phone).key(&format!("Zk7Qp2LmXw9TbR4sVn6Yc{nth}")).send();
        let text = world.phones.texts(&phone).remove(0);
        let code = text.lines().last().unwrap().split('#').nth(1).unwrap().to_owned();
        assert_eq!(code.len(), 8);
        world.otp_login(&sent.challenge(), not(&code)).send().is_problem(401, "otp_incorrect");
        world.otp_login(&sent.challenge(), &code).send().signed_in();
        secrets.extend([code, sent.challenge(), phone]);
    }
    for secret in &secrets {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
}

/// The MAC as the architecture describes it, written down a second time.
fn mac_of(pepper_key: &[u8], id: &[u8], handle: &str, code: &str) -> Vec<u8> {
    let mut text = id.to_vec();
    for part in ["login", handle, code, "app:default"] {
        text.extend((part.len() as u64).to_be_bytes());
        text.extend(part.as_bytes());
    }
    hmac(&hmac(pepper_key, b"onetap otp pepper"), &text)
}

#[test]
fn record_and_state_without_the_pepper_do_not_yield_the_code() {
    let world = World::new();
    let (_, code) = send(&world, PHONE);
    let (id, record) = world.challenges().pop_first().unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let kept = BASE64URL_NOPAD.decode(record["mac"].as_str().unwrap().as_bytes()).unwrap();
    let (handle, state) = world.objects.states(Kind::Handle).pop_first().unwrap();
    assert_eq!(state["state"]["otp"]["strangers"]["newest"]["mac"], record["mac"]);
    let id = data_encoding::BASE32_NOPAD
        .decode(id.strip_prefix("chl_").unwrap().to_uppercase().as_bytes())
        .unwrap();
    let of = |key: &[u8], code: &str| mac_of(key, &id, &handle, code);
    // The control: who has the pepper tries a million codes in no time.
    let keys = secrets();
    let pepper = keys.iter().find(|(name, _)| *name == "MAC_KEYS").unwrap().1;
    let mut codes = (0..1_000_000).map(|code| format!("{code:06}"));
    assert_eq!(codes.find(|code| of(&pepper, code) == kept), Some(code.clone()));
    // With every other secret, and with everything that stands in the state, even the right code looks wrong.
    let mut material: BTreeSet<Vec<u8>> = BTreeSet::from([Vec::new(), vec![0; 32], id.clone()]);
    material.extend(keys.iter().filter(|(name, _)| *name != "MAC_KEYS").map(|(_, key)| key.to_vec()));
    for (place, text) in world.dump() {
        for word in
            text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).chain([place.as_str()])
        {
            material.insert(word.as_bytes().to_vec());
            material.extend(BASE64URL_NOPAD.decode(word.as_bytes()));
        }
    }
    assert!(material.len() > 50, "{}", material.len());
    for key in &material {
        assert_ne!(of(key, &code), kept);
    }
}
