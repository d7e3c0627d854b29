//! Lost answers: whatever step breaks, the client that repeats itself arrives, and nothing happens twice.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{PHONE, not, send};
use crate::world::{
    Broken, Port, World,
    client::{device, device_with},
    faults::ALL_WAYS,
    objects::Kind,
    sms::{Mood, code_in},
};

const KEY: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";
const OTHER_KEY: &str = "Yk7Qp2LmXw9TbR4sVn6YcB";

fn breaks(trace: &[Port]) -> Vec<(Port, usize, Broken)> {
    let mut breaks = Vec::new();
    for (at, port) in trace.iter().enumerate() {
        let nth = trace[..at].iter().filter(|earlier| *earlier == port).count();
        match port {
            Port::AddressLimiter | Port::Metrics => {}
            Port::Entropy => breaks.push((*port, nth, Broken::Before)),
            _ => breaks.extend(ALL_WAYS.map(|way| (*port, nth, way))),
        }
    }
    breaks
}

#[test]
fn a_repeated_send_is_the_same_code_once() {
    let world = World::new();
    let first = world.send_otp(PHONE).key(KEY).send();
    world.pass(Duration::from_secs(20));
    let again = world.send_otp(PHONE).key(KEY).send();
    assert_eq!(again.challenge(), first.challenge());
    assert_eq!((&again.body["expiresIn"], &again.body["resendIn"]), (&json!(280), &json!(40)));
    assert_eq!(world.phones.texts(PHONE).len(), 1);
    // The same key for another request is a mistake of the client.
    let other = json!({"phone": PHONE, "device": device(), "purpose": "reset_password"});
    world.post("/v1/otp/send", &other).key(KEY).send().is_problem(422, "idempotency_conflict");
    // Without a key, or with another, it is another request: too soon.
    for ask in [world.send_otp(PHONE), world.send_otp(PHONE).key(OTHER_KEY)] {
        let answer = ask.send();
        answer.is_problem(429, "rate_limited");
        assert_eq!(answer.body["retryAfter"], 40);
    }
}

#[test]
fn a_repeat_while_the_first_is_sending_waits() {
    let world = World::new();
    world.faults.break_call(Port::Http, 0, Broken::DiesAfter);
    assert!(world.send_otp(PHONE).key(KEY).try_send().is_none());
    world.faults.mend();
    let running = world.send_otp(PHONE).key(KEY).send();
    running.is_problem(503, "try_again");
    assert_eq!(running.body["retryAfter"], 1);
    // The first is over by now, and the message may well have arrived.
    world.pass(Duration::from_secs(11));
    let challenge = world.send_otp(PHONE).key(KEY).send().challenge();
    assert_eq!(world.phones.texts(PHONE).len(), 1);
    world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
}

#[test]
fn a_repeated_login_is_the_same_session() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    let first = world.otp_login(&challenge, &code).key(KEY).send().signed_in();
    world.pass(Duration::from_secs(119));
    let again = world.otp_login(&challenge, &code).key(KEY).send().signed_in();
    for same in ["/account/id", "/session/id", "/session/refreshToken", "/device/id", "/device/token"] {
        assert_eq!(again.text(same), first.text(same), "{same}");
    }
    assert_eq!(again.body["account"]["isNew"], true);
    let mut other = json!({"challengeId": challenge, "code": code, "device": device_with("odt_x")});
    world.post("/v1/otp/login", &other).key(KEY).send().is_problem(422, "idempotency_conflict");
    // Whoever else has challenge and code has nothing.
    other["device"] = device();
    world.post("/v1/otp/login", &other).send().is_problem(401, "otp_incorrect");
    world.post("/v1/otp/login", &other).key(OTHER_KEY).send().is_problem(401, "otp_incorrect");
    // After two minutes nobody repeats any more.
    world.pass(Duration::from_secs(2));
    world.otp_login(&challenge, &code).key(KEY).send().is_problem(401, "otp_incorrect");
}

#[test]
fn a_code_typed_at_the_last_moment_can_still_be_repeated() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    world.pass(Duration::from_secs(299));
    let first = world.otp_login(&challenge, &code).key(KEY).send().signed_in();
    world.pass(Duration::from_secs(5));
    let again = world.otp_login(&challenge, &code).key(KEY).send().signed_in();
    assert_eq!(again.text("/session/id"), first.text("/session/id"));
    // But not typed for the first time.
    world.otp_login(&challenge, &code).key(OTHER_KEY).send().is_problem(401, "otp_incorrect");
}

#[test]
fn a_repeated_wrong_guess_is_one_guess() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    for _ in 0..20 {
        world.otp_login(&challenge, not(&code)).key(KEY).send().is_problem(401, "otp_incorrect");
    }
    // The key does not carry over to another code, which would be a free guess.
    world.otp_login(&challenge, &code).key(KEY).send().is_problem(422, "idempotency_conflict");
    world.otp_login(&challenge, &code).key(OTHER_KEY).send().signed_in();
}

