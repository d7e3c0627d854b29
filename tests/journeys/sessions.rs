//! Ends of sessions: at refresh at once, at the edge within a bound, and only of one's own.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};

use crate::world::{
    Answer, Broken, Port, World,
    client::{device, device_with, login_body},
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
/// README: seconds in which places that ask the edge's copy learn of it.
const EDGE_BOUND: u64 = 90;
const DAY: Duration = Duration::from_secs(86_400);

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn get(world: &World, login: &Answer, path: &str) -> Answer {
    world.get(path).bearer(bearer(login)).send()
}

fn delete(world: &World, login: &Answer, path: &str) -> Answer {
    world.delete(path).bearer(bearer(login)).send()
}

fn patch(world: &World, login: &Answer, path: &str, body: &Value) -> Answer {
    world.patch(path, body).bearer(bearer(login)).send()
}

fn refresh(world: &World, login: &Answer) -> Answer {
    world.post("/v1/session/refresh", &json!({"refreshToken": login.text("/session/refreshToken")})).send()
}

/// Signs in again on the device of an earlier login.
fn again(world: &World, phone: &str, login: &Answer) -> Answer {
    let mut body = login_body("cmcc", &world.providers.token(phone));
    body["device"] = device_with(login.text("/device/token"));
    world.post("/v1/one-tap/login", &body).send().signed_in()
}

fn ids(answer: &Answer, of: &str) -> Vec<String> {
    answer.body[of].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn people_see_their_sessions_and_end_one() {
    let world = World::new();
    let phone = world.login(PHONE).signed_in();
    let tablet = world.login(PHONE).signed_in();
    let list = get(&world, &phone, "/v1/sessions");
    assert_eq!(ids(&list, "sessions"), [phone.text("/session/id"), tablet.text("/session/id")]);
    let first = &list.body["sessions"][0];
    assert_eq!(
        (&first["current"], &first["method"], &first["app"]),
        (&json!(true), &json!("one_tap"), &json!("default"))
    );
    assert_eq!(first["device"]["name"], device()["name"]);
    assert_eq!(list.body["sessions"][1]["current"], false);

    let path = format!("/v1/sessions/{}", tablet.text("/session/id"));
    assert_eq!(delete(&world, &phone, &path).status, 204);
    // At once where the account is asked.
    refresh(&world, &tablet).is_problem(401, "session_revoked");
    get(&world, &tablet, "/v1/session?fresh=true").is_problem(401, "unauthenticated");
    get(&world, &tablet, "/v1/sessions").is_problem(401, "unauthenticated");
    delete(&world, &tablet, "/v1/sessions").is_problem(401, "unauthenticated");
    // At the edge when it has been told, and has forgotten that there was nothing a moment ago.
    assert_eq!(get(&world, &tablet, "/v1/session?fresh=edge").status, 200);
    world.run_alarms();
    world.pass(Duration::from_secs(60));
    get(&world, &tablet, "/v1/session?fresh=edge").is_problem(401, "unauthenticated");
    // By itself when the token is over.
    assert_eq!(get(&world, &tablet, "/v1/session").status, 200);
    world.pass(Duration::from_secs(600));
    get(&world, &tablet, "/v1/session").is_problem(401, "unauthenticated");
    assert_eq!(refresh(&world, &phone).status, 200);
    delete(&world, &phone, &path).is_problem(401, "unauthenticated");
}

#[test]
fn signing_out_here_and_elsewhere() {
    let world = World::new();
    let logins: Vec<Answer> = (0..4).map(|_| world.login(PHONE).signed_in()).collect();
    assert_eq!(delete(&world, &logins[0], "/v1/session").status, 204);
    refresh(&world, &logins[0]).is_problem(401, "session_revoked");
    assert_eq!(delete(&world, &logins[1], "/v1/sessions").status, 204);
    for over in [&logins[2], &logins[3]] {
        refresh(&world, over).is_problem(401, "session_revoked");
    }
    assert_eq!(refresh(&world, &logins[1]).status, 200);
    // Nothing is left to do, and that is no mistake.
    assert_eq!(delete(&world, &logins[1], "/v1/sessions").status, 204);
    let list = get(&world, &logins[1], "/v1/sessions");
    assert_eq!(ids(&list, "sessions"), [logins[1].text("/session/id")]);
}

#[test]
fn the_bound_of_a_stale_edge() {
    // Asked a moment before, a place says for a minute that nothing was ended, and the alarm may be late.
    for (asked_before, late, stale) in
        [(false, 0, 0), (true, 0, 0), (true, 25, 0), (false, 5, 60), (true, 20, 9)]
    {
        let world = World::new();
        world.ends_seen_after.store(stale * 1000, Ordering::SeqCst);
        let (phone, tablet) = (world.login(PHONE).signed_in(), world.login(PHONE).signed_in());
        if asked_before {
            assert_eq!(get(&world, &tablet, "/v1/session?fresh=edge").status, 200);
        }
        assert_eq!(delete(&world, &phone, "/v1/sessions").status, 204);
        world.pass(Duration::from_secs(late));
        world.run_alarms();
        let mut seconds = late;
        while get(&world, &tablet, "/v1/session?fresh=edge").status == 200 {
            world.pass(Duration::from_secs(1));
            seconds += 1;
        }
        assert!(
            seconds <= EDGE_BOUND,
            "{seconds} s: asked before {asked_before}, {late} s late, {stale} s stale"
        );
        assert_eq!(
            seconds >= 60,
            asked_before || stale >= 60,
            "the platform's minute is simulated: {seconds} s"
        );
    }
    // Where it cannot be asked nobody is let in by mistake, and nobody is told that a session is over which is not.
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.faults.break_all(Port::EndedSessionsRead, Broken::Before);
    get(&world, &login, "/v1/session?fresh=edge").is_problem(500, "internal");
    // What could not be published is published when that works again.
    let world = World::new();
    let (phone, tablet) = (world.login(PHONE).signed_in(), world.login(PHONE).signed_in());
    delete(&world, &phone, "/v1/sessions");
    world.faults.break_all(Port::EndedSessionsWrite, Broken::Before);
    world.run_alarms();
    world.faults.mend();
    world.settle_within(Duration::from_secs(30));
    get(&world, &tablet, "/v1/session?fresh=edge").is_problem(401, "unauthenticated");
}

#[test]
fn nobody_sees_or_touches_anothers() {
    let world = World::new();
    let (mine, theirs) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    let session = format!("/v1/sessions/{}", theirs.text("/session/id"));
    let device = format!("/v1/devices/{}", theirs.text("/device/id"));
    delete(&world, &mine, &session).is_problem(404, "not_found");
    delete(&world, &mine, &device).is_problem(404, "not_found");
    patch(&world, &mine, &device, &json!({"name": "mine"})).is_problem(404, "not_found");
    for path in ["/v1/sessions", "/v1/devices", "/v1/login-history"] {
        let text = get(&world, &mine, path).body.to_string();
        for foreign in ["/session/id", "/device/id", "/account/id"] {
            assert!(!text.contains(theirs.text(foreign)), "{path} {foreign}");
        }
        world.get(path).send().is_problem(401, "unauthenticated");
    }
    assert_eq!(refresh(&world, &theirs).status, 200);
}

#[test]
fn devices_are_named_trusted_and_removed() {
    let world = World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "2".to_owned()));
    let old = world.login(PHONE).signed_in();
    world.pass(DAY);
    let known = again(&world, PHONE, &old);
    assert_eq!(known.text("/device/trust"), "known");
    let new = world.login(PHONE).signed_in();
    let (old_device, new_device) = (
        format!("/v1/devices/{}", known.text("/device/id")),
        format!("/v1/devices/{}", new.text("/device/id")),
    );
    // Who has just come in by the number makes no trusted device, and takes none away.
    for answer in [
        patch(&world, &new, &new_device, &json!({"trusted": true})),
        patch(&world, &new, &old_device, &json!({"trusted": true})),
        delete(&world, &new, &old_device),
    ] {
        answer.is_problem(403, "reauthentication_required");
    }
    // The known one does.
    assert_eq!(
        patch(&world, &known, &old_device, &json!({"trusted": true, "name": "家里的手机"})).status,
        204
    );
    let list = get(&world, &known, "/v1/devices");
    let device = &list.body["devices"][0];
    assert_eq!(
        (&device["name"], &device["trust"], &device["daysUsed"]),
        (&json!("家里的手机"), &json!("trusted"), &json!(2))
    );
    assert_eq!((&device["current"], &device["lastUsedOn"]), (&json!(true), &json!("2026-11-21")));
    assert_eq!(patch(&world, &known, &old_device, &json!({"trusted": false})).status, 204);
    patch(&world, &known, &old_device, &json!({})).is_problem(400, "invalid_request");
    patch(&world, &known, &old_device, &json!({"trusted": "yes"})).is_problem(400, "invalid_request");
    // A device takes its sessions along, and its copy at the edge.
    world.run_alarms();
    assert_eq!(world.device_records().len(), 2);
    assert_eq!(delete(&world, &known, &new_device).status, 204);
    refresh(&world, &new).is_problem(401, "session_revoked");
    world.run_alarms();
    assert_eq!(world.device_records().len(), 1);
    // Its token means nothing any more: it is a new device, as one without any.
    let back = again(&world, PHONE, &new);
    assert_ne!(back.text("/device/id"), new.text("/device/id"));
    assert_eq!(back.text("/device/trust"), "new");
}

