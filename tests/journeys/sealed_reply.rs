//! The kept reply against somebody who has everything we store and every secret we have, but not the client's key.

use std::collections::BTreeSet;

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead, Payload},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::world::{
    World,
    configuration::{CMCC_APP_KEY, FLASH_APP_KEY, secrets},
    objects::Kind,
};

const PHONE: &str = "13800138000";
const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const LABELS: [&str; 5] =
    ["", "onetap idempotency reply", "onetap idempotency check", "idempotency", "reply"];

type Bytes32 = [u8; 32];

fn hmac(key: &[u8], message: &[u8]) -> Bytes32 {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn opens(key: &Bytes32, sealed: &[u8], context: &str) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_first_chunk::<12>().unwrap();
    let payload = Payload { msg: body, aad: context.as_bytes() };
    Aes256Gcm::new(key.into()).decrypt(nonce.into(), payload).ok()
}

/// Every text in a JSON value, and what it decodes to.
fn texts(value: &Value, into: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone().into_bytes());
            for part in text.split('.') {
                into.extend(BASE64URL_NOPAD.decode(part.as_bytes()));
                into.extend(BASE64.decode(part.as_bytes()));
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, into)),
        Value::Object(map) => map.values().for_each(|value| texts(value, into)),
        _ => {}
    }
}

#[test]
fn opens_with_the_clients_key_and_with_nothing_else() {
    let world = World::new();
    let token = world.providers.token(PHONE);
    let answer = world.log_in_with(&token).key(KEY).send().signed_in();
    world.run_alarms();

    let counters = world.objects.states(Kind::Counter);
    let (name, counter) = counters.first_key_value().unwrap();
    let sealed = counter["state"]["claim"]["reply"]["sealed"].as_str().unwrap();
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).unwrap();

    // The control: who has the client's key reads the answer.
    let plain = opens(&hmac(KEY.as_bytes(), LABELS[1].as_bytes()), &sealed, name).unwrap();
    let (status, body) = plain.split_at(2);
    assert_eq!(status, 200_u16.to_be_bytes());
    assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), answer.body);

    // What stands in the state, the names of objects, and all secrets of the deployment.
    let mut material: BTreeSet<Vec<u8>> = BTreeSet::new();
    for (_, key) in secrets() {
        material.insert(key.to_vec());
    }
    material.extend([CMCC_APP_KEY, FLASH_APP_KEY, token.as_str()].map(|text| text.as_bytes().to_vec()));
    let signing = b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    material.insert(BASE64URL_NOPAD.decode(signing).unwrap());
    for (place, json) in world.objects.stored() {
        texts(&Value::String(place), &mut material);
        texts(&serde_json::from_str(&json).unwrap(), &mut material);
    }

    let secret_keys: Vec<Bytes32> = secrets().into_iter().map(|(_, key)| key).collect();
    let mut keys: BTreeSet<Bytes32> = BTreeSet::new();
    for bytes in &material {
        keys.extend(<Bytes32>::try_from(bytes.as_slice()));
        keys.insert(Sha256::digest(bytes).into());
        for label in LABELS {
            keys.insert(hmac(bytes, label.as_bytes()));
            keys.insert(hmac(label.as_bytes(), bytes));
        }
        for secret in &secret_keys {
            keys.insert(hmac(secret, bytes));
            keys.insert(hmac(bytes, secret));
            keys.insert(hmac(&hmac(secret, bytes), LABELS[1].as_bytes()));
        }
    }
    assert!(keys.len() > 500, "{}", keys.len());
    for key in &keys {
        for context in [name.as_str(), ""] {
            assert_eq!(opens(key, &sealed, context), None);
        }
    }

    // And nothing of the answer stands beside it.
    for secret in ["/session/accessToken", "/session/refreshToken", "/device/token"] {
        assert_eq!(world.places_of(answer.text(secret)), [""; 0], "{secret}");
    }
    assert_eq!(world.places_of(KEY), [""; 0]);
}
