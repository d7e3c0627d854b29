//! The devices of a number's owner: what strangers use up is not theirs, and what they have is nobody else's.

use serde_json::{Value, json};

use super::PHONE;
use crate::world::{
    Answer, World,
    client::{device, device_with},
};

const ATTACKER: &str = "198.51.100.7";

fn phone(nth: usize) -> String {
    format!("138{nth:08}")
}

/// Signs in by one-tap and returns a device that everybody knows about.
fn device_of(world: &World, phone: &str) -> Value {
    let token = world.login(phone).signed_in().text("/device/token").to_owned();
    world.run_alarms();
    device_with(&token)
}

fn ask(world: &World, phone: &str, device: &Value, from: &str) -> Answer {
    let body = json!({"phone": phone, "device": device});
    world.post("/v1/otp/send", &body).from(from).send()
}

#[test]
fn devices_that_ask_for_others_numbers_share_their_networks_budget() {
    let world = World::new();
    // An attacker's own, each with an account of its own.
    let devices: Vec<Value> = (0..5).map(|nth| device_of(&world, &phone(9000 + nth))).collect();
    let answers: Vec<Answer> =
        (0..50).map(|nth| ask(&world, &phone(nth), &devices[nth % 5], ATTACKER)).collect();
    // The address's cap, and not five devices' caps of ten.
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 20);
    // Each device can still ask for its own account's number, where the address has nothing left.
    ask(&world, &phone(50), &device(), ATTACKER).is_problem(429, "rate_limited");
    ask(&world, &phone(9000), &devices[0], ATTACKER).challenge();
}

#[test]
fn full_prefixes_countries_and_deployments_are_full_of_strangers() {
    for name in ["OTP_PREFIX_SHORT", "OTP_COUNTRY_SHORT", "OTP_DEPLOYMENT_SHORT"] {
        let world = World::with(|asked| (asked == name).then(|| "3".to_owned()));
        let owners: Vec<Value> = (0..4).map(|nth| device_of(&world, &phone(nth))).collect();
        for nth in 10..13 {
            ask(&world, &phone(nth), &device(), &format!("198.51.{nth}.7")).challenge();
        }
        ask(&world, &phone(13), &device(), "198.51.13.7").is_problem(429, "rate_limited");
        // Owners have as much room, and no more.
        let statuses: Vec<u16> = owners
            .iter()
            .enumerate()
            .map(|(nth, owner)| ask(&world, &phone(nth), owner, ATTACKER).status)
            .collect();
        assert_eq!(statuses, [202, 202, 202, 429], "{name}");
    }
}

#[test]
fn a_device_learns_nothing_about_others_numbers() {
    let world = World::new();
    let device = device_of(&world, &phone(9000));
    world.login(PHONE).signed_in();
    world.run_alarms();
    world.faults.take_trace();
    let mut traces = Vec::new();
    for number in [PHONE, "13800138001"] {
        ask(&world, number, &device, ATTACKER).challenge();
        traces.push(world.faults.take_trace());
    }
    assert_eq!(traces[0], traces[1]);
}