#[test]
fn the_login_history_tells_what_happened_page_by_page() {
    let world = World::new();
    let owner = world.login(PHONE).signed_in();
    let stranger = world.login(PHONE).signed_in();
    // A refresh token that was stolen and used twice.
    let first = refresh(&world, &stranger);
    assert_eq!(first.status, 200);
    world.pass(Duration::from_secs(61));
    refresh(&world, &stranger).is_problem(401, "session_revoked");
    let out = world.login(PHONE).signed_in();
    delete(&world, &out, "/v1/session");
    let events = |answer: &Answer| -> Vec<String> {
        let events = answer.body["events"].as_array().unwrap().iter();
        events.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    };
    let all = get(&world, &owner, "/v1/login-history");
    let expected =
        ["signed_out", "signed_in_on_new_device", "token_reused", "signed_in_on_new_device", "signed_in"];
    assert_eq!(events(&all), expected);
    assert_eq!(all.body.get("nextCursor"), None);
    let newest = &all.body["events"][0];
    assert_eq!((&newest["session"]["alive"], &newest["method"]), (&json!(false), &json!("one_tap")));
    assert_eq!(newest["place"], json!({"country": "CN", "city": "Shanghai"}));
    // Two at a time, with something new in between.
    let mut path = "/v1/login-history?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = get(&world, &owner, &path);
        seen.extend(events(&page));
        world.login(PHONE).signed_in();
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/v1/login-history?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, expected);
    get(&world, &owner, "/v1/login-history?cursor=x").is_problem(400, "invalid_request");
    // It ends some day, by itself.
    world.settle_within(200 * DAY);
    let state = world.objects.states(crate::world::objects::Kind::Account).into_values().next().unwrap();
    assert_eq!(state["state"]["history"]["events"], json!([]));
}

