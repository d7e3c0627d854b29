//! E-mail addresses: proven by a code, bound, used with the password, and a proof of who is signed in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{
    Answer, Port, World,
    client::{device, device_with},
    configuration::accounts_and,
    sms::{Mood, code_in},
};

const PHONE: &str = "13800138000";
const OTHER: &str = "13900139000";
const ADDRESS: &str = "xiaoming@mail.example";
const OTHERS: &str = "daiyu@mail.example";
const GOOD: &str = "tnrkx-qumbelhof";
const BETTER: &str = "vlimp oster gandel";
const MINUTE: Duration = Duration::from_secs(60);

fn bearer(login: &Answer) -> &str {
    login.text("/session/accessToken")
}

fn send(world: &World, login: &Answer, address: &str, purpose: &str) -> Answer {
    let body = json!({"email": address, "purpose": purpose, "device": device()});
    world.post("/v1/otp/send", &body).bearer(bearer(login)).send()
}

fn bind(world: &World, login: &Answer, challenge: &str, code: &str) -> Answer {
    let body = json!({"challengeId": challenge, "code": code});
    world.post("/v1/account/identities/email", &body).bearer(bearer(login)).send()
}

/// Sends a code and binds the address with it.
fn bound(world: &World, login: &Answer, address: &str) -> Answer {
    let challenge = send(world, login, address, "bind").challenge();
    bind(world, login, &challenge, &world.phones.mailed_code(&address.to_lowercase()))
}

fn identities(world: &World, login: &Answer) -> Vec<(String, String)> {
    let list = world.get("/v1/account/identities").bearer(bearer(login)).send();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let identities = list.body["identities"].as_array().unwrap().iter();
    identities.map(|identity| (text(&identity["kind"]), text(&identity["value"]))).collect()
}

fn log_in(world: &World, identifier: &str, password: &str) -> Answer {
    let body = json!({"identifier": identifier, "password": password, "device": device()});
    world.post("/v1/password/login", &body).send()
}

fn set_password(world: &World, login: &Answer, password: &str) {
    let set = world.put("/v1/account/password", &json!({"newPassword": password})).bearer(bearer(login));
    assert_eq!(set.send().status, 204);
}

fn prove(world: &World, login: &Answer, challenge: &str, code: &str) -> Answer {
    let body = json!({"proof": {"type": "otp", "challengeId": challenge, "code": code}});
    world.post("/v1/session/proof", &body).bearer(bearer(login)).send()
}

/// The same session, later.
fn later(world: &World, login: &Answer, time: Duration) -> Answer {
    world.pass(time);
    world.post("/v1/session/refresh", &json!({"refreshToken": login.text("/session/refreshToken")})).send()
}

#[test]
fn an_address_is_bound_by_its_code_and_shown_masked() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    assert_eq!(bound(&world, &login, "XiaoMing@Mail.Example").status, 204);
    let phone = ("phone".to_owned(), "+86138****8000".to_owned());
    let email = ("email".to_owned(), "x***@mail.example".to_owned());
    assert_eq!(identities(&world, &login), [phone.clone(), email]);
    let export = world.get("/v1/account/export").bearer(bearer(&login)).send();
    assert_eq!(export.body["account"]["identities"][1]["value"], ADDRESS);
    world.run_alarms();
    world.pass(MINUTE);
    assert_eq!(bound(&world, &login, ADDRESS).status, 204, "mine already");
    let unbind = || world.delete("/v1/account/identities/email").bearer(bearer(&login)).send();
    assert_eq!((unbind().status, unbind().status), (204, 404));
    assert_eq!(identities(&world, &login), [phone]);
}

