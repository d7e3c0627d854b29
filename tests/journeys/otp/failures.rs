//! Guessing: failures survive resends, waits grow, there is an end, and none of it is a weapon against the owner.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PHONE, not, send};
use crate::world::{
    World,
    client::{device, device_with},
    sms::HUMAN,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Guesses until this challenge takes no more; returns how many counted.
fn guess_out(world: &World, challenge: &str, code: &str) -> usize {
    let failures = |world: &World| -> u64 {
        let states = world.objects.states(crate::world::objects::Kind::Handle);
        let lane = |name: &str| {
            states
                .values()
                .map(|state| state["state"]["otp"][name]["failures"].as_u64().unwrap_or(0))
                .sum::<u64>()
        };
        lane("strangers") + lane("own_devices")
    };
    let before = failures(world);
    for _ in 0..20 {
        world.otp_login(challenge, not(code)).send().is_problem(401, "otp_incorrect");
    }
    usize::try_from(failures(world) - before).unwrap()
}

/// A stranger guesses as long as it can: waits as told, sends again, guesses again. Returns the guesses that counted.
fn exhaust(world: &World) -> usize {
    let mut guesses = 0;
    for _ in 0..200 {
        let sent = world.send_otp(PHONE).send();
        if sent.status == 202 {
            let code = world.phones.code(PHONE);
            guesses += guess_out(world, &sent.challenge(), &code);
            world.otp_login(&sent.challenge(), &code).send().is_problem(401, "otp_incorrect");
            continue;
        }
        sent.is_problem(429, "rate_limited");
        let seconds = sent.body["retryAfter"].as_u64().unwrap();
        if seconds > 86_400 {
            break;
        }
        world.pass(Duration::from_secs(seconds));
    }
    guesses
}

#[test]
fn over_all_resends_the_guesses_stay_within_the_budget() {
    let world = World::new();
    assert_eq!(exhaust(&world), 30);
    // Stopped: for a week after the last failure nothing is sent to strangers.
    let answer = world.send_otp(PHONE).send();
    answer.is_problem(429, "rate_limited");
    let seconds = answer.body["retryAfter"].as_u64().unwrap();
    assert!(seconds > 6 * 86_400 && seconds <= 7 * 86_400, "{seconds}");
    world.pass(Duration::from_secs(seconds));
    send(&world, PHONE);
}

#[test]
fn the_waits_grow() {
    let world = World::new();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let (challenge, code) = send(&world, PHONE);
        guess_out(&world, &challenge, &code);
        let answer = world.send_otp(PHONE).send();
        waits.push(answer.body["retryAfter"].as_u64().unwrap());
        world.pass(HOUR);
    }
    // 5 failures: the usual minute; 10: 30 s, hidden by the minute; 15: 30 s doubled five times; then the longest.
    assert_eq!(waits, [60, 60, 960, 3600, 3600]);
}

#[test]
fn a_right_code_ends_the_row() {
    let world = World::new();
    for _ in 0..4 {
        let (challenge, code) = send(&world, PHONE);
        for _ in 0..4 {
            world.otp_login(&challenge, not(&code)).send();
        }
        world.otp_login(&challenge, &code).send().signed_in();
        world.pass(HOUR);
    }
    // Sixteen failures, but never more than four in a row: no wait but the usual.
    send(&world, PHONE);
}

#[test]
fn who_exhausts_a_numbers_budget_does_not_keep_its_owners_device_out() {
    let world = World::new();
    let token = world.login(PHONE).signed_in().text("/device/token").to_owned();
    world.run_alarms();
    exhaust(&world);
    let own = json!({"phone": PHONE, "device": device_with(&token)});
    let sent = world.post("/v1/otp/send", &own).send();
    let code = world.phones.code(PHONE);
    let login = |challenge: &str, code: &str, device: &Value| {
        world.post("/v1/otp/login", &json!({"challengeId": challenge, "code": code, "device": device})).send()
    };
    let signed_in = login(&sent.challenge(), &code, &device_with(&token)).signed_in();
    assert_eq!(signed_in.body["device"].get("token"), None);
    // A device of somebody else's account is a stranger here.
    let foreign = world.login("13900139000").signed_in().text("/device/token").to_owned();
    world.run_alarms();
    let foreign = json!({"phone": PHONE, "device": device_with(&foreign)});
    world.post("/v1/otp/send", &foreign).send().is_problem(429, "rate_limited");
    // Nor does the stranger's newest code take the place of the owner's, or the reverse.
    world.pass(HOUR);
    let own = world.post("/v1/otp/send", &own).send();
    let own_code = world.phones.code(PHONE);
    world.send_otp(PHONE).send();
    login(&own.challenge(), &own_code, &device_with(&token)).signed_in();
    // And one-tap never minds.
    world.login(PHONE).signed_in();
}

