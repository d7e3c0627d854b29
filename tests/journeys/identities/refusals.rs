//! What is no login, and what a third party that fails leads to.

use std::time::Duration;

use super::*;
use crate::world::{Broken, Port, provider::VENDOR_TEXT};

#[test]
fn a_code_is_good_once() {
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let world = world();
        let login = sign_in(&world, kind, "default", XIAOMING);
        login.proven(&world);
        login.is_refused(&world);
        // Nor with a state of its own.
        let again = sign_in(&world, kind, "default", XIAOMING);
        Login { code: login.code, ..again }.is_refused(&world);
    }
}

#[test]
fn a_code_that_the_third_party_refuses() {
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let world = world();
        Login { code: "invented".to_owned(), ..sign_in(&world, kind, "default", XIAOMING) }
            .is_refused(&world);
        let outcomes: Vec<_> = world.metrics().iter().map(|call| call.outcome).collect();
        assert_eq!(outcomes.last(), Some(&"rejected"), "{kind}");
    }
}

#[test]
fn a_wrong_secret_of_ours_is_an_alert_and_no_fault_of_the_client() {
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let world = world();
        world.third_parties.break_it("secret");
        sign_in(&world, kind, "default", XIAOMING).is_unavailable(&world);
        assert_eq!(world.metrics().last().unwrap().outcome, "account_fault", "{kind}");
    }
}

#[test]
fn a_third_party_that_fails() {
    for kind in ["wechat", "qq", "weibo", "corp"] {
        for trouble in ["down", "garbage"] {
            let world = world();
            let login = sign_in(&world, kind, "default", XIAOMING);
            world.third_parties.break_it(trouble);
            login.is_unavailable(&world);
        }
    }
    // Without the name that apps share nobody can say who it is: perhaps somebody whom another app knows.
    let world = world();
    world.third_parties.break_it("subject");
    sign_in(&world, "qq", "default", XIAOMING).is_unavailable(&world);
}

#[test]
fn a_third_party_that_hangs_is_left_in_time() {
    let world = world();
    let login = sign_in(&world, "wechat", "default", XIAOMING);
    crate::world::locked(&world.slow).insert("api.weixin.qq.com", Duration::from_secs(60));
    let started = onetap::ports::Clock::now(&world);
    login.is_unavailable(&world);
    assert!(onetap::ports::Clock::now(&world).since(started) <= Duration::from_secs(5));
}

#[test]
fn what_is_asked_for_must_exist() {
    let world = world();
    let ask = |path: &str| world.get(path).header("x-onetap-device", OWN).send();
    let back = format!("redirectUri={BACK}");
    for path in [
        format!("/v1/identities/nobody/authorize?{back}"),
        format!("/v1/identities/oidc/authorize?{back}"),
        format!("/v1/identities/oidc_post/authorize?{back}"),
        format!("/v1/identities/cmcc/authorize?{back}"),
        format!("/v1/identities/wechat/authorize?app=shop&platform=android&{back}"),
        format!("/v1/identities/weibo/authorize?app=shop&{back}"),
    ] {
        ask(&path).is_problem(404, "not_found");
    }
    for (path, field) in [
        ("/v1/identities/wechat/authorize".to_owned(), "redirectUri"),
        ("/v1/identities/wechat/authorize?redirectUri=https://evil.example/back".to_owned(), "redirectUri"),
        (format!("/v1/identities/wechat/authorize?{back}/"), "redirectUri"),
        (format!("/v1/identities/wechat/authorize?app=nobody&{back}"), "app"),
        (format!("/v1/identities/wechat/authorize?platform=amiga&{back}"), "platform"),
    ] {
        let answer = ask(&path);
        answer.is_problem(400, "invalid_request");
        assert_eq!(answer.body["fields"][0]["name"], field, "{path}");
    }
    world
        .post("/v1/identities/wechat/authorize", &serde_json::json!({}))
        .send()
        .is_problem(405, "method_not_allowed");
    let code = Login::native("nobody", "default", "c".to_owned());
    assert_eq!(refusal(code.prove(&world)).code, Code::NotFound);
    for code in ["", "a b", "é"] {
        let refused = refusal(Login::native("wechat", "shop", code.to_owned()).prove(&world));
        assert_eq!((refused.code, refused.fields[0].name.as_str()), (Code::InvalidRequest, "code"), "{code}");
    }
}

#[test]
fn codes_secrets_and_names_stay_out_of_what_operators_see() {
    let world = world();
    let login = sign_in(&world, "wechat", "default", XIAOMING);
    login.proven(&world);
    login.is_refused(&world);
    let state = login.state.as_deref().unwrap();
    for secret in [login.code.as_str(), state, "oMing@wx-default", "小明", OWN, VENDOR_TEXT, "AT-code"] {
        assert_eq!(world.places_of(secret), Vec::<String>::new(), "{secret}");
    }
}

#[test]
fn whatever_breaks_nobody_is_let_in_by_half_a_login() {
    for (port, calls) in [(Port::Counter, 2), (Port::Http, 4), (Port::Entropy, 4)] {
        for nth in 0..calls {
            for broken in [Broken::Before, Broken::AnswerLost] {
                let world = world();
                let login = Login { key: Some(OWN), ..sign_in(&world, "corp", "default", XIAOMING) };
                world.faults.break_call(port, nth, broken);
                let first = login.prove(&world);
                world.faults.mend();
                match (&first, port) {
                    // The profile is asked for last and may fail; discovery is known from the beginning of the login.
                    (Ok(identity), _) => assert_eq!(identity.subjects.len(), 1),
                    (Err(Failure::Fault(_)), Port::Counter | Port::Entropy) => {}
                    (Err(Failure::Refusal(refusal)), Port::Http) => {
                        assert_eq!(refusal.code, Code::IdentityUnavailable, "{nth} {broken:?}");
                    }
                    other => panic!("{port:?} {nth} {broken:?}: {other:?}"),
                }
                // Without a reply that was kept nobody can say what became of the code: it is not tried again.
                world.pass(Duration::from_secs(11));
                let asked = world.third_parties.times_asked("/oidc/token");
                let again = login.prove(&world);
                let is_spent = port != Port::Counter || nth > 0 || broken == Broken::AnswerLost;
                assert_eq!(again.is_err(), is_spent, "{port:?} {nth} {broken:?}");
                let more = usize::from(!is_spent);
                assert_eq!(world.third_parties.times_asked("/oidc/token"), asked + more);
            }
        }
    }
}
