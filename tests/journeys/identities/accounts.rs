//! From whoever a third party knows to their account here: the table of binding, cell by cell, and what races and
//! breaks.

use serde_json::{Value, json};

use super::{OWN, sign_in};
use crate::world::{
    Answer, Port, World,
    client::device,
    faults::ALL_WAYS,
    identities::{Person, XIAOMING, world, world_with},
    objects::Kind,
};

pub(super) const PHONE: &str = "13800138000";

pub(super) const XIAOHONG: Person = Person { id: "oHong", union: None, name: "小红", avatar: "" };
pub(super) const XIAOGANG: Person = Person { id: "oGang", union: None, name: "小刚", avatar: "" };

pub(super) fn body(world: &World, kind: &'static str, app: &'static str, person: Person) -> Value {
    let login = sign_in(world, kind, app, person);
    json!({"code": login.code, "state": login.state, "app": app, "device": device()})
}

pub(super) fn log_in(world: &World, kind: &'static str, app: &'static str, person: Person) -> Answer {
    let path = format!("/v1/identities/{kind}/login");
    world.post(&path, &body(world, kind, app, person)).header("x-onetap-device", OWN).send()
}

pub(super) fn log_in_with(world: &World, person: Person, phone: &str) -> Answer {
    let mut body = body(world, "wechat", "default", person);
    body["numberProof"] =
        json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": world.providers.token(phone)}});
    world.post("/v1/identities/wechat/login", &body).header("x-onetap-device", OWN).send()
}

pub(super) fn bind_body(world: &World, kind: &'static str, person: Person) -> Value {
    let login = sign_in(world, kind, "default", person);
    json!({"code": login.code, "state": login.state})
}

pub(super) fn bind(world: &World, who: &Answer, kind: &'static str, person: Person) -> Answer {
    let ask = world.post(&format!("/v1/account/identities/{kind}"), &bind_body(world, kind, person));
    ask.bearer(who.text("/session/accessToken")).header("x-onetap-device", OWN).send()
}

