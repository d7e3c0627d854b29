//! He objects to losing the number: while she waits for it, and when it is hers.

use serde_json::{Value, json};

use super::{
    DAY, MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, by_password, claim, log_in, ming, stays, used,
};
use crate::world::{Answer, Port, World, client::device_with, faults::ALL_WAYS};

pub(crate) fn object(world: &World, login: &mut Answer) -> Answer {
    world.post("/v1/account/phone/objection", &json!({})).bearer(&access(world, login)).send()
}

pub(crate) fn claims(world: &World, login: &mut Answer) -> Value {
    let claims = world.get("/v1/account/phone/claims").bearer(&access(world, login)).send();
    assert_eq!(claims.status, 200, "{}", claims.body);
    claims.body["claims"].clone()
}

/// A new access token of a session that was not used for a while.
pub(crate) fn access(world: &World, login: &mut Answer) -> String {
    let refreshed = super::refresh(world, login);
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    login.body["session"] = refreshed.body["session"].clone();
    refreshed.text("/session/accessToken").to_owned()
}

pub(crate) fn phone(world: &World, login: &mut Answer) -> Value {
    let own = world.get("/v1/account").bearer(&access(world, login)).send();
    assert_eq!(own.status, 200, "{}", own.body);
    own.body["phone"].clone()
}

/// One of those who help people.
pub(crate) fn key(world: &World, name: &str) -> String {
    world.api_key(name, &["cases:read", "cases:decide"])
}

pub(crate) fn decide(world: &World, key: &str, case: &str, decision: &str) -> Answer {
    let body = json!({"decision": decision, "reason": "as the papers say"});
    world.post(&format!("/v1/cases/{case}/decision"), &body).bearer(key).send()
}

pub(crate) fn queue(world: &World, state: &str) -> Vec<Value> {
    world.settle_within(MINUTE);
    let listed = world.get(&format!("/v1/cases?state={state}")).bearer(&key(world, "reader")).send();
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body["cases"].as_array().unwrap().clone()
}

/// He is at home on his phone, she has the number and says so: she waits.
fn waiting(world: &World) -> (Answer, Answer) {
    let first = ming(world);
    used(world, &first, 7);
    let ming = stays(world, first, 120);
    let hong = claim(world, &asked(world), "not_mine").signed_in();
    assert_eq!(hong.body["account"].get("phone"), None);
    (ming, hong)
}

