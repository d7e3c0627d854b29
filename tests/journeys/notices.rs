//! Who is told what: people on the devices that can speak for them or by SMS, backends by signed webhooks.

use std::{collections::BTreeSet, time::Duration};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use onetap::{journeys::notices::Told, kernel::http::HttpFailure};
use serde_json::{Value, json};

use crate::world::{
    Answer, Broken, Port, World,
    client::{device_with, login_body},
    configuration::{accounts_and, problems},
    locked,
    objects::Kind,
    receivers::{Delivery, HOOK, HOOK_SECRET},
};

pub(super) const PHONE: &str = "13800138000";
const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

/// A world with a backend that listens and a vendor of pushes, in which a device is known on its second day.
pub(super) fn listening() -> World {
    configured(Vec::new())
}

pub(super) fn configured(more: Vec<(&'static str, String)>) -> World {
    let push =
        json!({"provider": "jpush_push", "settings": {"appKey": "pushKey", "masterSecret": "pushSecret"}});
    World::with(move |name| {
        let own = more.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        own.or_else(|| match name {
            "WEBHOOKS" => Some(json!([{"url": HOOK, "secret": HOOK_SECRET}]).to_string()),
            "PROVIDER_ACCOUNTS" => Some(accounts_and(std::slice::from_ref(&push))),
            "DEVICE_KNOWN_DAYS" => Some("2".to_owned()),
            _ => None,
        })
    })
}

/// Signs in on a device with a push token of its own, new unless a login on it is given.
pub(super) fn sign_in(world: &World, push_token: &str, before: Option<&Answer>) -> Answer {
    let mut body = login_body("cmcc", &world.providers.token(PHONE));
    if let Some(before) = before {
        body["device"] = device_with(before.text("/device/token"));
    }
    body["device"]["pushToken"] = json!(push_token);
    world.post("/v1/one-tap/login", &body).send().signed_in()
}

/// Somebody with a phone that the account knows, of whom everything has been told.
pub(super) fn owner(world: &World) -> Answer {
    let first = sign_in(world, "push-token-of-the-phone", None);
    world.tell();
    world.pass(DAY);
    sign_in(world, "push-token-of-the-phone", Some(&first));
    world.tell();
    first
}

pub(super) fn types(world: &World) -> Vec<String> {
    world.receivers.deliveries().iter().map(|one| one.body["type"].as_str().unwrap().to_owned()).collect()
}

/// The signature of Standard Webhooks, computed with nothing of ours.
fn signature(secret: &str, delivery: &Delivery) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (&delivery.headers["webhook-id"], &delivery.headers["webhook-timestamp"]);
    mac.update(format!("{id}.{at}.{}", delivery.text).as_bytes());
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

#[test]
fn the_first_sign_in_is_told_to_backends_and_to_nobody_else() {
    let world = listening();
    let login = sign_in(&world, "push-token-of-the-phone", None);
    assert_eq!(world.tell(), [Told::Done]);
    let [delivery] = world.receivers.deliveries().try_into().unwrap();
    let expected = json!({
        "id": delivery.headers["webhook-id"], "type": "account.created", "timestamp": "2026-11-20T04:00:00Z",
        "data": {"account": login.text("/account/id"), "session": login.text("/session/id"),
                 "device": login.text("/device/id"), "app": "default"},
    });
    assert_eq!(delivery.body, expected);
    assert_eq!(delivery.headers["webhook-signature"], signature(HOOK_SECRET, &delivery));
    assert_eq!(delivery.headers["webhook-timestamp"], "1795147200");
    assert_eq!(delivery.headers["content-type"], "application/json");
    assert!(world.receivers.pushes().is_empty() && world.phones.all().is_empty());
    // A repeat of it, and another sign-in on the same device, are no news.
    sign_in(&world, "push-token-of-the-phone", Some(&login));
    assert_eq!(world.tell(), []);
}

#[test]
fn a_new_device_is_told_to_the_phone_that_the_account_knows() {
    let world = listening();
    owner(&world);
    let stranger = sign_in(&world, "push-token-of-the-stranger", None);
    assert_eq!(world.tell(), [Told::Done, Told::Done]);
    let [push] = world.receivers.pushes().try_into().unwrap();
    assert_eq!((push.to.as_str(), push.event.as_str()), ("push-token-of-the-phone", "login.new_device"));
    // Noon in China, a day later.
    assert!(push.text.starts_with("11-21 12:00 您的账号在新设备上登录"), "{}", push.text);
    let delivery = world.receivers.deliveries().pop().unwrap();
    assert_eq!(delivery.body["data"]["device"], stranger.text("/device/id"));
    assert_eq!(delivery.body["id"], push.notice);
    assert!(world.phones.all().is_empty());
}

#[test]
fn without_a_phone_to_push_to_one_sms_goes_out() {
    // No device of standing; no push token; nobody signed in on it; no vendor of pushes.
    let no_push = [("PROVIDER_ACCOUNTS", accounts_and(&[]))];
    for (why, world, with_owner) in
        [("no device that is known", listening(), false), ("no vendor", configured(no_push.to_vec()), true)]
    {
        if with_owner {
            owner(&world);
        } else {
            sign_in(&world, "push-token-of-the-phone", None);
            world.tell();
        }
        sign_in(&world, "push-token-of-the-stranger", None);
        world.tell();
        let [text] = world.phones.texts(PHONE).try_into().unwrap_or_else(|texts| panic!("{why} {texts:?}"));
        assert!(text.starts_with("【onetap】11-2") && text.contains("新设备上登录"), "{text}");
        // The device that the account was created on is told as well.
        assert_eq!(world.receivers.pushes().len(), usize::from(!with_owner), "{why}");
    }
    let world = listening();
    let owner = owner(&world);
    let out = world.delete("/v1/sessions").bearer(owner.text("/session/accessToken"));
    assert_eq!(out.send().status, 401, "the day before");
    let phone = sign_in(&world, "push-token-of-the-phone", Some(&owner));
    for path in ["/v1/sessions", "/v1/session"] {
        let out = world.delete(path).bearer(phone.text("/session/accessToken"));
        assert_eq!(out.send().status, 204);
    }
    sign_in(&world, "push-token-of-the-stranger", None);
    world.tell();
    assert_eq!(world.phones.texts(PHONE).len(), 1, "nobody is signed in on the phone");
}

#[test]
fn a_stolen_refresh_token_is_told() {
    let world = listening();
    owner(&world);
    let tablet = sign_in(&world, "push-token-of-the-tablet", None);
    world.tell();
    let refresh =
        || world.post("/v1/session/refresh", &json!({"refreshToken": tablet.text("/session/refreshToken")}));
    assert_eq!(refresh().send().status, 200);
    world.pass(SECOND * 61);
    refresh().send().is_problem(401, "session_revoked");
    // Whoever tries again is no news.
    refresh().send().is_problem(401, "session_revoked");
    world.tell();
    assert_eq!(types(&world), ["account.created", "login.new_device", "session.token_reused"]);
    let delivery = world.receivers.deliveries().pop().unwrap();
    assert_eq!(delivery.body["data"]["session"], tablet.text("/session/id"));
    let push = world.receivers.pushes().pop().unwrap();
    assert_eq!((push.to.as_str(), push.event.as_str()), ("push-token-of-the-phone", "session.token_reused"));
}

#[test]
fn a_hundred_logins_a_day_are_twenty_pushes_or_two_sms() {
    let world = listening();
    owner(&world);
    for _ in 0..100 {
        sign_in(&world, "push-token-of-the-stranger", None);
        world.tell();
    }
    assert_eq!(world.receivers.pushes().len(), 20);
    assert_eq!(world.phones.all().len(), 0, "who was told twenty times need not hear it by SMS");
    // Backends hear of each; the next day has its own.
    assert_eq!(types(&world).iter().filter(|kind| *kind == "login.new_device").count(), 100);
    world.pass(DAY);
    sign_in(&world, "push-token-of-the-stranger", None);
    world.tell();
    assert_eq!(world.receivers.pushes().len(), 21);

    let world = World::new();
    for _ in 0..100 {
        world.login(PHONE).signed_in();
        world.tell();
    }
    assert_eq!(world.phones.texts(PHONE).len(), 2);
    assert!(world.receivers.deliveries().is_empty());
}

#[test]
fn a_webhook_is_tried_again_until_it_is_taken_and_has_one_id() {
    let world = listening();
    locked(&world.receivers.answers).extend([
        Ok(500),
        Err(HttpFailure::TimedOut),
        Ok(302),
        Err(HttpFailure::Broken),
        Ok(204),
    ]);
    sign_in(&world, "push-token-of-the-phone", None);
    let mut told = world.tell();
    told.extend(world.drain_queue());
    let wait = |seconds| Told::Later(Duration::from_secs(seconds));
    assert_eq!(told, [wait(5), wait(5), wait(10), wait(20), Told::Done]);
    let deliveries = world.receivers.deliveries();
    let ids: BTreeSet<&String> = deliveries.iter().map(|one| &one.headers["webhook-id"]).collect();
    assert_eq!((deliveries.len(), ids.len()), (5, 1));
    // Each attempt is dated and signed anew, and says the same.
    assert!(deliveries.iter().all(|one| one.headers["webhook-signature"] == signature(HOOK_SECRET, one)));
    assert!(deliveries.windows(2).all(|two| two[0].text == two[1].text));
    assert!(
        deliveries
            .windows(2)
            .all(|two| two[0].headers["webhook-timestamp"] < two[1].headers["webhook-timestamp"])
    );
}

#[test]
fn a_backend_that_hangs_is_left_after_five_seconds() {
    use onetap::ports::Clock;
    let world = listening();
    sign_in(&world, "push-token-of-the-phone", None);
    world.run_alarms();
    let began = world.now();
    locked(&world.slow).insert("backend.example", SECOND * 30);
    assert_eq!(world.run_queue(), [Told::Later(SECOND * 5)]);
    assert_eq!(world.now().since(began), SECOND * 5);
    locked(&world.slow).clear();
    assert_eq!(world.drain_queue(), [Told::Done]);
    let deliveries = world.receivers.deliveries();
    assert!(deliveries.len() == 2 && deliveries[0].body == deliveries[1].body);
}

#[test]
fn what_is_not_taken_is_given_up_one_day_and_where_nobody_is_at_once() {
    let world = listening();
    locked(&world.receivers.answers).extend(std::iter::repeat_n(Ok(503), 1000));
    sign_in(&world, "push-token-of-the-phone", None);
    let began = onetap::ports::Clock::now(&world);
    world.run_alarms();
    let told = world.drain_queue();
    assert_eq!(told.last(), Some(&Told::GivenUp("too_old")));
    let took = onetap::ports::Clock::now(&world).since(began);
    assert!(took > DAY - Duration::from_secs(3601) && took <= DAY, "{took:?}");
    // Fewer than the queue allows.
    assert!((30..100).contains(&told.len()), "{}", told.len());

    let world = listening();
    locked(&world.receivers.answers).push_back(Ok(410));
    sign_in(&world, "push-token-of-the-phone", None);
    assert_eq!(world.tell(), [Told::GivenUp("gone")]);
}

#[test]
fn a_device_that_is_gone_is_the_end_and_a_vendor_that_is_down_is_not() {
    for (trouble, told) in [
        (Some(Ok(500)), Told::Later(Duration::from_secs(5))),
        (Some(Err(HttpFailure::TimedOut)), Told::Later(Duration::from_secs(5))),
        (Some(Ok(401)), Told::GivenUp("refused")),
        (None, Told::GivenUp("refused")),
    ] {
        let world = configured(vec![("WEBHOOKS", String::new())]);
        owner(&world);
        locked(&world.receivers.gone).insert("push-token-of-the-phone".to_owned());
        *locked(&world.receivers.push_trouble) = trouble;
        sign_in(&world, "push-token-of-the-stranger", None);
        assert_eq!(world.tell(), [told], "{trouble:?}");
        // It comes back within the hour, or too late to be of use.
        if matches!(told, Told::Later(_)) {
            locked(&world.receivers.gone).clear();
            *locked(&world.receivers.push_trouble) = None;
            assert_eq!(world.drain_queue(), [Told::Done]);
            assert_eq!(world.receivers.pushes().len(), 1);
        }
    }
}

#[test]
fn a_queue_that_is_down_loses_nothing_and_piles_nothing_up() {
    let world = listening();
    owner(&world);
    world.faults.break_all(Port::Queue, Broken::Before);
    for _ in 0..100 {
        sign_in(&world, "push-token-of-the-stranger", None);
        world.run_alarms();
    }
    let waiting = || {
        let states = world.objects.states(Kind::Account).into_values();
        let letters =
            states.flat_map(|state| state["outbox"]["letters"].as_array().cloned().unwrap_or_default());
        letters.filter(|letter| letter["message"].get("notify").is_some()).count()
    };
    assert_eq!(waiting(), 64);
    world.faults.mend();
    // Long enough for a letter that was tried seven times.
    world.settle_within(Duration::from_secs(600));
    assert_eq!(waiting(), 0);
    world.drain_queue();
    assert!(types(&world).len() > 32, "{:?}", types(&world));
}

#[test]
fn a_delivery_twice_is_the_same_twice() {
    let world = listening();
    world.faults.break_call(Port::Queue, 0, Broken::AnswerLost);
    sign_in(&world, "push-token-of-the-phone", None);
    world.run_alarms();
    world.settle_within(SECOND * 10);
    world.drain_queue();
    let deliveries = world.receivers.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert_eq!(deliveries[0].body, deliveries[1].body);
}

#[test]
fn each_backend_hears_what_it_asked_for_signed_with_its_secrets() {
    let new = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    let hooks = json!([
        {"url": HOOK, "secret": [new, HOOK_SECRET], "events": ["login.new_device"]},
        {"url": "https://other.example/", "secret": new, "app": "shop"},
    ]);
    let world = configured(vec![("WEBHOOKS", hooks.to_string())]);
    owner(&world);
    sign_in(&world, "push-token-of-the-stranger", None);
    world.tell();
    let [delivery] = world.receivers.deliveries().try_into().unwrap();
    let both = format!("{} {}", signature(new, &delivery), signature(HOOK_SECRET, &delivery));
    assert_eq!(
        (&delivery.body["type"], &delivery.headers["webhook-signature"]),
        (&json!("login.new_device"), &both)
    );
    let problems = problems(|name| {
        (name == "WEBHOOKS").then(|| json!([{"url": "http://a", "secret": "b"}]).to_string())
    });
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.starts_with("WEBHOOKS entry 0: ")));
}

