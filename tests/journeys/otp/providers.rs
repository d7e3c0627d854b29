//! Vendors of messages that refuse, hang, mumble or are down: one message at most, and one whenever possible.

use std::time::Duration;

use onetap::ports::Clock;
use serde_json::json;

use super::{OTHER, PHONE};
use crate::world::{Broken, Port, World, client::device, configuration::accounts_and, sms::Mood};

#[test]
fn one_refuses_and_the_next_delivers_once() {
    for mood in [Mood::Refuses, Mood::WantsMoney, Mood::IsDown] {
        let world = World::new();
        world.phones.set_mood("chuanglan_sms", Some(mood));
        let challenge = world.send_otp(PHONE).send().challenge();
        let all = world.phones.all();
        assert_eq!((all.len(), all[0].provider), (1, "twilio"), "{mood:?}");
        world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
    }
}

#[test]
fn who_may_have_taken_it_gets_no_successor() {
    for mood in [Mood::TakesAndHangs, Mood::TakesAndMumbles, Mood::TakesAndBreaksOff] {
        let world = World::new();
        world.phones.set_mood("chuanglan_sms", Some(mood));
        let challenge = world.send_otp(PHONE).send().challenge();
        assert_eq!(world.phones.asked("twilio"), 0, "{mood:?}");
        assert_eq!(world.phones.texts(PHONE).len(), 1);
        // It arrived after all, and its code is good.
        world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
    }
}

#[test]
fn a_number_that_gets_no_messages_is_offered_one_tap() {
    let world = World::new();
    world.phones.set_mood("chuanglan_sms", Some(Mood::Blacklists));
    let answer = world.send_otp(PHONE).send();
    answer.is_problem(503, "sms_unavailable");
    assert_eq!(answer.body["fallback"], json!(["one_tap"]));
    // Nobody else is asked: it is the number, not the vendor.
    assert_eq!(world.phones.asked("twilio"), 0);
}

#[test]
fn a_vendor_that_fails_is_asked_later_until_it_is_well() {
    let world = World::new();
    world.phones.set_mood("chuanglan_sms", Some(Mood::Refuses));
    for nth in 0..15 {
        world.send_otp(&format!("138{nth:08}")).from(&format!("198.51.{nth}.1")).send().challenge();
    }
    let asked = world.phones.asked("chuanglan_sms");
    assert!(asked < 10, "{asked}");
    world.phones.set_mood("chuanglan_sms", None);
    world.pass(Duration::from_secs(600));
    world.send_otp(OTHER).send().challenge();
    assert_eq!(world.phones.all().last().unwrap().provider, "chuanglan_sms");
}

#[test]
fn nobody_waits_long_to_hear_how_vendors_do() {
    let world = World::new();
    // After the budgets of the asker, the prefix, the country and the deployment: the health of two vendors.
    for nth in [4, 5] {
        world.faults.break_call(Port::Counter, nth, Broken::DiesBefore);
    }
    let started = world.now();
    world.send_otp(PHONE).send().challenge();
    assert_eq!(world.now().since(started), Duration::from_millis(300));
}

#[test]
fn an_empty_account_of_one_app_is_none_of_anothers_business() {
    let shop = json!({"provider": "chuanglan_sms", "app": "shop",
        "settings": {"account": "N7654321", "password": "another"}});
    let world =
        World::with(|name| (name == "PROVIDER_ACCOUNTS").then(|| accounts_and(std::slice::from_ref(&shop))));
    world.phones.set_mood("chuanglan_sms", Some(Mood::WantsMoney));
    for nth in 0..15 {
        let body = json!({"phone": format!("138{nth:08}"), "app": "shop", "device": device()});
        let answer = world.post("/v1/otp/send", &body).from(&format!("198.51.{nth}.1")).send();
        answer.is_problem(503, "sms_unavailable");
    }
    world.phones.set_mood("chuanglan_sms", None);
    world.send_otp(OTHER).send().challenge();
    assert_eq!(world.phones.all()[0].provider, "chuanglan_sms");
}

#[test]
fn without_any_vendor_the_answer_says_so() {
    let world = World::with(|name| (name == "PROVIDER_ACCOUNTS").then(|| "[]".to_owned()));
    world.send_otp(PHONE).send().is_problem(503, "sms_unavailable");
}