/// He was long gone, and comes back by his name on his own phone: the number is hers.
fn lost(world: &World) -> (Answer, Answer) {
    let first = ming(world);
    let name = json!({"username": "xiaoming"});
    let bound = world.post("/v1/account/identities/username", &name).bearer(super::bearer(&first)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
    used(world, &first, 7);
    world.pass(SOLD_AGAIN);
    let hong = claim(world, &asked(world), "not_mine").signed_in();
    assert_eq!(hong.body["account"]["phone"], "+86138****8000");
    world.settle_within(MINUTE);
    let ming = log_in(world, "xiaoming", PASSWORD, &device_with(super::device_token(&first))).signed_in();
    (ming, hong)
}

/// She takes another number in place of this one.
fn moves_on(world: &World, login: &Answer, to: &str) {
    let credential = json!({"provider": "cmcc", "token": world.providers.token(to)});
    let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
    let changed = world.put("/v1/account/phone", &body).bearer(super::bearer(login)).send();
    assert_eq!(changed.status, 204, "{}", changed.body);
    world.settle_within(MINUTE);
}

fn holder(world: &World) -> String {
    let states = world.objects.states(crate::world::objects::Kind::Handle);
    let held = states.values().filter_map(|state| state.pointer("/state/holder/account"));
    let phones: Vec<&str> = held.filter_map(Value::as_str).collect();
    phones.join(" ")
}

#[test]
fn who_objects_while_somebody_waits_keeps_the_number_until_it_is_decided() {
    let world = World::new();
    let (mut ming, hong) = waiting(&world);
    let waits = claims(&world, &mut ming);
    assert_eq!((&waits[0]["state"], &waits[0]["phone"]), (&json!("waits"), &json!("+86138****8000")));
    assert!(waits[0]["effectiveAt"].is_string() && waits[0].get("objection").is_none(), "{waits}");
    let case = object(&world, &mut ming);
    assert_eq!((case.status, case.text("/state")), (202, "open"), "{}", case.body);
    assert_eq!(object(&world, &mut ming).body, case.body, "said again it is the same");
    assert_eq!(claims(&world, &mut ming)[0]["objection"]["id"], case.body["id"]);
    assert!(!claims(&world, &mut ming).to_string().contains(account(&hong)), "nobody is named");
    // Long after her three days she is asked like anybody.
    world.pass(DAY * 5);
    assert_eq!(asked(&world).body["reason"], "number_may_be_recycled");
    let open = queue(&world, "open");
    assert_eq!((&open[0]["kind"], &open[0]["account"]), (&json!("objection"), &json!(account(&ming))));
    assert_eq!(open[0]["id"], case.body["id"]);

    let granted = decide(&world, &key(&world, "anna"), case.text("/id"), "grant");
    assert_eq!((granted.status, granted.text("/state")), (200, "done"), "{}", granted.body);
    world.settle_within(MINUTE);
    assert_eq!(phone(&world, &mut ming), "+86138****8000");
    assert_eq!(claims(&world, &mut ming), json!([]));
    assert!(queue(&world, "open").is_empty());
}

#[test]
fn an_objection_that_is_refused_lets_the_claim_go_on_and_is_not_made_again() {
    let world = World::new();
    let (mut ming, hong) = waiting(&world);
    let case = object(&world, &mut ming);
    world.pass(DAY * 4);
    let (anna, id) = (key(&world, "anna"), case.text("/id").to_owned());
    assert_eq!(decide(&world, &anna, &id, "refuse").text("/state"), "refused");
    assert_eq!(decide(&world, &anna, &id, "refuse").text("/state"), "refused", "a repeat");
    decide(&world, &anna, &id, "grant").is_problem(409, "case_conflict");
    assert_eq!(object(&world, &mut ming).text("/state"), "refused");
    let hers = world.login(NUMBER).signed_in();
    assert_eq!((account(&hers), &hers.body["account"]["phone"]), (account(&hong), &json!("+86138****8000")));
}

#[test]
fn a_number_that_went_comes_back_when_those_who_decide_say_so() {
    let world = World::new();
    let (mut ming, mut hong) = lost(&world);
    assert_eq!(claims(&world, &mut ming)[0]["state"], "lost");
    world.pass(DAY * 6);
    let case = object(&world, &mut ming);
    assert_eq!((case.status, case.text("/state")), (202, "open"), "{}", case.body);
    let anna = key(&world, "anna");
    let read = world.get(&format!("/v1/cases/{}", case.text("/id"))).bearer(&anna).send();
    assert_eq!(read.body["heldBy"]["account"], account(&hong), "{}", read.body);
    assert_eq!(decide(&world, &anna, case.text("/id"), "grant").text("/state"), "granted", "not back yet");
    assert_eq!(claims(&world, &mut ming)[0]["objection"]["state"], "granted");
    assert_eq!((queue(&world, "granted").len(), queue(&world, "done").len()), (0, 1), "it is, by now");
    assert_eq!(phone(&world, &mut ming), "+86138****8000");
    assert_eq!(phone(&world, &mut hong), Value::Null, "she is told, and keeps all else");
    assert_eq!(holder(&world).matches(account(&ming)).count(), 2, "his name and the number");
    let lost = claims(&world, &mut hong);
    assert_eq!((&lost[0]["state"], lost[0].to_string().contains(account(&ming))), (&json!("lost"), false));
    // Who has the SIM is asked, since nobody has proven the number to be his.
    let held = asked(&world);
    assert_eq!(account(&by_password(&world, &held, PASSWORD).signed_in()), account(&ming));
}

#[test]
fn it_comes_back_once_whatever_breaks_on_the_way() {
    for way in ALL_WAYS {
        for (port, calls) in [(Port::Handle, 3), (Port::Account, 3)] {
            for call in 0..calls {
                let world = World::new();
                let (mut ming, mut hong) = lost(&world);
                let case = object(&world, &mut ming);
                assert_eq!(decide(&world, &key(&world, "anna"), case.text("/id"), "grant").status, 200);
                world.faults.break_call(port, call, way);
                world.run_alarms();
                world.settle_within(MINUTE * 10);
                world.faults.mend();
                world.settle_within(MINUTE * 10);
                let name = format!("{port:?} {call} {way:?}");
                assert_eq!(queue(&world, "done").len(), 1, "{name}");
                assert_eq!(phone(&world, &mut ming), "+86138****8000", "{name}");
                assert_eq!(phone(&world, &mut hong), Value::Null, "{name}");
            }
        }
    }
}

#[test]
fn after_a_week_or_on_a_new_device_or_for_nothing_nobody_objects() {
    let world = World::new();
    let mut somebody = world.login("13900139000").signed_in();
    object(&world, &mut somebody).is_problem(404, "not_found");
    let (mut ming, mut hong) = lost(&world);
    let mut stranger = log_in(&world, "xiaoming", PASSWORD, &crate::world::client::device()).signed_in();
    object(&world, &mut stranger).is_problem(403, "reauthentication_required");
    object(&world, &mut hong).is_problem(404, "not_found");
    world.pass(DAY * 7);
    object(&world, &mut ming).is_problem(404, "not_found");
}

#[test]
fn a_number_that_has_gone_on_is_taken_from_nobody_else() {
    let world = World::new();
    let (mut ming, hong) = lost(&world);
    let case = object(&world, &mut ming);
    // She takes another number, and somebody else gets this one.
    let fresh = world.login(NUMBER).signed_in();
    assert_eq!(account(&fresh), account(&hong));
    moves_on(&world, &fresh, "13700137000");
    let third = world.login(NUMBER).signed_in();
    assert_ne!(account(&third), account(&hong));
    world.settle_within(MINUTE);
    assert_eq!(decide(&world, &key(&world, "anna"), case.text("/id"), "grant").status, 200);
    assert_eq!(queue(&world, "gone").len(), 1, "it says that it could not be");
    assert_eq!(claims(&world, &mut ming)[0]["objection"]["state"], "gone");
    assert_eq!(account(&world.login(NUMBER).signed_in()), account(&third));
    assert_eq!(phone(&world, &mut ming), Value::Null);
    let anna = key(&world, "anna");
    decide(&world, &anna, case.text("/id"), "refuse").is_problem(409, "case_conflict");
    // Objecting anew he lets people look at that one, too.
    let anew = object(&world, &mut ming);
    assert_eq!((anew.status, anew.text("/state")), (202, "open"), "{}", anew.body);
    assert_eq!(claims(&world, &mut ming)[0]["objection"]["id"], anew.body["id"]);
    let read = world.get(&format!("/v1/cases/{}", anew.text("/id"))).bearer(&anna).send();
    assert_eq!(read.body["heldBy"]["account"], account(&third), "{}", read.body);
    assert_eq!(decide(&world, &anna, anew.text("/id"), "grant").status, 200);
    assert_eq!(queue(&world, "done").len(), 1);
    assert_eq!(phone(&world, &mut ming), "+86138****8000");
}

#[test]
fn who_gives_it_up_and_takes_it_again_has_not_got_away_with_it() {
    for decided_between in [false, true] {
        let world = World::new();
        let (mut ming, hong) = lost(&world);
        let case = object(&world, &mut ming);
        let grant = || decide(&world, &key(&world, "anna"), case.text("/id"), "grant").status;
        let hers = world.login(NUMBER).signed_in();
        moves_on(&world, &hers, "13700137000");
        if decided_between {
            assert_eq!(grant(), 200);
            queue(&world, "open");
        }
        // Another holding of the same account.
        let again = world.login("13700137000").signed_in();
        assert_eq!(account(&again), account(&hong));
        let credential = json!({"provider": "cmcc", "token": world.providers.token(NUMBER)});
        let body = json!({"numberProof": {"type": "one_tap", "credential": credential}});
        let back = world.put("/v1/account/phone", &body).bearer(super::bearer(&again)).send();
        if decided_between {
            back.is_problem(409, "phone_in_use");
        } else {
            assert_eq!(back.status, 204, "{}", back.body);
            world.settle_within(MINUTE);
            assert_eq!(grant(), 200);
        }
        assert_eq!(queue(&world, "done").len(), 1);
        assert_eq!(phone(&world, &mut ming), "+86138****8000");
        asked(&world);
    }
}

#[test]
fn an_objection_made_before_the_number_goes_brings_it_back_after_it_went() {
    for is_sold in [false, true] {
        let world = super::evidence::world("basic");
        let (mut ming, _) = waiting(&world);
        let case = object(&world, &mut ming);
        if is_sold {
            // While people look at it the carrier says that it was sold, and it goes at once.
            super::evidence::is_sold(&world);
            world.pass(DAY * 2);
            assert_eq!(world.login(NUMBER).body["reason"], "number_recycled");
            world.settle_within(MINUTE);
            world.login(NUMBER).signed_in();
            world.settle_within(MINUTE);
            assert_eq!(phone(&world, &mut ming), Value::Null);
        }
        let granted = decide(&world, &key(&world, "anna"), case.text("/id"), "grant");
        assert_eq!(granted.text("/state"), if is_sold { "granted" } else { "done" });
        assert_eq!(queue(&world, "done").len(), 1);
        assert_eq!(phone(&world, &mut ming), "+86138****8000");
    }
}