#[test]
fn a_day_of_use_is_a_day_on_which_it_was_refreshed() {
    let world = World::with(|name| (name == "DEVICE_KNOWN_DAYS").then(|| "3".to_owned()));
    let mut login = world.login(PHONE).signed_in();
    for expected in ["new", "known"] {
        world.pass(DAY);
        let token = refresh(&world, &login).text("/session/refreshToken").to_owned();
        login.body["session"]["refreshToken"] = json!(token);
        login.body["session"]["accessToken"] = json!(refresh(&world, &login).text("/session/accessToken"));
        let devices = get(&world, &login, "/v1/devices");
        assert_eq!(devices.body["devices"][0]["trust"], expected, "{}", devices.body);
        login.body["session"]["refreshToken"] = json!(refresh(&world, &login).text("/session/refreshToken"));
    }
}

#[test]
fn who_was_kicked_does_not_come_back_by_a_repeat() {
    let key = "0123456789abcdef0123456789abcdef";
    for by_device in [false, true] {
        let world = World::new();
        let owner = world.login(PHONE).signed_in();
        let challenge = world.send_otp(PHONE).send().challenge();
        let code = world.phones.code(PHONE);
        let stranger = world.otp_login(&challenge, &code).key(key).send().signed_in();
        let path = match by_device {
            false => format!("/v1/sessions/{}", stranger.text("/session/id")),
            true => format!("/v1/devices/{}", stranger.text("/device/id")),
        };
        assert_eq!(delete(&world, &owner, &path).status, 204);
        world.otp_login(&challenge, &code).key(key).send().is_problem(401, "session_revoked");
        refresh(&world, &stranger).is_problem(401, "session_revoked");
        get(&world, &stranger, "/v1/session?fresh=true").is_problem(401, "unauthenticated");
    }
}
