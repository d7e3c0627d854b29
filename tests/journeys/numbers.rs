//! The number of an account: another one takes its place, at once or after a wait in which its owner can object.

use std::{sync::Barrier, thread, time::Duration};

use onetap::ports::Clock;
use serde_json::{Value, json};

use super::notices::{configured, listening, owner, types};
use crate::world::{
    Answer, Port, World,
    client::{device, device_with, login_body},
    faults::ALL_WAYS,
    objects::Kind,
};

const OLD: &str = "13800138000";
const NEW: &str = "13900139000";
const THIRD: &str = "19912345678";
const DAY: Duration = Duration::from_secs(86_400);
/// README: a proof is fresh for so long.
const STALE: Duration = Duration::from_secs(601);

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

/// The carrier's word, as `numberProof`.
pub(super) fn one_tap(world: &World, phone: &str) -> Value {
    json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": world.providers.token(phone)}})
}

/// A code that this session asked for, as `numberProof`.
pub(super) fn otp(world: &World, login: &Answer, phone: &str, purpose: &str) -> Value {
    let ask = json!({"phone": phone, "purpose": purpose, "device": device()});
    let challenge = world.post("/v1/otp/send", &ask).bearer(bearer(login)).send().challenge();
    json!({"type": "otp", "challengeId": challenge, "code": world.phones.code(phone)})
}

/// Refreshed so that the access token is good again; a refresh proves nothing.
pub(super) fn later(world: &World, login: &Answer, time: Duration) -> Answer {
    world.pass(time);
    let body = json!({"refreshToken": login.text("/session/refreshToken")});
    let mut later = world.post("/v1/session/refresh", &body).send();
    later.body["device"] = login.body["device"].clone();
    later
}

fn change(world: &World, login: &Answer, body: &Value) -> Answer {
    world.put("/v1/account/phone", body).bearer(bearer(login)).send()
}

fn to(world: &World, login: &Answer, phone: &str) -> Answer {
    change(world, login, &json!({"numberProof": one_tap(world, phone)}))
}

fn object(world: &World, login: &Answer) -> Answer {
    world.delete("/v1/account/phone-change").bearer(bearer(login)).send()
}

fn get(world: &World, login: &Answer, path: &str) -> Value {
    world.get(path).bearer(bearer(login)).send().body
}

/// To which account each number leads, which must be what the accounts themselves say: one number each.
fn agreed(world: &World) -> Vec<(String, String)> {
    let held =
        world.objects.states(Kind::Handle).into_iter().filter_map(|(name, state)| {
            Some((name, state["state"]["holder"]["account"].as_str()?.to_owned()))
        });
    let held: Vec<(String, String)> = held.collect();
    let mut listed = Vec::new();
    for (account, state) in world.objects.states(Kind::Account) {
        let known = state["state"]["identifiers"].as_array().unwrap();
        assert_eq!(known.len(), 1, "one number, neither none nor two: {known:?}");
        assert_eq!(known[0].get("claiming"), None, "somebody must have decided");
        listed.push((known[0]["handle"].as_str().unwrap().to_owned(), account));
    }
    listed.sort();
    assert_eq!(held, listed);
    held
}

/// How many numbers each account has for good: never none, whatever has just broken.
fn never_none(world: &World) {
    for state in world.objects.states(Kind::Account).values() {
        let known = state["state"]["identifiers"].as_array().unwrap();
        assert_eq!(known.iter().filter(|known| known.get("claiming").is_none()).count(), 1, "{known:?}");
    }
}

#[test]
fn who_has_just_proven_it_changes_the_number_at_once() {
    let world = listening();
    let login = owner(&world);
    let login = later(&world, &login, Duration::ZERO);
    let other = world.login(THIRD).signed_in();
    world.tell();
    let own = get(&world, &login, "/v1/account");
    assert_eq!(own["phone"], "+86138****8000");
    let proof = one_tap(&world, OLD);
    let changed = change(&world, &login, &json!({"numberProof": one_tap(&world, NEW), "proof": proof}));
    assert_eq!((changed.status, &changed.body), (204, &Value::Null));
    let phones = get(&world, &login, "/v1/account/phones");
    let expected = json!({"phones": [
        {"phone": "+86139****9000", "from": "2026-11-21T04:00:00Z"},
        {"phone": "+86138****8000", "from": "2026-11-20T04:00:00Z", "until": "2026-11-21T04:00:00Z",
         "cause": "changed"},
    ]});
    assert_eq!(phones, expected);
    // Told by webhook, push and, to the number that went, SMS; also on the device that did it.
    world.run_alarms();
    world.tell();
    assert_eq!(types(&world).last().unwrap(), "phone.changed");
    assert_eq!(world.receivers.pushes().last().unwrap().event, "phone.changed");
    assert!(world.phones.texts(OLD).last().unwrap().contains("已更换"));
    assert!(world.phones.texts(NEW).is_empty());
    assert_eq!(agreed(&world).len(), 2);
    // The new one leads here, the old one to nobody.
    let again = world.login(NEW).signed_in();
    assert_eq!(again.body["account"]["id"], own["id"]);
    let stranger = world.login(OLD).signed_in();
    assert_eq!(stranger.body["account"]["isNew"], true);
    assert_eq!(get(&world, &other, "/v1/account/phones")["phones"].as_array().unwrap().len(), 1);
    // Taken along in clear.
    let export = get(&world, &again, "/v1/account/export");
    assert_eq!(export["formerPhones"][0]["phone"], "+8613800138000");
    assert_eq!(export["formerPhones"][0]["cause"], "changed");
}