#[test]
fn one_password_for_number_address_and_name_and_the_old_one_nowhere() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let name = json!({"username": "xiaoming77"});
    let named = world.post("/v1/account/identities/username", &name).bearer(bearer(&login)).send();
    assert_eq!((named.status, bound(&world, &login, ADDRESS).status), (204, 204));
    set_password(&world, &login, GOOD);
    let identifiers = [PHONE, ADDRESS, " XIAOMING@mail.EXAMPLE ", "xiaoming77"];
    for identifier in identifiers {
        let answer = log_in(&world, identifier, GOOD).signed_in();
        assert_eq!(answer.body["account"]["id"], login.body["account"]["id"], "{identifier}");
        let session = world.get("/v1/session").bearer(bearer(&answer)).send();
        assert_eq!(session.body["amr"], json!(["pwd"]));
    }
    set_password(&world, &login, BETTER);
    for identifier in identifiers {
        log_in(&world, identifier, GOOD).is_problem(401, "invalid_credentials");
        log_in(&world, identifier, BETTER).signed_in();
    }
    // Nobody's password is their address.
    let weak =
        world.put("/v1/account/password", &json!({"newPassword": ADDRESS})).bearer(bearer(&login)).send();
    weak.is_problem(400, "invalid_request");
}

#[test]
fn the_mail_says_what_for_and_to_tell_nobody() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    for (language, subject, warning) in [
        ("zh-CN", "onetap绑定邮箱验证码", "切勿告诉他人"),
        ("en", "Your onetap new e-mail address code", "Tell nobody"),
    ] {
        let body = json!({"email": ADDRESS, "purpose": "bind", "device": device()});
        let ask = world.post("/v1/otp/send", &body).bearer(bearer(&login));
        let sent = ask.header("accept-language", language).send();
        sent.challenge();
        assert_eq!((&sent.body["expiresIn"], &sent.body["codeLength"]), (&json!(300), &json!(6)));
        let mail = world.phones.mails(ADDRESS).pop().unwrap();
        assert_eq!((mail.subject.as_str(), mail.provider), (subject, "resend"));
        assert!(mail.text.contains(warning) && mail.text.contains(&code_in(&mail.text)), "{}", mail.text);
        world.pass(MINUTE);
    }
}

#[test]
fn a_code_that_is_wrong_foreign_or_old_binds_nothing() {
    let world = World::new();
    let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    let challenge = send(&world, &mine, ADDRESS, "bind").challenge();
    let code = world.phones.mailed_code(ADDRESS);
    let wrong = if code.starts_with('0') { "100000" } else { "000000" };
    bind(&world, &mine, &challenge, wrong).is_problem(401, "otp_incorrect");
    bind(&world, &other, &challenge, &code).is_problem(401, "otp_incorrect");
    bind(&world, &mine, "och_k1.AAAA", &code).is_problem(401, "otp_incorrect");
    prove(&world, &mine, &challenge, &code).is_problem(401, "otp_incorrect");
    assert_eq!(identities(&world, &mine).len(), 1);
    assert_eq!(bind(&world, &mine, &challenge, &code).status, 204);
    bind(&world, &mine, &challenge, &code).is_problem(401, "otp_incorrect");
    // Five guesses, and five minutes.
    let challenge = send(&world, &other, OTHERS, "bind").challenge();
    let code = world.phones.mailed_code(OTHERS);
    let wrong = if code.starts_with('0') { "100000" } else { "000000" };
    for _ in 0..5 {
        bind(&world, &other, &challenge, wrong).is_problem(401, "otp_incorrect");
    }
    bind(&world, &other, &challenge, &code).is_problem(401, "otp_incorrect");
    world.pass(10 * MINUTE);
    let other = world.login(OTHER).signed_in();
    let challenge = send(&world, &other, OTHERS, "bind").challenge();
    world.pass(5 * MINUTE);
    let code = world.phones.mailed_code(OTHERS);
    bind(&world, &other, &challenge, &code).is_problem(401, "otp_incorrect");
    assert_eq!(identities(&world, &other).len(), 1);
}