#[test]
fn a_person_gets_past_the_stop_but_not_past_the_end() {
    let world = World::new();
    exhaust(&world);
    world.pass(HOUR);
    let mut web = device();
    web["platform"] = json!("web");
    let ask = |captcha: Option<String>| {
        let mut body = json!({"phone": PHONE, "device": web});
        body["captchaToken"] = json!(captcha);
        world.post("/v1/otp/send", &body).send()
    };
    ask(None).is_problem(403, "bot_check_required");
    ask(Some("made up".to_owned())).is_problem(403, "bot_check_required");
    let sent = ask(Some(HUMAN.to_owned()));
    let code = world.phones.code(PHONE);
    assert_eq!(guess_out(&world, &sent.challenge(), &code), 5);
    // Persons guess too: 45 in all, then it is over for them as well.
    let mut guesses = 35;
    for nth in 0..20 {
        world.pass(6 * HOUR);
        let sent = ask(Some(format!("{HUMAN}-{nth}")));
        if sent.status != 202 {
            sent.is_problem(429, "rate_limited");
            break;
        }
        let code = world.phones.code(PHONE);
        guesses += guess_out(&world, &sent.challenge(), &code);
    }
    assert_eq!(guesses, 45);
}

#[test]
fn the_owners_own_proof_takes_back_what_strangers_guessed_once_a_week() {
    let world = World::new();
    exhaust(&world);
    world.pass(HOUR);
    world.send_otp(PHONE).send().is_problem(429, "rate_limited");
    world.login(PHONE).signed_in();
    world.run_alarms();
    send(&world, PHONE);
    // Not again and again: else who guesses had thirty tries for each sign-in of the owner.
    assert_eq!(exhaust(&world), 30);
    world.pass(HOUR);
    world.login(PHONE).signed_in();
    world.run_alarms();
    world.send_otp(PHONE).send().is_problem(429, "rate_limited");
    world.pass(8 * 24 * HOUR);
    send(&world, PHONE);
}

#[test]
fn a_person_need_not_sit_out_the_growing_wait() {
    let world = World::new();
    let mut web = device();
    web["platform"] = json!("web");
    let ask = |captcha: Option<&str>| {
        let body = json!({"phone": PHONE, "device": web, "captchaToken": captcha});
        world.post("/v1/otp/send", &body).send()
    };
    for _ in 0..4 {
        let sent = ask(None);
        guess_out(&world, &sent.challenge(), &world.phones.code(PHONE));
        // The usual minute is for everybody.
        let soon = ask(None);
        soon.is_problem(429, "rate_limited");
        assert_eq!(soon.body["retryAfter"], 60);
        world.pass(Duration::from_secs(60));
        if world.phones.texts(PHONE).len() > 2 {
            // From here on programs wait for up to an hour, and persons show that they are some.
            ask(None).is_problem(403, "bot_check_required");
            assert!(world.send_otp(PHONE).send().body["retryAfter"].as_u64().unwrap() > 600);
            let sent = ask(Some(HUMAN));
            world.otp_login(&sent.challenge(), &world.phones.code(PHONE)).send().signed_in();
            return;
        }
    }
    panic!("no wait grew");
}

#[test]
fn a_person_who_knows_the_code_lifts_the_stop() {
    let world = World::new();
    exhaust(&world);
    world.pass(HOUR);
    let mut web = device();
    web["platform"] = json!("web");
    let body = json!({"phone": PHONE, "device": web, "captchaToken": HUMAN});
    let sent = world.post("/v1/otp/send", &body).send();
    world.otp_login(&sent.challenge(), &world.phones.code(PHONE)).send().signed_in();
    world.pass(6 * HOUR);
    send(&world, PHONE);
}

#[test]
fn dangerous_limits_are_refused() {
    use onetap::rules::limits::Limits;
    for (name, value) in [
        ("OTP_CODE_DIGITS", "4"),
        ("OTP_LIFETIME_SECONDS", "601"),
        ("OTP_TRIES", "11"),
        ("OTP_STOP_FAILURES", "46"),
        ("OTP_STOP_FAILURES_CHECKED", "50"),
        ("OTP_NUMBER_SHORT", "0"),
        ("OTP_RESEND_SECONDS", "1"),
        // Each of these in its range, but not beside the others.
        ("OTP_RESEND_SECONDS", "301"),
        ("OTP_STOP_FAILURES_CHECKED", "29"),
        ("OTP_FREE_FAILURES", "31"),
        ("OTP_NUMBER_LONG", "4"),
        ("PUMPING_PREFIX_STOP_PERCENT", "41"),
        ("PUMPING_STOP_LETS_ONE_IN", "3"),
    ] {
        let problems = Limits::read(|asked| (asked == name).then(|| value.to_owned()), false).unwrap_err();
        assert_eq!(problems.len(), 1, "{name}");
        assert!(problems[0].contains(name), "{problems:?}");
    }
}
