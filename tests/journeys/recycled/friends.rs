//! Friends vouch: he has lost phone and password, and two people who know him say that it is him.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, bearer, by_password, claim, device_token,
    log_in, ming, on, refresh, set_password, stays, step, used,
};
use crate::world::{
    Answer, World,
    client::{device, device_with, login_body},
    objects::Kind,
};

mod misuse;
mod refused;

pub(super) const LI: (&str, &str) = ("13700137001", "198.51.100.1");
pub(super) const WANG: (&str, &str) = ("13700137002", "198.51.101.1");
pub(super) const ZHAO: (&str, &str) = ("13700137003", "198.51.102.1");
pub(super) const LONG_AGO: &str = "2020-01-02T03:04:05Z";

/// Somebody signs in from a place of their own.
pub(super) fn friend(world: &World, (phone, address): (&str, &str)) -> Answer {
    world.log_in_with(&world.providers.token(phone)).from(address).send().signed_in()
}

/// The app says who his friends are, and since when.
pub(super) fn befriend(world: &World, ming: &Answer, friends: &[(&Answer, &str)]) {
    let key = world.api_key("app", &["account:friends"]);
    let friends: Vec<Value> =
        friends.iter().map(|(friend, since)| json!({"account": account(friend), "since": since})).collect();
    let path = format!("/v1/accounts/{}/friends", account(ming));
    let put = world.put(&path, &json!({"friends": friends})).bearer(&key).send();
    assert_eq!(put.status, 204, "{}", put.body);
}

/// Four months after he was last there, his friends are.
pub(super) fn friends_of(world: &World, ming: &Answer) -> [Answer; 2] {
    world.pass(SOLD_AGAIN);
    let friends = [LI, WANG].map(|one| friend(world, one));
    befriend(world, ming, &[(&friends[0], LONG_AGO), (&friends[1], LONG_AGO)]);
    friends
}

pub(super) fn ask(world: &World, held: &Answer) -> Answer {
    step(world, held, "start", json!({"method": "friends"}))
}

/// The phrase that he is shown.
pub(super) fn phrase(asking: &Answer) -> String {
    assert_eq!(asking.status, 200, "{}", asking.body);
    asking.text("/friends/phrase").to_owned()
}

pub(super) fn confirm(world: &World, friend: &Answer, address: &str, phone: &str, phrase: &str) -> Answer {
    let body = json!({"phone": phone, "phrase": phrase});
    world.post("/v1/friends/confirmations", &body).bearer(bearer(friend)).from(address).send()
}

/// Both say that it is him.
pub(super) fn both(world: &World, friends: &[Answer; 2], phrase: &str) {
    for (friend, (_, address)) in friends.iter().zip([LI, WANG]) {
        let said = confirm(world, friend, address, NUMBER, phrase);
        assert_eq!((said.status, &said.body), (200, &json!({"confirmed": true})));
    }
}

pub(super) fn state(world: &World, held: &Answer) -> Answer {
    step(world, held, "state", json!({}))
}

/// How far the case is, for the device on which friends were asked.
pub(super) fn case_state(world: &World, id: &str, token: &str) -> String {
    let looked = world.get(&format!("/v1/appeals/{id}")).header("x-onetap-device", token).send();
    assert_eq!(looked.status, 200, "{}", looked.body);
    looked.text("/state").to_owned()
}

pub(super) fn kept(world: &World, login: &Answer) -> Value {
    world.objects.states(Kind::Account)[account(login)]["state"].clone()
}

pub(super) fn methods(held: &Answer) -> Vec<&str> {
    held.body["methods"].as_array().unwrap().iter().map(|way| way["method"].as_str().unwrap()).collect()
}

#[test]
fn two_friends_say_that_it_is_him_while_he_waits() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    assert_eq!(methods(&held), ["password", "friends"]);
    let asking = ask(&world, &held);
    let said = phrase(&asking);
    assert_eq!((said.len(), &asking.body["friends"]["expiresIn"]), (14, &json!(86_400)));
    // Who has lost it asks again; it is shown nowhere else, and kept nowhere.
    assert_eq!(phrase(&ask(&world, &held)), said);
    assert_eq!(state(&world, &held).body["friends"].get("phrase"), None);
    assert_eq!(world.places_of(&said), Vec::<String>::new());
    assert_eq!(world.places_of(&said.replace('-', "")), Vec::<String>::new());
    // As it was heard over the phone.
    let heard = said.to_lowercase().replace('-', " ").replace('0', "o");
    assert_eq!(confirm(&world, &friends[0], LI.1, NUMBER, &heard).body, json!({"confirmed": true}));
    assert_eq!(state(&world, &held).body["proven"], Value::Null, "one is not enough");
    assert_eq!(confirm(&world, &friends[1], WANG.1, NUMBER, &said).status, 200);
    let back = state(&world, &held).signed_in();
    assert_eq!(account(&back), account(&ming));
    let id = asking.text("/friends/id");
    assert_eq!(case_state(&world, id, device_token(&held)), "done");
    world.settle_within(MINUTE);
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&ming), "the number was proven just now");
}

