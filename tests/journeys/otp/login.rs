//! Signing in with a code, and all the ways in which a code is not the right one.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{OTHER, PHONE, not, send};
use crate::world::{Answer, Port, World, client::device};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_code_leads_to_a_session_and_the_first_one_makes_the_account() {
    let world = World::new();
    let sent = world.send_otp(PHONE).header("accept-language", "zh-CN").send();
    assert_eq!(sent.status, 202);
    assert_eq!(sent.body["expiresIn"], 300);
    assert_eq!(sent.body["resendIn"], 60);
    assert_eq!(sent.body["codeLength"], 6);
    let first = world.otp_login(sent.text("/challengeId"), &world.phones.code(PHONE)).send().signed_in();
    assert_eq!(first.body["account"]["isNew"], true);
    assert_eq!(first.body["account"]["phone"], "+86138****8000");
    let session = world.get("/v1/session?fresh=true").bearer(first.text("/session/accessToken")).send();
    assert_eq!(session.body["amr"], json!(["otp"]));

    world.pass(MINUTE);
    let (challenge, code) = send(&world, PHONE);
    let second = world.otp_login(&challenge, &code).send().signed_in();
    assert_eq!(second.body["account"]["isNew"], false);
    assert_eq!(second.text("/account/id"), first.text("/account/id"));
    // The same account as by one-tap.
    assert_eq!(world.login(PHONE).signed_in().text("/account/id"), first.text("/account/id"));
}

#[test]
fn the_message_says_what_for_and_browsers_can_read_it() {
    let world = World::new();
    world.send_otp(PHONE).header("accept-language", "zh-CN").send().challenge();
    let text = world.phones.texts(PHONE).remove(0);
    let code = world.phones.code(PHONE);
    assert!(text.starts_with('【') && text.contains("验证码") && text.contains("登录"), "{text}");
    assert_eq!(text.lines().last().unwrap(), format!("@login.example #{code}"));
    assert!(text.encode_utf16().count() <= 70, "{text}");
    world.pass(MINUTE);
    world.send_otp(PHONE).header("accept-language", "en").send().challenge();
    let text = world.phones.texts(PHONE).remove(1);
    assert!(text.contains("code. Tell nobody.") && text.encode_utf16().count() <= 70, "{text}");
}

#[test]
fn typed_as_people_type() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    let (left, right) = code.split_at(3);
    world.otp_login(&challenge, &format!(" {left} {right}")).send().signed_in();
}

/// What a client sees, but for the id of the request.
fn seen(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("requestId");
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    json!([answer.status, body, headers])
}

#[test]
fn every_wrong_way_looks_the_same() {
    let world = World::new();
    let mut answers = Vec::new();
    let mut refused = |what: &str, answer: Answer| {
        answer.is_problem(401, "otp_incorrect");
        answers.push((what.to_owned(), seen(&answer)));
    };
    // Wrong, then used.
    let (challenge, code) = send(&world, PHONE);
    refused("wrong", world.otp_login(&challenge, not(&code)).send());
    refused("no digits", world.otp_login(&challenge, "abcdef").send());
    world.otp_login(&challenge, &code).send().signed_in();
    refused("used", world.otp_login(&challenge, &code).send());
    // Superseded.
    let (old, old_code) = send(&world, OTHER);
    world.pass(MINUTE);
    let (newest, newest_code) = send(&world, OTHER);
    refused("superseded", world.otp_login(&old, &old_code).send());
    // Out of tries.
    for _ in 0..5 {
        refused("guessing", world.otp_login(&newest, not(&newest_code)).send());
    }
    refused("out of tries", world.otp_login(&newest, &newest_code).send());
    // Expired: to the millisecond.
    world.pass(MINUTE);
    let (expired, expired_code) = send(&world, OTHER);
    world.pass(5 * MINUTE);
    refused("expired", world.otp_login(&expired, &expired_code).send());
    // Another purpose, another app.
    let session = world.login(PHONE).signed_in();
    let bind = json!({"phone": "13700137000", "purpose": "bind", "device": device()});
    let bind = world.post("/v1/otp/send", &bind).bearer(session.text("/session/accessToken")).send();
    let code = world.phones.code("13700137000");
    refused("other purpose", world.otp_login(&bind.challenge(), &code).send());
    let (challenge, code) = send(&world, "13600136000");
    let mut other_app = json!({"challengeId": challenge, "code": code, "device": device(), "app": "shop"});
    refused("other app", world.post("/v1/otp/login", &other_app).send());
    other_app["app"] = json!("default");
    world.post("/v1/otp/login", &other_app).send().signed_in();
    // Forged, foreign, none at all.
    let elsewhere = World::seeded(2, |name| {
        let keys = |seed: u8| {
            let key = data_encoding::BASE64URL_NOPAD
                .encode(&std::array::from_fn::<u8, 32, _>(|at| at as u8 ^ seed));
            json!({"keys": [{"kty": "oct", "alg": "A256GCM", "kid": "k1", "k": key}]}).to_string()
        };
        (name == "SEALING_KEYS").then(|| keys(9))
    });
    let (foreign, foreign_code) = send(&elsewhere, PHONE);
    refused("foreign", world.otp_login(&foreign, &foreign_code).send());
    refused("forged", world.otp_login("och_k1.AAAA", "123456").send());
    refused("unknown", world.otp_login("nothing", "123456").send());

    let kinds: BTreeSet<String> = answers.iter().map(|(_, seen)| seen.to_string()).collect();
    assert_eq!(kinds.len(), 1, "{answers:#?}");
}

