//! A hundred thousand, killed twice in the middle; and all that one line can carry.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    thread,
};

use serde_json::{Value, json};

use super::{PHONE, agreed, batch, counts, import, importer};
use crate::world::{Broken, Port, World, identities, objects::Kind};

const MANY: usize = 100_000;
const A_BATCH: usize = 100;

/// Of crypt_blowfish 1.2, wrapper.c.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn user(nth: usize) -> Value {
    let mut user = json!({"externalId": format!("user-{nth}"), "phone": format!("130{nth:08}")});
    if nth.is_multiple_of(2) {
        user["phoneProvenAt"] = json!("2025-03-01T08:00:00+08:00");
    }
    if nth.is_multiple_of(10) {
        user["username"] = json!(format!("user{nth}"));
        user["password"] = json!(HASH);
    }
    user
}

/// A number for everything that is stored about people.
fn stored(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    let of_people = |(name, _): &&(String, String)| !name.starts_with("api_key.");
    world.objects.stored().iter().filter(of_people).for_each(|object| object.hash(&mut hasher));
    hasher.finish()
}

/// Two clients side by side bring all of them in batches, each again until it is answered. How many were imported and
/// unchanged, and how often the service was killed.
fn bring(world: &World, users: &[Value]) -> [u64; 3] {
    let key = importer(world);
    let client = |nth: usize| {
        let mut told = [0; 3];
        for lines in users.chunks(A_BATCH).skip(nth).step_by(2) {
            let answer = loop {
                match batch(world, &key, lines).try_send() {
                    Some(answer) => break answer,
                    None => told[2] += 1,
                }
            };
            let [now, before, refused] = counts(&answer);
            assert_eq!(refused, 0);
            told = [told[0] + now, told[1] + before, told[2]];
        }
        told
    };
    let [one, other] = thread::scope(|scope| {
        [0, 1].map(|nth| scope.spawn(move || client(nth))).map(|client| client.join().unwrap())
    });
    [0, 1, 2].map(|at| one[at] + other[at])
}

#[test]
fn a_hundred_thousand_killed_twice_are_there_once_each_and_the_same_file_changes_nothing() {
    let world = World::new();
    let users: Vec<Value> = (0..MANY).map(user).collect();
    // Of 200,000 calls of the one kind, and 110,000 of the other.
    world.faults.break_call(Port::Account, 66_667, Broken::DiesAfter);
    world.faults.break_call(Port::Handle, 77_777, Broken::DiesAfter);
    let [imported, unchanged, killed] = bring(&world, &users);
    assert_eq!((imported + unchanged, killed), (MANY as u64, 2));
    assert!(unchanged < 2 * A_BATCH as u64, "what the killed ones had brought: {unchanged}");
    let held = agreed(&world);
    let is_phone = |(name, _): &&(String, String)| name.starts_with("phone.");
    let by_phone: BTreeSet<&String> = held.iter().filter(is_phone).map(|(_, account)| account).collect();
    assert_eq!((by_phone.len(), held.len()), (MANY, MANY + MANY / 10));
    assert_eq!(world.objects.states(Kind::Account).len(), MANY);
    assert_eq!(world.back_office().audit.len(), MANY / A_BATCH + 2, "once a batch, killed ones too");

    let before = stored(&world);
    assert_eq!(bring(&world, &users), [0, MANY as u64, 0]);
    assert_eq!(stored(&world), before);
}

#[test]
fn everything_that_is_known_comes_along() {
    let world = identities::world();
    let line = json!({
        "externalId": "7", "phone": PHONE, "phoneProvenAt": "2026-11-19T04:00:00Z",
        "email": "Xiao.Ming@Example.com", "emailProvenAt": "2026-01-01T00:00:00Z", "username": "XiaoMing",
        "identities": [{"kind": "wechat", "subject": "u:union"}, {"kind": "wechat", "subject": "o:app:open"}],
        "displayName": "小明", "avatarUrl": "https://cdn.example.com/7.png", "locale": "zh-CN",
        "realName": "verified", "createdAt": "2019-05-04T00:00:00+08:00", "password": HASH,
    });
    let answer = import(&world, &[line]);
    assert_eq!(counts(&answer), [1, 0, 0], "{}", answer.body);
    assert_eq!(agreed(&world).len(), 5);
    let id = answer.text("/lines/0/account");
    let proofs: Vec<Value> = world.objects.states(Kind::Handle).into_values().collect();
    let proof = |at: usize| &proofs[at]["state"]["holder"]["last_proof"];
    // In the order of their names: email, phone, username, wechat.
    assert_eq!(*proof(0), json!({"at": 1_767_225_600_000_i64, "method": "email"}));
    assert_eq!(*proof(1), json!({"at": 1_795_060_800_000_i64, "method": "otp"}));
    assert_eq!(*proof(2), Value::Null);
    assert_eq!(*proof(3), json!({"at": 0, "method": "imported"}));
    world.run_alarms();
    let row = world.back_office().accounts.iter().map(|(id, row)| (id.to_string(), *row)).next().unwrap();
    assert_eq!((row.0.as_str(), row.1.0.rfc3339().as_str()), (id, "2019-05-03T16:00:00Z"));
    assert!(world.queue().is_empty(), "nobody is told");
    for secret in [PHONE, "Ming@Example", "ming@example", "xiaoming", "u:union", "o:app:open", "小明", HASH]
    {
        assert_eq!(world.places_of(secret), Vec::<String>::new(), "{secret}");
    }

    let login = world.login(PHONE).signed_in();
    let account = &login.body["account"];
    assert_eq!(account["id"], id);
    assert_eq!((&account["isNew"], &account["realName"]), (&json!(false), &json!("verified")));
    assert_eq!(account["displayName"], "小明");
    let own = world.get("/v1/account").bearer(login.text("/session/accessToken")).send();
    assert_eq!(own.body["realName"], "verified");
    assert_eq!(own.body["createdAt"], "2019-05-03T16:00:00Z");
    assert_eq!(own.body["locale"], "zh-CN");
    assert_eq!(own.body["identities"].as_array().unwrap().len(), 4, "the app's own name is no other one");
    world.run_alarms();
    let handle =
        world.objects.states(Kind::Handle).into_iter().find(|(name, _)| name.starts_with("phone.")).unwrap();
    assert_eq!(handle.1["state"]["holder"]["last_proof"]["method"], "one_tap");
}

#[test]
fn who_has_deleted_the_account_is_not_brought_back() {
    use std::time::Duration;
    let world = World::new();
    let line = [json!({"externalId": "7", "phone": PHONE, "phoneProvenAt": "2026-11-19T04:00:00Z"})];
    assert_eq!(counts(&import(&world, &line)), [1, 0, 0]);
    let login = world.login(PHONE).signed_in();
    let gone = world.delete("/v1/account").bearer(login.text("/session/accessToken")).send();
    assert_eq!(gone.status, 202);
    assert_eq!(counts(&import(&world, &line)), [0, 1, 0]);
    world.settle_within(Duration::from_secs(20 * 86_400));
    assert_eq!(counts(&import(&world, &line)), [0, 1, 0]);
    assert!(agreed(&world).is_empty(), "the number is free");
    let next = world.login(PHONE).signed_in();
    assert_eq!(next.body["account"]["isNew"], true);
    assert_ne!(next.body["account"]["id"], login.body["account"]["id"]);
}
