//! What a thief does with a stolen session or a number, and who hears of it before it is too late.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    login_protection,
    notices::{listening, owner, sign_in, types},
    numbers::{NEW, OLD, bearer, later, one_tap, otp, to},
};
use crate::world::{
    Answer, World,
    client::{device, device_with},
};

const GOOD: &str = "tnrkx-qumbelhof";
const BETTER: &str = "vlimp oster gandel";
const STALE: Duration = Duration::from_secs(601);
const PHONE_OF_OWNER: &str = "push-token-of-the-phone";

fn thief(world: &World) -> Answer {
    let thief = sign_in(world, "push-token-of-the-thief", None);
    world.tell();
    thief
}

/// What the owner's phone was told since, and what every backend was.
fn told(world: &World, doing: impl FnOnce()) -> (Vec<String>, Vec<String>) {
    let (pushes, hooks) = (world.receivers.pushes().len(), types(world).len());
    doing();
    world.tell();
    let new = world.receivers.pushes().split_off(pushes);
    let to_owner = new.into_iter().filter(|push| push.to == PHONE_OF_OWNER).map(|push| push.event);
    (to_owner.collect(), types(world).split_off(hooks))
}

fn is_signed_in(world: &World, login: &Answer) -> bool {
    world.get("/v1/devices").bearer(bearer(login)).send().status == 200
}

fn set_password(world: &World, login: &Answer, password: &str, sign_out: bool) -> Answer {
    let body = json!({"newPassword": password, "signOutOthers": sign_out});
    world.put("/v1/account/password", &body).bearer(bearer(login)).send()
}

fn prove(world: &World, login: &Answer, proof: &Value) -> Answer {
    world.post("/v1/session/proof", &json!({"proof": proof})).bearer(bearer(login)).send()
}

fn bind_name(world: &World, login: &Answer, name: &str) -> Answer {
    let path = "/v1/account/identities/username";
    world.post(path, &json!({"username": name})).bearer(bearer(login)).send()
}

fn reset_body(world: &World, device: &Value) -> Value {
    let body = json!({"phone": OLD, "purpose": "reset_password", "device": device});
    let challenge = world.post("/v1/otp/send", &body).send().challenge();
    let proof = json!({"type": "otp", "challengeId": challenge, "code": world.phones.code(OLD)});
    json!({"numberProof": proof, "newPassword": GOOD, "device": device})
}

#[test]
fn a_reset_is_told_to_the_phone_that_it_signs_out() {
    let world = listening();
    let phone = owner(&world);
    let body = reset_body(&world, &device());
    let (owner, hooks) = told(&world, || {
        world.post("/v1/password/reset", &body).send().signed_in();
    });
    assert_eq!(owner, ["login.new_device", "password.changed"]);
    assert_eq!(hooks, ["login.new_device", "password.changed"]);
    assert!(!is_signed_in(&world, &phone));
}

#[test]
fn who_signs_the_owner_out_from_a_new_device_is_told_of() {
    let world = listening();
    let (phone, thief) = (owner(&world), thief(&world));
    let one = format!("/v1/sessions/{}", phone.text("/session/id"));
    for path in [one.as_str(), "/v1/sessions"] {
        let phone = sign_in(&world, PHONE_OF_OWNER, Some(&phone));
        world.tell();
        let path = path.replace(one.rsplit('/').next().unwrap(), phone.text("/session/id"));
        let (owner, hooks) = told(&world, || {
            assert_eq!(world.delete(&path).bearer(bearer(&thief)).send().status, 204);
        });
        assert_eq!((owner, hooks), (vec!["sessions.ended".to_owned()], vec!["sessions.ended".to_owned()]));
        assert!(!is_signed_in(&world, &phone));
    }
    // The other way round it is nobody's news.
    let phone = sign_in(&world, PHONE_OF_OWNER, Some(&phone));
    world.tell();
    let (_, hooks) = told(&world, || {
        assert_eq!(world.delete("/v1/sessions").bearer(bearer(&phone)).send().status, 204);
    });
    assert_eq!(hooks, [""; 0]);
    assert!(!is_signed_in(&world, &thief));
}

#[test]
fn what_could_cost_the_account_is_told_to_its_phone() {
    type Deed = fn(&World, &Answer);
    let deeds: [(&str, Deed); 5] = [
        ("account.exported", |world, thief| {
            assert_eq!(world.get("/v1/account/export").bearer(bearer(thief)).send().status, 200);
        }),
        ("identity.bound", |world, thief| assert_eq!(bind_name(world, thief, "thief").status, 204)),
        ("password.changed", |world, thief| {
            assert_eq!(set_password(world, thief, GOOD, true).status, 204);
        }),
        ("account.deletion_requested", |world, thief| {
            assert_eq!(world.delete("/v1/account").bearer(bearer(thief)).send().status, 202);
        }),
        ("phone.changed", |world, thief| assert_eq!(to(world, thief, NEW).status, 204)),
    ];
    for (kind, deed) in deeds {
        let world = listening();
        owner(&world);
        let thief = thief(&world);
        let (owner, hooks) = told(&world, || deed(&world, &thief));
        assert_eq!((owner, hooks), (vec![kind.to_owned()], vec![kind.to_owned()]));
    }
}