#[test]
fn the_same_number_is_nothing_to_do_and_anothers_is_in_use() {
    let world = World::new();
    let (login, other) = (world.login(OLD).signed_in(), world.login(NEW).signed_in());
    world.run_alarms();
    let before = world.objects.states(Kind::Account);
    let refused = to(&world, &login, NEW);
    refused.is_problem(409, "phone_in_use");
    assert!(!refused.body.to_string().contains(other.text("/account/id")));
    assert_eq!(world.objects.states(Kind::Account), before, "and nothing else");
    let later = later(&world, &login, STALE);
    to(&world, &later, NEW).is_problem(409, "phone_in_use");
    assert_eq!(get(&world, &later, "/v1/account").get("phoneChange"), None);
    // Its own needs no proof besides, and is proven by it.
    assert_eq!(to(&world, &later, OLD).status, 204);
    world.run_alarms();
    let proven = world.objects.states(Kind::Handle).into_values().find_map(|state| {
        let holder = &state["state"]["holder"];
        (holder["account"] == login.body["account"]["id"]).then(|| holder["last_proof"]["at"].clone())
    });
    assert_eq!(proven, Some(json!(world.now().millis())));
    agreed(&world);
}

#[test]
fn a_stale_session_brings_a_proof_along_or_waits() {
    let world = World::new();
    let login = world.login(OLD).signed_in();
    let stale = later(&world, &login, STALE);
    // Codes of the session, for the new number and for the old one.
    let number = otp(&world, &stale, NEW, "change_phone");
    let proof = otp(&world, &stale, OLD, "change_phone");
    // A code for another purpose, and the new number as its own proof, count for nothing.
    let bind = otp(&world, &stale, THIRD, "trusted_phone");
    change(&world, &stale, &json!({"numberProof": bind})).is_problem(401, "otp_incorrect");
    let own = json!({"numberProof": one_tap(&world, NEW), "proof": one_tap(&world, NEW)});
    change(&world, &stale, &own).is_problem(403, "proof_failed");
    let thief = world.login(THIRD).signed_in();
    change(&world, &thief, &json!({"numberProof": number})).is_problem(401, "otp_incorrect");
    let both = json!({"numberProof": number, "proof": proof});
    assert_eq!(change(&world, &stale, &both).status, 204);
    assert_eq!(get(&world, &stale, "/v1/account")["phone"], "+86139****9000");
    // A slip in the new number's code does not cost the proof of the old one.
    let stale = later(&world, &stale, STALE);
    let mut number = otp(&world, &stale, THIRD, "bind");
    let right = number["code"].clone();
    number["code"] = json!(if right == "000000" { "000001" } else { "000000" });
    let body = json!({"numberProof": number, "proof": one_tap(&world, NEW)});
    change(&world, &stale, &body).is_problem(401, "otp_incorrect");
    number["code"] = right;
    let refused = change(&world, &stale, &json!({"numberProof": number}));
    refused.is_problem(409, "phone_in_use");
    for (body, name) in [(json!({}), "numberProof"), (json!({"numberProof": 1}), "numberProof")] {
        let answer = change(&world, &stale, &body);
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], name);
    }
}