#[test]
fn long_after_the_ticket_is_over_he_proves_the_number_once_more_on_the_same_device() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    let asking = ask(&world, &held);
    let (id, said) = (asking.text("/friends/id").to_owned(), phrase(&asking));
    both(&world, &friends, &said);
    world.pass(DAY * 2);
    state(&world, &held).is_problem(410, "ticket_invalid");
    assert_eq!(case_state(&world, &id, device_token(&held)), "granted");
    // On another device it says nothing.
    assert_eq!(asked(&world).body.get("proven"), None);
    let mut again = on(&world, device_token(&held));
    assert_eq!(again.body["proven"], json!(["friends"]), "{}", again.body);
    assert_eq!(again.body.get("device"), None, "its token stays the same");
    again.body["device"] = json!({"token": device_token(&held)});
    let back = state(&world, &again).signed_in();
    assert_eq!(
        (account(&back), case_state(&world, &id, device_token(&held)).as_str()),
        (account(&ming), "done")
    );
    world.settle_within(MINUTE);
    // Months later the device has to show what it is anew: friends spoke for one time.
    world.pass(SOLD_AGAIN);
    let later = on(&world, device_token(&held));
    assert_eq!((&later.body["status"], later.body.get("proven")), (&json!("step_up_required"), None));
}

#[test]
fn he_whose_number_is_hers_by_now_comes_back_by_his_password_and_two_friends() {
    let world = World::new();
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let hong = claim(&world, &asked(&world), "not_mine").signed_in();
    world.settle_within(MINUTE);
    let before = kept(&world, &hong);
    let held = log_in(&world, NUMBER, PASSWORD, &device());
    assert_eq!((&held.body["reason"], methods(&held)), (&json!("historical_number"), vec!["friends"]));
    let said = phrase(&ask(&world, &held));
    both(&world, &friends, &said);
    world.pass(DAY);
    let mut again = log_in(&world, NUMBER, PASSWORD, &device_with(device_token(&held)));
    assert_eq!(again.body["proven"], json!(["password", "friends"]), "{}", again.body);
    again.body["device"] = json!({"token": device_token(&held)});
    let back = state(&world, &again).signed_in();
    assert_eq!((account(&back), &back.body["needs"]), (account(&ming), &json!(["new_phone"])));
    assert_eq!(kept(&world, &hong), before, "of her account nothing has moved");
}

#[test]
fn where_there_is_money_friends_and_one_thing_more_are_needed() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let ming = ming(&world);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    assert_eq!((&held.body["need"], methods(&held)), (&json!(3), vec!["password", "friends"]));
    both(&world, &friends, &phrase(&ask(&world, &held)));
    let more = state(&world, &held);
    assert_eq!(
        (&more.body["status"], &more.body["proven"]),
        (&json!("step_up_required"), &json!(["friends"]))
    );
    let back = by_password(&world, &held, PASSWORD).signed_in();
    assert_eq!(account(&back), account(&ming));
}

#[test]
fn friends_and_a_weak_proof_are_enough_where_three_is_asked_for() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    let address = "xiaoming@mail.example";
    let ming = world.login(NUMBER).signed_in();
    let body = json!({"email": address, "purpose": "bind", "device": device()});
    let challenge = world.post("/v1/otp/send", &body).bearer(bearer(&ming)).send().challenge();
    let body = json!({"challengeId": challenge, "code": world.phones.mailed_code(address)});
    let bound = world.post("/v1/account/identities/email", &body).bearer(bearer(&ming)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    world.settle_within(MINUTE);
    let friends = friends_of(&world, &ming);
    let held = asked(&world);
    assert_eq!(methods(&held), ["friends", "email_code"]);
    let started = step(&world, &held, "start", json!({"method": "email_code"}));
    let given = json!({"method": "email_code", "code": world.phones.mailed_code(address),
        "challengeId": started.text("/challenge/challengeId")});
    assert_eq!(step(&world, &held, "complete", given).body["proven"], json!(["email_code"]));
    both(&world, &friends, &phrase(&ask(&world, &held)));
    assert_eq!(account(&state(&world, &held).signed_in()), account(&ming));
}

#[test]
fn the_owner_hears_of_it_on_his_phone_and_by_webhook_and_never_by_the_number() {
    let world = crate::notices::configured(vec![("DEVICE_KNOWN_DAYS", "7".to_owned())]);
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first.clone(), 120);
    let friends = [LI, WANG].map(|one| friend(&world, one));
    befriend(&world, &first, &[(&friends[0], LONG_AGO), (&friends[1], LONG_AGO)]);
    let held = asked(&world);
    world.tell();
    let (pushes, texts) = (world.receivers.pushes().len(), world.phones.texts(NUMBER).len());
    let said = phrase(&ask(&world, &held));
    assert_eq!(phrase(&ask(&world, &held)), said);
    both(&world, &friends, &said);
    world.tell();
    let told: Vec<String> =
        world.receivers.pushes().split_off(pushes).into_iter().map(|push| push.event).collect();
    assert_eq!(told, ["friends.asked"], "once, however often it was asked");
    assert_eq!(world.phones.texts(NUMBER).len(), texts);
    assert!(crate::notices::types(&world).contains(&"friends.asked".to_owned()));
}