#[test]
fn forged_and_expired_challenges_ask_nobody() {
    let world = World::new();
    let (challenge, code) = send(&world, PHONE);
    world.pass(5 * MINUTE);
    world.faults.take_trace();
    for challenge in [challenge.as_str(), "och_k1.AAAA", "x"] {
        world.otp_login(challenge, &code).send().is_problem(401, "otp_incorrect");
    }
    let mut trace = world.faults.take_trace();
    trace.retain(|port| !matches!(port, Port::AddressLimiter | Port::Entropy));
    assert_eq!(trace, []);
}

#[test]
fn numbers_with_and_without_an_account_take_the_same_steps() {
    let trace = |known: bool| {
        let world = World::new();
        if known {
            world.login(PHONE).signed_in();
            world.run_alarms();
            world.pass(MINUTE);
        }
        world.faults.take_trace();
        let mut traces = Vec::new();
        let sent = world.send_otp(PHONE).send();
        let challenge = sent.challenge();
        traces.push(world.faults.take_trace());
        let code = world.phones.code(PHONE);
        let wrong = world.otp_login(&challenge, not(&code)).send();
        traces.push(world.faults.take_trace());
        world.otp_login(&challenge, &code).send().signed_in();
        traces.push(world.faults.take_trace());
        let too_soon = world.send_otp(PHONE).send();
        traces.push(world.faults.take_trace());
        let mut sent = seen(&sent);
        sent[1].as_object_mut().unwrap().remove("challengeId");
        (traces, sent, seen(&wrong), seen(&too_soon))
    };
    let (known, unknown) = (trace(true), trace(false));
    assert_eq!(known, unknown);
    assert!(known.0.iter().all(|trace| trace.contains(&Port::Handle)));
}

#[test]
fn what_a_request_needs_is_said() {
    let world = World::new();
    for (body, status, code) in [
        (json!({"device": device()}), 400, "invalid_request"),
        (json!({"phone": "12345", "device": device()}), 400, "invalid_phone"),
        (json!({"phone": "+14155550100", "device": device()}), 400, "invalid_phone"),
        (json!({"phone": PHONE, "device": device(), "purpose": "fun"}), 400, "invalid_request"),
        (json!({"phone": PHONE, "device": device(), "app": "nobody"}), 400, "invalid_request"),
        (json!({"phone": PHONE, "device": device(), "ticket": "x"}), 400, "invalid_request"),
        (json!({"phone": PHONE, "device": device(), "purpose": "step_up"}), 401, "unauthenticated"),
        (
            json!({"phone": PHONE, "device": device(), "purpose": "step_up", "ticket": "x"}),
            410,
            "ticket_invalid",
        ),
        (json!({"phone": PHONE, "device": device(), "purpose": "bind"}), 401, "unauthenticated"),
    ] {
        world.post("/v1/otp/send", &body).send().is_problem(status, code);
    }
    world.post("/v1/otp/login", &json!({})).send().is_problem(400, "invalid_request");
    assert_eq!(world.phones.all(), []);
    // A password reset needs no session: who resets has none.
    let reset = json!({"phone": PHONE, "purpose": "reset_password", "device": device()});
    world.post("/v1/otp/send", &reset).send().challenge();
    assert!(world.phones.texts(PHONE)[0].contains(&world.phones.code(PHONE)));
}

#[test]
fn a_code_for_a_session_is_worth_nothing_to_another() {
    // By the service itself, so that each purpose is tried alone.
    use onetap::{
        journeys::{claim::Attempt, number_proof::OtpProof},
        kernel::secret::Secret,
        model::otp_purpose::Purpose,
    };
    let world = World::new();
    let session = world.login(OTHER).signed_in();
    let bind = json!({"phone": PHONE, "purpose": "bind", "device": device()});
    let sent = world.post("/v1/otp/send", &bind).bearer(session.text("/session/accessToken")).send();
    let (challenge, code) = (sent.challenge(), Secret::new(world.phones.code(PHONE)));
    let prove = |purpose, binding: &str| {
        let attempt = Attempt { key: None, request: &[] };
        let proof = OtpProof { challenge: &challenge, code: &code, attempt };
        let service = world.service();
        let mut spent = onetap::journeys::spent::Spent::default();
        let proven =
            crate::world::client::at_once(service.prove_by_otp(&proof, purpose, binding, &mut spent));
        proven.unwrap().map(|proven| proven.phone.e164().to_owned()).ok()
    };
    let own = format!("session:{}", session.text("/session/id"));
    let other = format!("session:{}", world.login(PHONE).signed_in().text("/session/id"));
    assert_eq!(prove(Purpose::Bind, &other), None);
    assert_eq!(prove(Purpose::Bind, "app:default"), None);
    assert_eq!(prove(Purpose::ChangePhone, &own), None);
    assert_eq!(prove(Purpose::Bind, &own), Some(format!("+86{PHONE}")));
    assert_eq!(prove(Purpose::Bind, &own), None);
}