#[test]
fn an_address_of_somebody_else_is_in_use_and_nothing_else_is_said() {
    let world = World::new();
    let (mine, other) = (world.login(PHONE).signed_in(), world.login(OTHER).signed_in());
    let trace = |login: &Answer, address: &str| {
        world.faults.take_trace();
        let mut sent = send(&world, login, address, "bind");
        sent.challenge();
        let body = sent.body.as_object_mut().unwrap();
        body.remove("challengeId");
        (world.faults.take_trace(), sent.body)
    };
    assert_eq!(bound(&world, &mine, ADDRESS).status, 204);
    world.pass(MINUTE);
    assert_eq!(trace(&other, ADDRESS), trace(&other, OTHERS), "who has it shows in nothing");
    world.pass(MINUTE);
    let refused = |login: &Answer, address: &str| {
        let mut answer = bound(&world, login, address);
        answer.is_problem(409, "identity_in_use");
        answer.body.as_object_mut().unwrap().remove("requestId");
        answer.body
    };
    let taken = refused(&other, ADDRESS);
    world.pass(MINUTE);
    assert_eq!(taken, refused(&mine, OTHERS), "as for a second address of one's own");
    world.pass(MINUTE);
    assert_eq!(bound(&world, &other, OTHERS).status, 204);
    world.run_alarms();
    assert_eq!(identities(&world, &mine)[1].1, "x***@mail.example");
}

#[test]
fn binding_takes_a_fresh_proof_and_an_address_that_is_bound_is_one() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    assert_eq!(bound(&world, &login, ADDRESS).status, 204);
    let login = later(&world, &login, Duration::from_secs(601));
    let challenge = send(&world, &login, OTHERS, "bind").challenge();
    let others = world.phones.mailed_code(OTHERS);
    let refused = bind(&world, &login, &challenge, &others);
    refused.is_problem(403, "reauthentication_required");
    assert_eq!(refused.body["proofs"], json!(["one_tap", "number_check", "otp", "email"]));
    // An address that is not the account's proves nothing.
    let strange = send(&world, &login, "nobody@mail.example", "step_up").challenge();
    let code = world.phones.mailed_code("nobody@mail.example");
    prove(&world, &login, &strange, &code).is_problem(403, "proof_failed");
    let own = send(&world, &login, ADDRESS, "step_up").challenge();
    let code = world.phones.mailed_code(ADDRESS);
    bind(&world, &login, &own, &code).is_problem(403, "reauthentication_required");
    assert_eq!(prove(&world, &login, &own, &code).status, 204);
    // The code that was refused for want of a proof was not spent.
    bind(&world, &login, &challenge, &others).is_problem(409, "identity_in_use");
    assert_eq!(world.delete("/v1/account/identities/email").bearer(bearer(&login)).send().status, 204);
    // It is a proof for ten minutes, and no way in.
    let session = world.get("/v1/session?fresh=true").bearer(bearer(&login)).send();
    assert_eq!(session.body["amr"], json!(["one_tap"]));
    let login = later(&world, &login, Duration::from_secs(601));
    let export = world.get("/v1/account/export").bearer(bearer(&login)).send();
    export.is_problem(403, "reauthentication_required");
    assert_eq!(export.body["proofs"], json!(["one_tap", "number_check", "otp"]));
}