#[test]
fn receipts_count_as_health() {
    let token = "Zk7Qp2LmXw9TbR4sVn6YcAcB";
    let world = World::with(|name| match name {
        "RECEIPT_TOKEN" => Some(token.to_owned()),
        "PROVIDER_ACCOUNTS" => {
            let twilio = json!({"provider": "twilio", "settings": {"accountSid": "AC1", "authToken": "t",
                "from": "+15005550006"}});
            Some(
                json!([twilio, {"provider": "chuanglan_sms", "weight": 0,
                "settings": {"account": "N1", "password": "p"}}])
                .to_string(),
            )
        }
        _ => None,
    });
    world.send_otp(PHONE).send().challenge();
    assert_eq!(world.phones.all()[0].provider, "twilio");
    let push = |token: &str, provider: &str, status: &str| {
        let mut ask = world.post(&format!("/v1/receipts/{provider}/{token}"), &json!({}));
        ask.set_body(format!("MessageSid=SM1&MessageStatus={status}").as_bytes());
        ask.header("content-type", "application/x-www-form-urlencoded").send_raw()
    };
    let look = world.post(&format!("/v1/receipts/twilio/{token}"), &json!({})).head_only();
    assert_eq!(look.send_raw(), 405);
    assert_eq!(push("x", "twilio", "delivered"), 404);
    assert_eq!(push(token, "cmcc", "delivered"), 404);
    assert_eq!(push(token, "nobody", "delivered"), 404);
    for _ in 0..60 {
        assert_eq!(push(token, "twilio", "undelivered"), 200);
    }
    // Messages that nobody gets are as bad as none: the other vendor is asked first now.
    world.send_otp(OTHER).send().challenge();
    assert_eq!(world.phones.all()[1].provider, "chuanglan_sms");
}

#[test]
fn the_console_shows_instead_of_sending_in_development_only() {
    let world = World::with(|name| match name {
        "ENVIRONMENT" => Some("development".to_owned()),
        "SMS_CONSOLE" => Some("true".to_owned()),
        _ => None,
    });
    let challenge = world.send_otp(PHONE).send().challenge();
    let code = crate::world::sms::code_in(&world.shown()[0]);
    assert_eq!(world.phones.all(), []);
    world.otp_login(&challenge, &code).send().signed_in();
    let production =
        crate::world::configuration::problems(|name| (name == "SMS_CONSOLE").then(|| "true".to_owned()));
    assert!(production[0].starts_with("SMS_CONSOLE is allowed in development only"), "{production:?}");
}

#[test]
fn reviewers_of_app_stores_have_a_code_of_their_own() {
    let world = World::with(|name| {
        (name == "REVIEW_NUMBERS").then(|| json!([{"phone": "13800000000", "code": "246810"}]).to_string())
    });
    let challenge = world.send_otp("13800000000").send().challenge();
    assert_eq!(world.phones.all(), []);
    world.otp_login(&challenge, "000000").send().is_problem(401, "otp_incorrect");
    world.otp_login(&challenge, "246810").send().signed_in();
    // Marked in the log, and in no prefix's or country's count.
    assert!(world.metrics().iter().any(|call| call.provider == "review"));
    let counters = world.objects.states(crate::world::objects::Kind::Counter);
    assert!(
        counters.keys().all(|name| !name.contains("prefix") && !name.contains("country")),
        "{counters:?}"
    );
    let short = crate::world::configuration::problems(|name| {
        (name == "REVIEW_NUMBERS").then(|| json!([{"phone": "13800000000", "code": "24681012"}]).to_string())
    });
    assert_eq!(short, ["REVIEW_NUMBERS has a code that is not 6 digits long"]);
    // Everybody else's code is drawn.
    let (challenge, _) = super::send(&world, PHONE);
    world.otp_login(&challenge, "246810").send();
}

#[test]
fn an_app_sends_by_its_own_accounts() {
    let shop = json!({"provider": "chuanglan_sms", "app": "shop",
        "settings": {"account": "N7654321", "password": "another"}});
    let world =
        World::with(|name| (name == "PROVIDER_ACCOUNTS").then(|| accounts_and(std::slice::from_ref(&shop))));
    let body = json!({"phone": PHONE, "app": "shop", "device": device()});
    world.phones.set_mood("chuanglan_sms", Some(Mood::Refuses));
    // The shop has one vendor only; that of the others is none of its business.
    world.post("/v1/otp/send", &body).send().is_problem(503, "sms_unavailable");
    assert_eq!(world.phones.asked("twilio"), 0);
}