#[test]
fn whatever_step_of_a_send_breaks_the_repeat_arrives_and_nobody_gets_two_codes() {
    let clean = World::new();
    clean.send_otp(PHONE).key(KEY).send().challenge();
    for (port, nth, way) in breaks(&clean.faults.take_trace()) {
        let what = format!("{port:?} {nth} {way:?}");
        let world = World::new();
        world.faults.break_call(port, nth, way);
        let _ = world.send_otp(PHONE).key(KEY).try_send();
        world.faults.mend();
        world.pass(Duration::from_secs(11));
        let again = world.send_otp(PHONE).key(KEY).send();
        let challenge = match again.status {
            202 => again.challenge(),
            // Whoever asked died between two steps.
            _ => {
                again.is_problem(429, "rate_limited");
                world.pass(Duration::from_secs(60));
                world.send_otp(PHONE).key(OTHER_KEY).send().challenge()
            }
        };
        let texts = world.phones.texts(PHONE);
        if texts.is_empty() {
            // It died before the provider was asked, and counts as sent: another code after the usual wait.
            world.pass(Duration::from_secs(60));
            let (challenge, code) = send(&world, PHONE);
            world.otp_login(&challenge, &code).send().signed_in();
            continue;
        }
        // One code, unless the client was told that there is none and asked for another.
        let codes: BTreeSet<String> = texts.iter().map(|text| code_in(text)).collect();
        assert_eq!(codes.len(), if again.status == 202 { 1 } else { 2 }, "{what}");
        // A vendor that could not be reached may have been, and then the next one brings the same code again.
        let twice = usize::from((port, way) == (Port::Http, Broken::AnswerLost));
        assert_eq!(texts.len(), codes.len() + twice, "{what}");
        world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
    }
}

#[test]
fn whatever_step_of_a_login_breaks_the_repeat_is_in() {
    let clean = World::new();
    let (challenge, code) = send(&clean, PHONE);
    clean.faults.take_trace();
    clean.otp_login(&challenge, &code).key(KEY).send().signed_in();
    for (port, nth, way) in breaks(&clean.faults.take_trace()) {
        let what = format!("{port:?} {nth} {way:?}");
        let world = World::new();
        let (challenge, code) = send(&world, PHONE);
        world.faults.break_call(port, nth, way);
        let first = world.otp_login(&challenge, &code).key(KEY).try_send();
        world.faults.mend();
        world.pass(Duration::from_secs(3));
        let again = world.otp_login(&challenge, &code).key(KEY).send().signed_in();
        if let Some(first) = first.filter(|first| first.status == 200) {
            assert_eq!(first.text("/session/id"), again.text("/session/id"), "{what}");
        }
        let accounts = world.objects.states(Kind::Account);
        assert_eq!(accounts.len(), 1, "{what}");
        let sessions = accounts.values().next().unwrap()["state"]["sessions"].as_array().unwrap().len();
        assert_eq!(sessions, 1, "{what}");
        world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    }
}

#[test]
fn one_lost_answer_about_a_code_is_made_up_for() {
    for way in [Broken::Before, Broken::AnswerLost] {
        let world = World::new();
        let (challenge, code) = send(&world, PHONE);
        world.faults.break_call(Port::Handle, 0, way);
        world.otp_login(&challenge, &code).send().signed_in();
        world.otp_login(&challenge, &code).send().is_problem(401, "otp_incorrect");
    }
}

#[test]
fn a_repeat_is_answered_when_nothing_is_left_of_the_budget() {
    let world = World::with(|name| (name == "OTP_ADDRESS_SHORT").then(|| "1".to_owned()));
    let first = world.send_otp(PHONE).key(KEY).send();
    let again = world.send_otp(PHONE).key(KEY).send();
    assert_eq!(again.challenge(), first.challenge());
    world.send_otp(super::OTHER).key(OTHER_KEY).send().is_problem(429, "rate_limited");
}

#[test]
fn a_lost_answer_of_the_number_costs_neither_the_code_nor_the_minute() {
    for nth in 0..2 {
        for way in [Broken::Before, Broken::AnswerLost] {
            let world = World::new();
            world.faults.break_call(Port::Handle, nth, way);
            let challenge = world.send_otp(PHONE).send().challenge();
            assert_eq!(world.phones.texts(PHONE).len(), 1, "{nth} {way:?}");
            world.otp_login(&challenge, &world.phones.code(PHONE)).send().signed_in();
        }
    }
    // Lost for good: no code, and no wait either.
    for way in [Broken::Before, Broken::AnswerLost] {
        let world = World::new();
        for nth in 0..2 {
            world.faults.break_call(Port::Handle, nth, way);
        }
        world.send_otp(PHONE).send().is_problem(500, "internal");
        assert_eq!(world.phones.all(), []);
        world.send_otp(PHONE).send().challenge();
    }
}

#[test]
fn what_failed_first_is_what_the_client_hears() {
    let world = World::new();
    for provider in ["chuanglan_sms", "twilio"] {
        world.phones.set_mood(provider, Some(Mood::Refuses));
    }
    // Taking the code back fails twice as well.
    for nth in [1, 2] {
        world.faults.break_call(Port::Handle, nth, Broken::Before);
    }
    world.send_otp(PHONE).send().is_problem(503, "sms_unavailable");
    assert_eq!(world.passed_over().len(), 1);
}

#[test]
fn a_repeat_needs_no_second_bot_check() {
    let world = World::new();
    let mut body = json!({"phone": PHONE, "device": device(), "captchaToken": crate::world::sms::HUMAN});
    body["device"]["platform"] = json!("web");
    let first = world.post("/v1/otp/send", &body).key(KEY).send();
    // As the vendor has it: a token counts once.
    world.phones.set_mood("turnstile", Some(crate::world::sms::Mood::Refuses));
    let again = world.post("/v1/otp/send", &body).key(KEY).send();
    assert_eq!(again.challenge(), first.challenge());
    assert_eq!((world.phones.asked("turnstile"), world.phones.texts(PHONE).len()), (1, 1));
    body["purpose"] = json!("reset_password");
    world.post("/v1/otp/send", &body).key(KEY).send().is_problem(422, "idempotency_conflict");
}