fn kinds(world: &World, who: &Answer) -> Vec<String> {
    let list = world.get("/v1/account/identities").bearer(who.text("/session/accessToken")).send();
    let identities = list.body["identities"].as_array().unwrap();
    identities.iter().map(|identity| identity["kind"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn account(answer: &Answer) -> &str {
    answer.text("/account/id")
}

fn many() -> World {
    world_with(&[("IDENTITIES_OF_A_KIND", "5")])
}

mod signed_out {
    use super::*;

    #[test]
    fn unknown_registers() {
        for world in [world(), many()] {
            let new = log_in(&world, "wechat", "default", XIAOMING).signed_in();
            assert_eq!(new.body["account"]["isNew"], true);
            assert_eq!(new.body["account"]["displayName"], "小明");
            assert_eq!(new.body["needs"], json!(["phone"]));
            let session = world.get("/v1/session").bearer(new.text("/session/accessToken")).send();
            assert_eq!(session.body["amr"], json!(["wechat"]));
        }
    }

    #[test]
    fn known_signs_in() {
        for world in [world(), many()] {
            let new = log_in(&world, "wechat", "default", XIAOMING).signed_in();
            let again = log_in(&world, "wechat", "default", XIAOMING).signed_in();
            assert_eq!((account(&again), &again.body["account"]["isNew"]), (account(&new), &json!(false)));
            assert_ne!(account(&log_in(&world, "wechat", "default", XIAOHONG).signed_in()), account(&new));
        }
    }

    #[test]
    fn a_person_that_another_third_party_knows_is_somebody_else_until_bound() {
        let world = world();
        let wechat = log_in(&world, "wechat", "default", XIAOMING).signed_in();
        let qq = log_in(&world, "qq", "default", XIAOMING).signed_in();
        assert_ne!(account(&wechat), account(&qq));
    }
}

mod signed_in {
    use super::*;

    fn unknown_binds(world: &World, before: &[Person], status: u16) {
        let me = world.login(PHONE).signed_in();
        for person in before {
            assert_eq!(bind(world, &me, "wechat", *person).status, 204);
        }
        assert_eq!(bind(world, &me, "wechat", XIAOMING).status, status);
        let next = log_in(world, "wechat", "default", XIAOMING).signed_in();
        assert_eq!(account(&next) == account(&me), status == 204);
    }

    #[test]
    fn unknown_with_none_of_the_kind_under_one_binds() {
        unknown_binds(&world(), &[], 204);
    }

    #[test]
    fn unknown_with_one_of_the_kind_under_one_is_refused() {
        unknown_binds(&world(), &[XIAOHONG], 409);
    }

    #[test]
    fn unknown_with_none_of_the_kind_under_many_binds() {
        unknown_binds(&many(), &[], 204);
    }

    #[test]
    fn unknown_with_one_of_the_kind_under_many_binds() {
        unknown_binds(&many(), &[XIAOHONG], 204);
    }

    fn mine_is_nothing_to_do(world: &World, before: &[Person]) {
        let me = world.login(PHONE).signed_in();
        assert_eq!(bind(world, &me, "wechat", XIAOMING).status, 204);
        for person in before {
            assert_eq!(bind(world, &me, "wechat", *person).status, 204);
        }
        let kinds_before = kinds(world, &me);
        assert_eq!(bind(world, &me, "wechat", XIAOMING).status, 204);
        assert_eq!(kinds(world, &me), kinds_before);
    }

    #[test]
    fn mine_under_one_is_nothing_to_do() {
        mine_is_nothing_to_do(&world(), &[]);
    }

    #[test]
    fn mine_alone_under_many_is_nothing_to_do() {
        mine_is_nothing_to_do(&many(), &[]);
    }

    #[test]
    fn mine_with_another_of_the_kind_under_many_is_nothing_to_do() {
        mine_is_nothing_to_do(&many(), &[XIAOHONG]);
    }

    fn anothers_is_in_use(world: &World, before: &[Person]) {
        let other = log_in(world, "wechat", "default", XIAOMING).signed_in();
        let me = world.login(PHONE).signed_in();
        for person in before {
            assert_eq!(bind(world, &me, "wechat", *person).status, 204);
        }
        let refused = bind(world, &me, "wechat", XIAOMING);
        refused.is_problem(409, "identity_in_use");
        for theirs in [account(&other), "小明", other.text("/device/id")] {
            assert!(!refused.body.to_string().contains(theirs));
        }
        assert_eq!(account(&log_in(world, "wechat", "default", XIAOMING).signed_in()), account(&other));
    }

    #[test]
    fn anothers_with_none_of_the_kind_under_one_is_in_use() {
        anothers_is_in_use(&world(), &[]);
    }

    #[test]
    fn anothers_with_one_of_the_kind_under_one_is_in_use() {
        anothers_is_in_use(&world(), &[XIAOHONG]);
    }

    #[test]
    fn anothers_with_none_of_the_kind_under_many_is_in_use() {
        anothers_is_in_use(&many(), &[]);
    }

    #[test]
    fn anothers_with_one_of_the_kind_under_many_is_in_use() {
        anothers_is_in_use(&many(), &[XIAOHONG, XIAOGANG]);
    }
}

mod with_a_number {
    use super::*;

    #[test]
    fn an_unknown_identity_comes_to_lead_to_the_numbers_account() {
        let world = world();
        let me = world.login(PHONE).signed_in();
        let by_both = log_in_with(&world, XIAOMING, PHONE).signed_in();
        assert_eq!(account(&by_both), account(&me));
        assert_eq!(by_both.body.get("needs"), None);
        let later = log_in(&world, "wechat", "default", XIAOMING).signed_in();
        assert_eq!(account(&later), account(&me));
        assert_eq!(later.body["account"]["phone"], "+86138****8000");
        assert_eq!(later.body["account"].get("displayName"), None, "who was there keeps their own name");
    }

    #[test]
    fn an_unknown_identity_and_an_unknown_number_are_one_new_account() {
        let world = world();
        let new = log_in_with(&world, XIAOMING, PHONE).signed_in();
        assert_eq!(
            (&new.body["account"]["isNew"], &new.body["account"]["displayName"]),
            (&json!(true), &json!("小明"))
        );
        assert_eq!(account(&world.login(PHONE).signed_in()), account(&new));
        assert_eq!(account(&log_in(&world, "wechat", "default", XIAOMING).signed_in()), account(&new));
    }

    #[test]
    fn an_account_without_a_number_gets_it() {
        let world = world();
        let me = log_in(&world, "wechat", "default", XIAOMING).signed_in();
        let with = log_in_with(&world, XIAOMING, PHONE).signed_in();
        assert_eq!(account(&with), account(&me));
        world.run_alarms();
        assert_eq!(account(&world.login(PHONE).signed_in()), account(&me));
        // Again it is nothing new.
        assert_eq!(account(&log_in_with(&world, XIAOMING, PHONE).signed_in()), account(&me));
    }

    #[test]
    fn a_number_of_somebody_else_is_refused_and_nothing_is_said_of_them() {
        let world = world();
        let other = world.login(PHONE).signed_in();
        log_in(&world, "wechat", "default", XIAOMING).signed_in();
        let refused = log_in_with(&world, XIAOMING, PHONE);
        refused.is_problem(409, "phone_in_use");
        assert!(!refused.body.to_string().contains(account(&other)));
    }

    #[test]
    fn an_account_that_has_one_of_the_kind_takes_no_second() {
        let world = world();
        log_in_with(&world, XIAOMING, PHONE).signed_in();
        log_in_with(&world, XIAOHONG, PHONE).is_problem(409, "identity_in_use");
        assert_eq!(log_in(&world, "wechat", "default", XIAOHONG).signed_in().body["account"]["isNew"], true);
    }

    #[test]
    fn a_mistyped_code_costs_nothing_of_the_third_partys() {
        let world = world();
        let mut body = body(&world, "wechat", "default", XIAOMING);
        let challenge = world.send_otp(PHONE).send().challenge();
        let code = world.phones.code(PHONE);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let mut send = |code: &str| {
            body["numberProof"] = json!({"type": "otp", "challengeId": challenge, "code": code});
            world.post("/v1/identities/wechat/login", &body).header("x-onetap-device", OWN).send()
        };
        send(wrong).is_problem(401, "otp_incorrect");
        send(&code).signed_in();
        send(&code).is_problem(401, "otp_incorrect");
    }
}

#[test]
fn a_unionid_leads_the_apps_of_one_developer_to_one_account_and_nothing_else_does() {
    let world = world();
    let alone = |app| account(&log_in(&world, "wechat", app, XIAOHONG).signed_in()).to_owned();
    assert_ne!(alone("default"), alone("shop"));
    let joined = Person { union: Some("uMing"), ..XIAOMING };
    let first = log_in(&world, "wechat", "default", joined).signed_in();
    let second = log_in(&world, "wechat", "shop", joined).signed_in();
    assert_eq!(account(&first), account(&second));
    assert_eq!(kinds(&world, &second), ["wechat"], "one identity, whatever its names");
    world.run_alarms();
    // Should the developer leave the platform, each app still knows them.
    for app in ["default", "shop"] {
        assert_eq!(account(&log_in(&world, "wechat", app, XIAOMING).signed_in()), account(&first));
    }
}

#[test]
fn who_was_known_before_the_unionid_stays_who_they_are() {
    let world = world();
    let before = log_in(&world, "wechat", "default", XIAOMING).signed_in();
    let joined = Person { union: Some("uMing"), ..XIAOMING };
    let after = log_in(&world, "wechat", "default", joined).signed_in();
    assert_eq!(account(&after), account(&before));
    world.run_alarms();
    assert_eq!(account(&log_in(&world, "wechat", "shop", joined).signed_in()), account(&before));
    world.run_alarms();
    // The shop's name came by one that itself was another's. All go together.
    let bearer = after.text("/session/accessToken");
    let token = world.providers.token(PHONE);
    let number = json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": token}});
    let number = json!({ "numberProof": number });
    assert_eq!(world.put("/v1/account/phone", &number).bearer(bearer).send().status, 204);
    assert_eq!(world.delete("/v1/account/identities/wechat").bearer(bearer).send().status, 204);
    world.run_alarms();
    let new = log_in(&world, "wechat", "shop", joined).signed_in();
    assert_eq!(new.body["account"]["isNew"], true);
}

#[test]
fn what_is_unbound_leads_nowhere_with_all_its_names() {
    let world = world();
    let me = world.login(PHONE).signed_in();
    let joined = Person { union: Some("uMing"), ..XIAOMING };
    assert_eq!(bind(&world, &me, "wechat", joined).status, 204);
    let unbind = world.delete("/v1/account/identities/wechat").bearer(me.text("/session/accessToken")).send();
    assert_eq!(unbind.status, 204);
    // Also while the handles have not heard of it.
    let new = log_in(&world, "wechat", "default", joined).signed_in();
    assert_eq!(new.body["account"]["isNew"], true);
    world.run_alarms();
    for app in ["default", "shop"] {
        assert_eq!(account(&log_in(&world, "wechat", app, joined).signed_in()), account(&new));
    }
}

#[test]
fn a_lost_answer_is_given_again() {
    let world = world();
    let body = body(&world, "wechat", "default", XIAOMING);
    let send = || {
        let ask = world.post("/v1/identities/wechat/login", &body).key("AcY6nVs4RbT9wXmL2pQ7kZ");
        ask.header("x-onetap-device", OWN).send()
    };
    let first = send().signed_in();
    assert_eq!(send().signed_in().body, first.body);
    let again = world.post("/v1/identities/wechat/login", &body).header("x-onetap-device", OWN).send();
    again.is_problem(401, "invalid_credentials");
}

#[test]
fn whatever_step_breaks_an_identity_leads_to_one_account() {
    for port in [Port::Handle, Port::Account] {
        for nth in 0..4 {
            for broken in ALL_WAYS {
                let world = world();
                let me = world.login(PHONE).signed_in();
                world.run_alarms();
                let body = bind_body(&world, "wechat", Person { union: Some("uMing"), ..XIAOMING });
                world.faults.break_call(port, nth, broken);
                let ask = world.post("/v1/account/identities/wechat", &body);
                let _ = ask.bearer(me.text("/session/accessToken")).header("x-onetap-device", OWN).try_send();
                world.faults.mend();
                world.settle_within(std::time::Duration::from_secs(60));
                for state in world.objects.states(Kind::Account).values() {
                    assert!(!state.to_string().contains("claiming"), "{port:?} {nth} {broken:?}");
                }
                // Bound or not, it is the same for both names of it.
                let joined = Person { union: Some("uMing"), ..XIAOMING };
                let one = log_in(&world, "wechat", "default", joined).signed_in();
                world.settle_within(std::time::Duration::from_secs(60));
                let other = log_in(&world, "wechat", "shop", joined).signed_in();
                assert_eq!(account(&one), account(&other), "{port:?} {nth} {broken:?}");
            }
        }
    }
}

#[test]
fn accounts_may_do_without_a_number() {
    let world = world_with(&[("PHONE_REQUIRED", "false")]);
    let new = log_in(&world, "qq", "default", XIAOMING).signed_in();
    assert_eq!(new.body.get("needs"), None);
}