#[test]
fn without_a_proof_it_waits_three_days_and_the_owner_is_told() {
    let world = listening();
    let login = owner(&world);
    let stale = later(&world, &login, STALE);
    let waits = to(&world, &stale, NEW);
    assert_eq!(waits.status, 202, "{}", waits.body);
    let expected = json!({"phone": "+86139****9000", "requestedAt": "2026-11-21T04:10:01Z",
        "effectiveAt": "2026-11-24T04:10:01Z"});
    assert_eq!(waits.body, expected);
    let shown = get(&world, &stale, "/v1/account");
    assert_eq!((&shown["phoneChange"], &shown["phone"]), (&expected, &json!("+86138****8000")));
    world.run_alarms();
    world.tell();
    assert_eq!(types(&world).last().unwrap(), "phone.change_requested");
    // Also on the device that asked: its session may be stolen.
    let push = world.receivers.pushes().pop().unwrap();
    assert_eq!(
        (push.to.as_str(), push.event.as_str()),
        ("push-token-of-the-phone", "phone.change_requested")
    );
    assert!(world.phones.texts(OLD).last().unwrap().contains("撤销"));
    // Asked for again it is the same wish, told once.
    assert_eq!(to(&world, &stale, NEW).body, expected);
    let stale = later(&world, &stale, 3 * DAY - Duration::from_secs(1));
    assert_eq!(to(&world, &stale, NEW).body, expected);
    world.run_alarms();
    world.tell();
    assert_eq!(types(&world).iter().filter(|kind| *kind == "phone.change_requested").count(), 1);
    assert_eq!(world.login(OLD).signed_in().body["account"]["isNew"], false);
    // It does not come by itself: the new number is proven once more.
    let stale = later(&world, &stale, Duration::from_secs(1));
    assert_eq!(get(&world, &stale, "/v1/account")["phone"], "+86138****8000");
    assert_eq!(to(&world, &stale, NEW).status, 204);
    let shown = get(&world, &stale, "/v1/account");
    assert_eq!((&shown["phone"], shown.get("phoneChange")), (&json!("+86139****9000"), None));
    world.run_alarms();
    agreed(&world);
}

#[test]
fn another_wish_starts_anew_and_one_that_nobody_takes_is_forgotten() {
    let world = World::new();
    let login = world.login(OLD).signed_in();
    let stale = later(&world, &login, STALE);
    assert_eq!(to(&world, &stale, NEW).status, 202);
    let stale = later(&world, &stale, 2 * DAY);
    assert_eq!(to(&world, &stale, THIRD).status, 202);
    let stale = later(&world, &stale, 2 * DAY);
    assert_eq!(to(&world, &stale, THIRD).status, 202, "two days are not three");
    let stale = later(&world, &stale, 20 * DAY);
    let stale = later(&world, &stale, 13 * DAY);
    world.run_alarms();
    assert_eq!(get(&world, &stale, "/v1/account").get("phoneChange"), None);
    assert_eq!(to(&world, &stale, THIRD).status, 202, "it waits anew");
}

#[test]
fn the_owner_objects_and_a_stranger_on_a_new_device_does_not() {
    let world = World::new();
    let first = world.login(OLD).signed_in();
    let lost = world.login(OLD).signed_in();
    let stale = later(&world, &lost, STALE);
    assert_eq!(to(&world, &stale, NEW).status, 202);
    let stranger = world.login(OLD).signed_in();
    object(&world, &stranger).is_problem(403, "reauthentication_required");
    let known = later(&world, &first, Duration::ZERO);
    assert_eq!(object(&world, &known).status, 204);
    object(&world, &known).is_problem(404, "not_found");
    assert_eq!(get(&world, &known, "/v1/account").get("phoneChange"), None);
    // Whoever asked withdraws it, on whatever device.
    assert_eq!(to(&world, &stale, NEW).status, 202);
    assert_eq!(object(&world, &stale).status, 204);
    let stale = later(&world, &stale, 4 * DAY);
    assert_eq!(to(&world, &stale, NEW).status, 202, "nothing is left of the first one");
}

#[test]
fn warnings_that_were_provoked_do_not_silence_the_one_that_matters() {
    let world = configured(vec![("PROVIDER_ACCOUNTS", crate::world::configuration::accounts_and(&[]))]);
    let login = world.login(OLD).signed_in();
    // Two new devices use up the SMS of the day.
    for _ in 0..3 {
        world.login(OLD).signed_in();
    }
    let stale = later(&world, &login, STALE);
    assert_eq!(to(&world, &stale, NEW).status, 202);
    world.run_alarms();
    world.tell();
    let texts = world.phones.texts(OLD);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[2].contains("撤销"));
}

#[test]
fn a_sign_in_that_waits_does_not_bring_the_old_number_back() {
    let world = World::new();
    let login = world.login(OLD).signed_in();
    let protect = world.put("/v1/account/login-protection", &json!({"enabled": true})).bearer(bearer(&login));
    assert_eq!(protect.send().status, 204);
    let held = world.login(OLD);
    assert_eq!(held.body["status"], "step_up_required");
    assert_eq!(to(&world, &login, NEW).status, 204);
    let state = json!({"ticket": held.text("/ticket"), "device": {"token": held.text("/device/token")}});
    world.post("/v1/step-up/state", &state).send().is_problem(410, "ticket_invalid");
    world.run_alarms();
    agreed(&world);
}

