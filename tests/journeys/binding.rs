//! Binding: one identifier leads to one account, whoever races and whatever breaks.

use serde_json::json;

use crate::world::{Answer, Port, World, faults::ALL_WAYS, objects::Kind};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
const PATH: &str = "/v1/account/identities/username";

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn bind(world: &World, login: &Answer, name: &str) -> Answer {
    world.post(PATH, &json!({"username": name})).bearer(bearer(login)).send()
}

fn unbind(world: &World, login: &Answer, kind: &str) -> Answer {
    world.delete(&format!("/v1/account/identities/{kind}")).bearer(bearer(login)).send()
}

fn kinds(world: &World, login: &Answer) -> Vec<String> {
    let list = world.get("/v1/account/identities").bearer(bearer(login)).send();
    let identities = list.body["identities"].as_array().unwrap();
    identities.iter().map(|identity| identity["kind"].as_str().unwrap().to_owned()).collect()
}

/// To which account each user name leads, and which accounts say so themselves: they must agree.
fn agreed(world: &World) -> Vec<(String, String)> {
    let handles = world.objects.states(Kind::Handle);
    let held =
        handles.iter().filter(|(name, _)| name.starts_with("username.")).filter_map(|(name, state)| {
            Some((name.clone(), state["state"]["holder"]["account"].as_str()?.to_owned()))
        });
    let held: Vec<(String, String)> = held.collect();
    let mut listed = Vec::new();
    for (account, state) in world.objects.states(Kind::Account) {
        for known in state["state"]["identifiers"].as_array().unwrap() {
            let name = known["handle"].as_str().unwrap();
            if name.starts_with("username.") {
                assert_eq!(known.get("claiming"), None, "somebody must have decided");
                listed.push((name.to_owned(), account.clone()));
            }
        }
    }
    listed.sort();
    assert_eq!(held, listed);
    held
}

#[test]
fn the_same_again_is_nothing_to_do_and_anothers_is_in_use() {
    let world = World::new();
    let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    assert_eq!(bind(&world, &mine, "xiaoming").status, 204);
    assert_eq!(bind(&world, &mine, "XiaoMing").status, 204, "mine already");
    let refused = bind(&world, &other, "xiaoming");
    refused.is_problem(409, "identity_in_use");
    assert!(!refused.body.to_string().contains(mine.text("/account/id")));
    bind(&world, &mine, "another").is_problem(409, "identity_in_use");
    for name in ["13800138000", "a@b.example", "x", "小 明"] {
        let answer = bind(&world, &other, name);
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], "username");
    }
    world.run_alarms();
    assert_eq!(agreed(&world).len(), 1);
}

#[test]
fn what_is_unbound_is_free_at_once_for_others() {
    let world = World::new();
    let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    bind(&world, &mine, "xiaoming");
    assert_eq!(kinds(&world, &mine), ["phone", "username"]);
    assert_eq!(unbind(&world, &mine, "username").status, 204);
    unbind(&world, &mine, "username").is_problem(404, "not_found");
    unbind(&world, &mine, "wechat").is_problem(404, "not_found");
    unbind(&world, &mine, "phone").is_problem(409, "last_identity");
    world.run_alarms();
    assert_eq!(bind(&world, &other, "xiaoming").status, 204);
    world.run_alarms();
    assert_eq!(agreed(&world)[0].1, other.text("/account/id"));
}

#[test]
fn whatever_step_breaks_a_binding_ends_right() {
    let trace = {
        let world = World::new();
        let login = world.login(PHONE).signed_in();
        world.faults.take_trace();
        bind(&world, &login, "xiaoming");
        world.faults.take_trace()
    };
    let steps = trace.iter().filter(|port| matches!(port, Port::Handle | Port::Account)).count();
    assert_eq!(steps, 4, "fresh proof, intention, the handle's word, settled: {trace:?}");
    for (port, calls) in [(Port::Account, 3), (Port::Handle, 1)] {
        for nth in 0..calls {
            for broken in ALL_WAYS {
                let world = World::new();
                let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
                world.run_alarms();
                world.faults.break_call(port, nth, broken);
                let first =
                    world.post(PATH, &json!({"username": "xiaoming"})).bearer(bearer(&mine)).try_send();
                world.faults.mend();
                // Somebody else is at it before the outbox is.
                let others = bind(&world, &other, "xiaoming").status;
                world.run_alarms();
                let held = agreed(&world);
                assert_eq!(held.len(), 1, "{port:?} {nth} {broken:?}");
                let who = if others == 204 { &other } else { &mine };
                assert_eq!(held[0].1, who.text("/account/id"), "{port:?} {nth} {broken:?}");
                if let Some(first) = first {
                    assert!(first.status == 204 || first.status == 500, "{}", first.body);
                    assert!(first.status != 204 || others == 409, "{port:?} {nth} {broken:?}");
                }
                // And whoever asks again gets the same answer.
                let again = [(&mine, others != 204), (&other, others == 204)];
                for (login, is_holder) in again {
                    assert_eq!(bind(&world, login, "xiaoming").status, if is_holder { 204 } else { 409 });
                }
            }
        }
    }
}

#[test]
fn whatever_breaks_when_it_is_unbound_the_name_is_free_in_the_end() {
    for (port, nth) in [(Port::Account, 0), (Port::Account, 1), (Port::Handle, 0)] {
        for broken in ALL_WAYS {
            let world = World::new();
            let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
            bind(&world, &mine, "xiaoming");
            world.run_alarms();
            world.faults.break_call(port, nth, broken);
            let _ = world.delete(PATH).bearer(bearer(&mine)).try_send();
            world.run_alarms();
            world.faults.mend();
            let _ = unbind(&world, &mine, "username");
            world.settle_within(std::time::Duration::from_secs(60));
            assert_eq!(agreed(&world), [], "{port:?} {nth} {broken:?}");
            assert_eq!(bind(&world, &other, "xiaoming").status, 204);
        }
    }
}

#[test]
fn what_was_given_up_a_moment_ago_is_bound_again_at_once() {
    let world = World::new();
    let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    bind(&world, &mine, "xiaoming");
    world.run_alarms();
    assert_eq!(unbind(&world, &mine, "username").status, 204);
    assert_eq!(bind(&world, &mine, "xiaoming").status, 204);
    bind(&world, &other, "xiaoming").is_problem(409, "identity_in_use");
    // Nor does its handle hear later that it was given up.
    world.run_alarms();
    bind(&world, &other, "xiaoming").is_problem(409, "identity_in_use");
    assert_eq!(agreed(&world)[0].1, mine.text("/account/id"));
}