#[test]
fn what_a_request_needs_is_said() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let ask = |body: &Value| world.post("/v1/otp/send", body).bearer(bearer(&login)).send();
    let fields = |answer: &Answer| -> Vec<String> {
        answer.is_problem(400, "invalid_request");
        let fields = answer.body["fields"].as_array().unwrap().iter();
        fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    };
    let both = json!({"email": ADDRESS, "phone": PHONE, "purpose": "bind", "device": device()});
    let neither = json!({"purpose": "bind", "device": device()});
    assert_eq!(fields(&ask(&both)), ["phone", "email"]);
    assert_eq!(fields(&ask(&neither)), ["phone", "email"]);
    for address in ["xiaoming", "a@b", "a b@c.example", &format!("{}@mail.example", "a".repeat(300))] {
        assert_eq!(fields(&send(&world, &login, address, "bind")), ["email"]);
    }
    // Mail takes no account over.
    for purpose in ["login", "reset_password", "change_phone", "trusted_phone", "real_name"] {
        assert_eq!(fields(&send(&world, &login, ADDRESS, purpose)), ["purpose"], "{purpose}");
    }
    assert_eq!(fields(&ask(&json!({"email": ADDRESS, "device": device()}))), ["purpose"]);
    let ticket = json!({"email": ADDRESS, "purpose": "step_up", "ticket": "x", "device": device()});
    assert_eq!(fields(&ask(&ticket)), ["ticket"]);
    let strange = json!({"email": ADDRESS, "purpose": "bind", "app": "nobody", "device": device()});
    assert_eq!(fields(&ask(&strange)), ["app"]);
    for purpose in ["bind", "step_up"] {
        let body = json!({"email": ADDRESS, "purpose": purpose, "device": device()});
        world.post("/v1/otp/send", &body).send().is_problem(401, "unauthenticated");
    }
    let path = "/v1/account/identities/email";
    assert_eq!(fields(&world.post(path, &json!({})).bearer(bearer(&login)).send()), ["challengeId", "code"]);
    world.post(path, &json!({"challengeId": "x", "code": "1"})).send().is_problem(401, "unauthenticated");
    assert_eq!(world.phones.all(), []);
}

#[test]
fn a_code_for_an_address_proves_no_number_and_the_reverse() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let challenge = send(&world, &login, ADDRESS, "bind").challenge();
    let code = world.phones.mailed_code(ADDRESS);
    world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    let proof = json!({"type": "otp", "challengeId": challenge, "code": code});
    let reset = json!({"numberProof": proof, "newPassword": GOOD, "device": device()});
    world.post("/v1/password/reset", &reset).send().is_problem(401, "otp_incorrect");
    let body = json!({"phone": OTHER, "purpose": "bind", "device": device()});
    let number = world.post("/v1/otp/send", &body).bearer(bearer(&login)).send().challenge();
    bind(&world, &login, &number, &world.phones.code(OTHER)).is_problem(401, "otp_incorrect");
    assert_eq!(bind(&world, &login, &challenge, &code).status, 204, "none of this was a try");
}

#[test]
fn addresses_have_the_limits_of_numbers_and_leave_sms_its_own() {
    let set = |name: &str| (name == "OTP_DEPLOYMENT_SHORT").then(|| "100".to_owned());
    let world = World::with(set);
    let login = world.login(PHONE).signed_in();
    let from = |nth: usize, address: &str| {
        let body = json!({"email": address, "purpose": "bind", "device": device()});
        let ask = world.post("/v1/otp/send", &body).bearer(bearer(&login));
        ask.from(&format!("198.51.{}.{}", nth % 250, nth / 250)).send()
    };
    from(0, ADDRESS).challenge();
    for nth in 1..30 {
        from(nth, "XiaoMing@mail.example").is_problem(429, "rate_limited");
    }
    assert_eq!(world.phones.mails(ADDRESS).len(), 1);
    // One network asks for many people.
    let own_network = |nth: usize| send(&world, &login, &format!("p{nth}@mail.example"), "bind").status;
    assert!((0..60).map(own_network).any(|status| status == 429));
    for nth in 0..150 {
        from(nth, &format!("q{nth}@mail.example"));
    }
    let mails = world.phones.all().iter().filter(|message| message.to.contains('@')).count();
    assert_eq!(mails, 100, "the deployment's");
    world.send_otp(OTHER).from("192.0.2.1").send().challenge();
}