#[test]
fn whatever_step_breaks_there_is_one_number_before_and_after() {
    let trace = {
        let world = World::new();
        let login = world.login(OLD).signed_in();
        world.run_alarms();
        world.faults.take_trace();
        assert_eq!(to(&world, &login, NEW).status, 204);
        world.faults.take_trace()
    };
    let calls = |wanted| trace.iter().filter(|port| **port == wanted).count();
    assert_eq!((calls(Port::Account), calls(Port::Handle)), (3, 2), "look, intend, settle: {trace:?}");
    for port in [Port::Account, Port::Handle] {
        for nth in 0..calls(port) {
            for broken in ALL_WAYS {
                let what = format!("{port:?} {nth} {broken:?}");
                let world = World::new();
                let login = world.login(OLD).signed_in();
                world.run_alarms();
                world.faults.break_call(port, nth, broken);
                let body = json!({"numberProof": one_tap(&world, NEW)});
                let first = world.put("/v1/account/phone", &body).bearer(bearer(&login)).try_send();
                world.faults.mend();
                never_none(&world);
                // Somebody else comes to the number before the outbox does.
                let visitor = world.login(NEW);
                never_none(&world);
                if let Some(first) = first {
                    assert!([204, 500].contains(&first.status), "{what}: {}", first.body);
                    assert!(first.status == 500 || visitor.body["account"]["isNew"] == false, "{what}");
                }
                world.settle_within(Duration::from_secs(60));
                let held = agreed(&world);
                let is_theirs = visitor.signed_in().body["account"]["isNew"] == true;
                assert_eq!(held.len(), if is_theirs { 2 } else { 1 }, "{what}");
                // Whoever asks again is told how it is.
                assert_eq!(to(&world, &login, NEW).status, if is_theirs { 409 } else { 204 }, "{what}");
                world.settle_within(Duration::from_secs(60));
                agreed(&world);
            }
        }
    }
}

#[test]
fn an_outbox_that_breaks_at_any_step_still_lets_the_old_number_go() {
    for (port, nth) in [(Port::Account, 0), (Port::Account, 1), (Port::Handle, 0), (Port::Handle, 1)] {
        for broken in ALL_WAYS {
            let world = World::new();
            let login = world.login(OLD).signed_in();
            world.run_alarms();
            assert_eq!(to(&world, &login, NEW).status, 204);
            world.faults.break_call(port, nth, broken);
            world.run_alarms();
            world.faults.mend();
            world.settle_within(Duration::from_secs(3600));
            assert_eq!(agreed(&world).len(), 1, "{port:?} {nth} {broken:?}");
            assert_eq!(world.login(OLD).signed_in().body["account"]["isNew"], true);
        }
    }
}

#[test]
fn of_two_changes_at_once_one_is_the_number() {
    for _ in 0..20 {
        let world = World::new();
        let login = world.login(OLD).signed_in();
        let (start, numbers) = (Barrier::new(2), [NEW, THIRD]);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let changes = numbers.map(|phone| {
                let (world, login, start) = (&world, &login, &start);
                scope.spawn(move || {
                    start.wait();
                    to(world, login, phone).status
                })
            });
            changes.into_iter().map(|change| change.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| [204, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&204), "{statuses:?}");
        world.settle_within(Duration::from_secs(60));
        assert_eq!(agreed(&world).len(), 1);
    }
}

#[test]
fn two_accounts_that_want_one_number_are_told_who_has_it() {
    let world = World::new();
    let (one, two) = (world.login(OLD).signed_in(), world.login(THIRD).signed_in());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let changes = [&one, &two].map(|login| scope.spawn(|| to(&world, login, NEW).status));
        changes.into_iter().map(|change| change.join().unwrap()).collect()
    });
    assert!(statuses == [204, 409] || statuses == [409, 204], "{statuses:?}");
    world.settle_within(Duration::from_secs(60));
    assert_eq!(agreed(&world).len(), 2);
}

#[test]
fn the_device_stays_known_through_a_change() {
    let world = World::new();
    let login = world.login(OLD).signed_in();
    assert_eq!(to(&world, &login, NEW).status, 204);
    let mut body = login_body("cmcc", &world.providers.token(NEW));
    body["device"] = device_with(login.text("/device/token"));
    let again = world.post("/v1/one-tap/login", &body).send().signed_in();
    assert_eq!(again.body["device"]["id"], login.body["device"]["id"]);
}
