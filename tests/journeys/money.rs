//! An app says that an account holds money: from then on it is guarded more, and it takes time until it is guarded less.

use serde_json::{Value, json};

use crate::{
    notices::{configured, types},
    recycled::{
        DAY, MINUTE, NUMBER, account,
        appeals::{appeal, complete, vague},
        asked, bearer, ming,
        objections::{access, decide, key, queue},
        stays, used,
    },
    world::{Answer, World},
};

fn say(world: &World, key: &str, login: &Answer, body: &Value) -> Answer {
    let path = format!("/v1/accounts/{}/money", account(login));
    world.put(&path, body).bearer(key).send()
}

fn money(world: &World, key: &str, login: &Answer, enabled: bool) {
    let said = say(world, key, login, &json!({"enabled": enabled}));
    assert_eq!(said.status, 204, "{}", said.body);
}

fn is_protected(world: &World, login: &mut Answer) -> Value {
    let path = "/v1/account/login-protection";
    world.get(path).bearer(&access(world, login)).send().body["enabled"].clone()
}

/// A key that can say anything and decide anything.
fn everything(world: &World) -> String {
    world.api_key("everything", &["account:money", "cases:read", "cases:decide"])
}

#[test]
fn an_account_that_holds_money_is_protected_unless_its_owner_has_chosen() {
    let world = World::new();
    let (login, key) = (world.login(NUMBER).signed_in(), everything(&world));
    let enabled = || {
        let asked = world.get("/v1/account/login-protection").bearer(bearer(&login)).send();
        asked.body["enabled"].clone()
    };
    assert_eq!(enabled(), false);
    money(&world, &key, &login, true);
    assert_eq!(enabled(), true);
    let off = json!({"enabled": false});
    let chosen = world.put("/v1/account/login-protection", &off).bearer(bearer(&login)).send();
    assert_eq!(chosen.status, 204, "{}", chosen.body);
    money(&world, &key, &login, true);
    assert_eq!(enabled(), false);
    for (field, body) in [
        ("enabled", json!({})),
        ("enabled", json!({"enabled": "yes"})),
        ("money", json!({"enabled": true, "money": 1})),
    ] {
        let refused = say(&world, &key, &login, &body);
        refused.is_problem(400, "invalid_request");
        assert_eq!(refused.text("/fields/0/name"), field);
    }
    money(&world, &key, &login, false);
    let actions: Vec<_> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["account.money", "account.money", "account.no_money"]);
}

#[test]
fn that_it_holds_none_counts_after_three_days_and_its_owner_hears_of_it_at_once() {
    let world = configured(vec![("DEVICE_KNOWN_DAYS", "7".to_owned())]);
    let login = used(&world, &ming(&world), 7);
    let key = everything(&world);
    money(&world, &key, &login, true);
    world.tell();
    let pushes = world.receivers.pushes().len();
    money(&world, &key, &login, false);
    world.tell();
    world.pass(DAY * 3 - MINUTE);
    money(&world, &key, &login, false);
    world.tell();
    let told = world.receivers.pushes().split_off(pushes);
    let events: Vec<&str> = told.iter().map(|push| push.event.as_str()).collect();
    assert_eq!(events, ["account.money_ends"], "once");
    assert!(types(&world).contains(&"account.money_ends".to_owned()));
    let mut login = login;
    assert_eq!(is_protected(&world, &mut login), true);
    world.pass(MINUTE);
    assert_eq!(is_protected(&world, &mut login), false, "said again it does not wait anew");
}

/// His account holds money, and somebody with his number appeals.
fn appealed(world: &World, key: &str) -> (Answer, Answer) {
    let first = ming(world);
    money(world, key, &first, true);
    let his = stays(world, first, 120);
    (his, asked(world))
}

#[test]
fn one_key_alone_gets_past_the_two_by_no_word_of_its_own() {
    let world = World::new();
    let key = everything(&world);
    let (his, held) = appealed(&world, &key);
    money(&world, &key, &his, false);
    let made = appeal(&world, &held, &vague());
    let id = made.text("/id");
    assert_eq!(decide(&world, &key, id, "grant").text("/state"), "open");
    // Under another name it is the same key.
    for known in world.back_office().api_keys.values_mut() {
        known.name = "somebody else".to_owned();
    }
    assert_eq!(decide(&world, &key, id, "grant").text("/state"), "open");
    // Nor does it help to wait: the case was opened while there was money.
    world.pass(DAY * 4);
    assert_eq!(decide(&world, &key, id, "grant").text("/state"), "open");
    complete(&world, id, &held, NUMBER).is_problem(409, "case_conflict");
    let read = world.get(&format!("/v1/cases/{id}")).bearer(&key).send();
    assert_eq!(
        (&read.body["profile"], read.body["votes"].as_array().map(Vec::len)),
        (&json!("money"), Some(1))
    );
    // With a second one, and after a day, it is granted.
    assert_eq!(decide(&world, &self::key(&world, "ben"), id, "grant").text("/state"), "decided");
    world.pass(DAY);
    assert_eq!(account(&complete(&world, id, &held, NUMBER).signed_in()), account(&his));
}

#[test]
fn what_one_has_granted_takes_a_second_and_a_day_once_there_is_money() {
    let world = World::new();
    let his = ming(&world);
    let his = stays(&world, his, 120);
    let held = asked(&world);
    let id = appeal(&world, &held, &vague()).text("/id").to_owned();
    let (anna, ben) = (key(&world, "anna"), key(&world, "ben"));
    assert_eq!(decide(&world, &anna, &id, "grant").text("/state"), "granted");
    money(&world, &everything(&world), &his, true);
    complete(&world, &id, &held, NUMBER).is_problem(409, "case_conflict");
    assert_eq!(queue(&world, "open").len(), 1, "it waits for people again");
    assert_eq!(decide(&world, &ben, &id, "grant").text("/state"), "decided");
    complete(&world, &id, &held, NUMBER).is_problem(409, "case_conflict");
    world.pass(DAY);
    assert_eq!(account(&complete(&world, &id, &held, NUMBER).signed_in()), account(&his));
}