#[test]
fn notices_hold_nothing_personal_on_their_way() {
    let world = listening();
    owner(&world);
    sign_in(&world, "push-token-of-the-stranger", None);
    // In the outbox, then in the queue.
    for secret in ["push-token-of-the-phone", PHONE, HOOK_SECRET, HOOK] {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
    world.run_alarms();
    assert_eq!(world.queue().len(), 2);
    for secret in ["push-token-of-the-phone", PHONE, HOOK_SECRET, HOOK] {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
    world.run_queue();
    let allowed: BTreeSet<&str> = ["account", "session", "device", "app"].into();
    for delivery in world.receivers.deliveries() {
        let data = delivery.body["data"].as_object().unwrap();
        assert!(data.keys().all(|name| allowed.contains(name.as_str())), "{data:?}");
        assert!(!delivery.text.contains("Shanghai") && !delivery.text.contains(&PHONE[3..]));
        assert_eq!(delivery.body.as_object().unwrap().len(), 4);
    }
    let text = &world.receivers.pushes()[0].text;
    assert!(!text.contains(&PHONE[7..]) && !text.contains("Shanghai"), "{text}");
}

#[test]
fn vendors_of_templates_need_one_for_notices() {
    let aliyun = |templates: Value| {
        json!([
            {"provider": "cmcc", "settings": {"appId": "300012345678", "appSecret": "s", "appKey": "0A1B2C3D4E5F60718293A4B5C6D7E8F9"}},
            {"provider": "aliyun_sms", "templates": templates,
             "settings": {"accessKeyId": "i", "accessKeySecret": "s", "signName": "n"}},
        ])
        .to_string()
    };
    let world = configured(vec![("PROVIDER_ACCOUNTS", aliyun(json!({"default": "SMS_1"})))]);
    sign_in(&world, "push-token-of-the-phone", None);
    world.tell();
    sign_in(&world, "push-token-of-the-stranger", None);
    assert_eq!(world.tell(), [Told::Done, Told::GivenUp("not_set_up")]);
}