#[test]
fn who_speaks_for_the_owner_is_told_when_it_changes() {
    let world = listening();
    let first = owner(&world);
    // A second phone of the owner's, known as well, is the one that hears.
    let second = sign_in(&world, "push-token-of-the-tablet", None);
    world.pass(Duration::from_secs(86_400));
    let phone = sign_in(&world, PHONE_OF_OWNER, Some(&first));
    let tablet = sign_in(&world, "push-token-of-the-tablet", Some(&second));
    world.tell();
    let trust = json!({"numberProof": one_tap(&world, NEW)});
    let mut id = String::new();
    let (heard, _) = told(&world, || {
        let trusted = world.post("/v1/account/trusted-phones", &trust).bearer(bearer(&tablet)).send();
        id = trusted.text("/id").to_owned();
    });
    assert_eq!(heard, ["trusted_phone.added"]);
    let again = json!({"numberProof": one_tap(&world, NEW)});
    let (heard, _) = told(&world, || {
        let trusted = world.post("/v1/account/trusted-phones", &again).bearer(bearer(&tablet)).send();
        assert_eq!(trusted.text("/id"), id);
    });
    assert_eq!(heard, [""; 0], "proven again");
    let (heard, _) = told(&world, || {
        let path = format!("/v1/account/trusted-phones/{id}");
        assert_eq!(world.delete(&path).bearer(bearer(&tablet)).send().status, 204);
    });
    assert_eq!(heard, ["trusted_phone.removed"]);
    assert_eq!(login_protection::protect(&world, &tablet, true).status, 204);
    let (heard, _) = told(&world, || {
        assert_eq!(login_protection::protect(&world, &tablet, false).status, 204);
    });
    assert_eq!(heard, ["login_protection.off"]);
    assert!(is_signed_in(&world, &phone));
}

#[test]
fn protection_goes_off_and_devices_are_trusted_by_a_fresh_proof_only() {
    let world = World::new();
    let owner = login_protection::protected(&world);
    let owner = later(&world, &owner, STALE);
    login_protection::protect(&world, &owner, false).is_problem(403, "reauthentication_required");
    let path = format!("/v1/devices/{}", owner.text("/device/id"));
    let trust =
        |trusted: bool| world.patch(&path, &json!({"trusted": trusted})).bearer(bearer(&owner)).send();
    trust(true).is_problem(403, "reauthentication_required");
    assert_eq!(trust(false).status, 204, "whoever gives up asks nobody");
    assert_eq!(login_protection::protect(&world, &owner, true).status, 204);
    assert_eq!(prove(&world, &owner, &one_tap(&world, OLD)).status, 204);
    assert_eq!(trust(true).status, 204);
    assert_eq!(login_protection::protect(&world, &owner, false).status, 204);
}

#[test]
fn what_other_sessions_have_proven_counts_no_more_when_what_leads_in_changes() {
    let change: [fn(&World, &Answer); 3] = [
        |world, owner| assert_eq!(set_password(world, owner, BETTER, false).status, 204),
        |world, owner| {
            let path = "/v1/account/identities/username";
            assert_eq!(world.delete(path).bearer(bearer(owner)).send().status, 204);
        },
        |world, owner| assert_eq!(to(world, owner, NEW).status, 204),
    ];
    for change in change {
        let world = World::new();
        let (owner, thief) = (world.login(OLD).signed_in(), world.login(OLD).signed_in());
        assert_eq!(bind_name(&world, &owner, "xiaoming").status, 204);
        change(&world, &owner);
        let refused = bind_name(&world, &thief, "thief");
        refused.is_problem(403, "reauthentication_required");
        // Whoever changed it goes on.
        assert_eq!(set_password(&world, &owner, GOOD, false).status, 204);
    }
}

#[test]
fn an_account_without_a_number_gets_none_without_a_fresh_proof() {
    let world = crate::world::identities::world();
    let login = super::identities::log_in(&world, "wechat");
    let stale = later(&world, &login, STALE);
    let refused = to(&world, &stale, NEW);
    refused.is_problem(403, "reauthentication_required");
    assert_eq!(refused.body["proofs"], json!(["wechat"]));
    let account = world.get("/v1/account").bearer(bearer(&stale)).send();
    assert_eq!((&account.body["phone"], &account.body["phoneChange"]), (&Value::Null, &Value::Null));
}