#[test]
fn one_vendor_refuses_and_the_next_delivers_once_and_a_doubt_ends_it() {
    for (mood, vendors) in [
        (Mood::Refuses, vec!["aliyun_email"]),
        (Mood::WantsMoney, vec!["aliyun_email"]),
        (Mood::IsDown, vec!["aliyun_email"]),
        (Mood::TakesAndHangs, vec!["resend"]),
        (Mood::TakesAndMumbles, vec!["resend"]),
        (Mood::TakesAndBreaksOff, vec!["resend"]),
    ] {
        let world = World::new();
        let login = world.login(PHONE).signed_in();
        world.phones.set_mood("resend", Some(mood));
        assert_eq!(bound(&world, &login, ADDRESS).status, 204, "{mood:?}");
        let by: Vec<_> = world.phones.mails(ADDRESS).iter().map(|mail| mail.provider).collect();
        assert_eq!(by, vendors, "{mood:?}");
        let asked = world.metrics();
        assert!(asked.iter().any(|call| (call.provider.as_str(), call.capability) == ("resend", "email")));
    }
}

#[test]
fn where_nobody_delivers_that_is_said_and_costs_nothing() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    world.phones.set_mood("resend", Some(Mood::Refuses));
    for mood in [Mood::Refuses, Mood::Blacklists] {
        world.phones.set_mood("aliyun_email", Some(mood));
        let answer = send(&world, &login, ADDRESS, "bind");
        answer.is_problem(503, "email_unavailable");
        assert_eq!(answer.body.get("fallback"), None);
    }
    world.phones.set_mood("aliyun_email", None);
    assert_eq!(bound(&world, &login, ADDRESS).status, 204, "at once");
    // Without an account with any of them, and with one that speaks templates.
    let shop = json!({"credential": {"provider": "cmcc", "token": world.providers.token(OTHER)},
        "device": device(), "app": "shop"});
    let shop = world.post("/v1/one-tap/login", &shop).send().signed_in();
    let body = json!({"email": OTHERS, "purpose": "bind", "app": "shop", "device": device()});
    let none = world.post("/v1/otp/send", &body).bearer(bearer(&shop)).send();
    none.is_problem(503, "email_unavailable");
}

#[test]
fn a_repeat_sends_one_message_and_binds_once() {
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let body =
        json!({"email": ADDRESS, "purpose": "bind", "device": device_with(login.text("/device/token"))});
    let key = "Zk7Qp2LmXw9TbR4sVn6YcA";
    let ask = || world.post("/v1/otp/send", &body).bearer(bearer(&login)).key(key).send();
    let (first, second) = (ask().challenge(), ask().challenge());
    assert_eq!((&first, world.phones.mails(ADDRESS).len()), (&second, 1));
    let body = json!({"challengeId": first, "code": world.phones.mailed_code(ADDRESS)});
    let bind = || {
        let ask = world.post("/v1/account/identities/email", &body).bearer(bearer(&login));
        ask.key(key).send().status
    };
    assert_eq!((bind(), bind()), (204, 204));
    // What breaks between the code and the account is mended by a repeat.
    let world = World::new();
    let login = world.login(PHONE).signed_in();
    let challenge = send(&world, &login, ADDRESS, "bind").challenge();
    let body = json!({"challengeId": challenge, "code": world.phones.mailed_code(ADDRESS)});
    let bind = || {
        let ask = world.post("/v1/account/identities/email", &body).bearer(bearer(&login));
        ask.key(key).try_send()
    };
    world.faults.break_call(Port::Account, 1, crate::world::Broken::DiesBefore);
    assert!(bind().is_none());
    world.faults.mend();
    assert_eq!(bind().map(|answer| answer.status), Some(204));
}

#[test]
fn a_developer_reads_the_code_on_the_console() {
    let world = World::with(|name| match name {
        "ENVIRONMENT" => Some("development".to_owned()),
        "SMS_CONSOLE" => Some("true".to_owned()),
        "PROVIDER_ACCOUNTS" => Some(accounts_and(&[])),
        _ => None,
    });
    let login = world.login(PHONE).signed_in();
    let challenge = send(&world, &login, ADDRESS, "bind").challenge();
    assert_eq!(world.phones.mails(ADDRESS), []);
    assert_eq!(bind(&world, &login, &challenge, &code_in(&world.shown()[0])).status, 204);
}