#[test]
fn who_waits_by_an_old_password_is_not_let_in_any_more() {
    let world = World::new();
    let owner = login_protection::protected(&world);
    assert_eq!(set_password(&world, &owner, GOOD, false).status, 204);
    let body = json!({"identifier": OLD, "password": GOOD, "device": device()});
    let held = login_protection::waits(world.post("/v1/password/login", &body).send());
    let asked = login_protection::waits(login_protection::at(&world, "start", &held));
    assert_eq!(set_password(&world, &owner, BETTER, false).status, 204);
    let question = login_protection::pending(&world, &owner)[0]["id"].as_str().unwrap().to_owned();
    let yes = json!({"decision": "approve", "match": asked.text("/approval/match")});
    login_protection::answer(&world, &owner, &question, &yes);
    login_protection::at(&world, "state", &held).is_problem(410, "ticket_invalid");
}

#[test]
fn names_are_not_listed_by_trying_to_take_them() {
    let world = World::new();
    let (holder, thief) = (world.login(NEW).signed_in(), world.login(OLD).signed_in());
    assert_eq!(bind_name(&world, &holder, "taken").status, 204);
    for _ in 0..50 {
        bind_name(&world, &thief, "taken").is_problem(409, "identity_in_use");
    }
    bind_name(&world, &thief, "taken").is_problem(429, "rate_limited");
    bind_name(&world, &thief, "free-one").is_problem(429, "rate_limited");
    world.pass(Duration::from_secs(86_400 + 7200));
    let thief = world.login(OLD).signed_in();
    assert_eq!(bind_name(&world, &thief, "free-one").status, 204);
}

#[test]
fn a_session_that_is_over_guesses_no_more_and_no_session_guesses_for_another() {
    let world = World::new();
    let (owner, thief) = (world.login(OLD).signed_in(), world.login(OLD).signed_in());
    assert_eq!(set_password(&world, &owner, GOOD, false).status, 204);
    let guess = |login: &Answer, password: &str| {
        prove(&world, login, &json!({"type": "password", "password": password}))
    };
    for _ in 0..10 {
        guess(&thief, "something else").is_problem(403, "proof_failed");
    }
    guess(&thief, GOOD).is_problem(429, "rate_limited");
    assert_eq!(guess(&owner, GOOD).status, 204);
    assert_eq!(world.delete("/v1/sessions").bearer(bearer(&owner)).send().status, 204);
    guess(&thief, GOOD).is_problem(401, "unauthenticated");
}

#[test]
fn a_reset_that_is_repeated_ends_in_the_same_session() {
    const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
    let world = World::new();
    let before = world.login(OLD).signed_in();
    let device = device_with(before.text("/device/token"));
    let by_code = reset_body(&world, &device);
    let by_carrier = json!({"numberProof": one_tap(&world, OLD), "newPassword": BETTER, "device": device});
    for body in [by_code, by_carrier] {
        let reset = || world.post("/v1/password/reset", &body).key(KEY).send().signed_in();
        let (first, again) = (reset(), reset());
        assert_eq!(first.body["session"]["id"], again.body["session"]["id"]);
        assert!(is_signed_in(&world, &again));
        let by_another = world.post("/v1/password/reset", &body).key("AcY6nVs4RbT9wXmL2pQ7kZ").send();
        assert!(matches!(by_another.status, 401 | 422), "{}", by_another.body);
    }
}

#[test]
fn a_number_that_was_changed_is_changed_for_the_repeat_too() {
    const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
    for by_code in [true, false] {
        let world = World::new();
        let login = later(&world, &world.login(OLD).signed_in(), STALE);
        let proof = otp(&world, &login, OLD, "step_up");
        let number = if by_code { otp(&world, &login, NEW, "change_phone") } else { one_tap(&world, NEW) };
        let body = json!({"numberProof": number, "proof": proof});
        let change = || world.put("/v1/account/phone", &body).key(KEY).bearer(bearer(&login)).send().status;
        assert_eq!((change(), change()), (204, 204), "by a code: {by_code}");
    }
}

#[test]
fn what_is_wrong_within_a_proof_is_named_by_its_place() {
    let world = crate::world::identities::world();
    let login = world.login(OLD).signed_in();
    let fields = |answer: &Answer| answer.body["fields"][0]["name"].clone();
    let proof = json!({"type": "identity", "kind": "wechat", "code": "0123456789abcdef"});
    assert_eq!(fields(&prove(&world, &login, &proof)), "proof.state");
    let strange = json!({"type": "one_tap", "credential": {"provider": "nobody", "token": "x"}});
    assert_eq!(fields(&prove(&world, &login, &strange)), "proof.credential.provider");
    let body = json!({"numberProof": strange});
    let change = world.put("/v1/account/phone", &body).bearer(bearer(&login)).send();
    assert_eq!(fields(&change), "numberProof.credential.provider");
}
