//! History questions: seven rounds about what the app knows, which help and never suffice.

use serde_json::{Value, json};

use super::{MINUTE, NUMBER, PASSWORD, SOLD_AGAIN, account, asked, by_password, ming, step};
use crate::world::{Answer, World};

/// What a shop knows of Xiao Ming, as it is asked for.
const KNOWN: [(&str, &str, &str); 8] = [
    ("city", "绵阳", "绵阳"),
    ("surname", "覃", "覃"),
    ("month", "2021-05", "2021年5月"),
    ("amount", "4321", "¥4000-4999"),
    ("category", "钓具", "钓具"),
    ("phone_model", "meizu 21", "meizu 21"),
    ("city", "呼和浩特", "呼和浩特"),
    ("month", "2023-11", "2023年11月"),
];

/// Xiao Ming, of whom the shop knows that, in a deployment where there is money.
fn world() -> (World, Answer) {
    world_of("money")
}

fn world_of(profile: &'static str) -> (World, Answer) {
    let world = World::with(|name| (name == "PROFILE").then(|| profile.to_owned()));
    let ming = ming(&world);
    let key = world.api_key("shop", &["account:facts"]);
    let facts = KNOWN.iter().enumerate().map(|(nth, (kind, answer, _))| {
        json!({"kind": kind, "question": {"zh": format!("问题{nth}")}, "answer": answer})
    });
    let facts = json!({"facts": facts.collect::<Vec<_>>()});
    let path = format!("/v1/accounts/{}/facts", account(&ming));
    assert_eq!(world.put(&path, &facts).bearer(&key).send().status, 204);
    world.pass(SOLD_AGAIN);
    (world, ming)
}

fn start(world: &World, held: &Answer) -> Answer {
    step(world, held, "start", json!({"method": "history_questions"}))
}

fn answer(world: &World, held: &Answer, round: u64, option: usize) -> Answer {
    step(world, held, "complete", json!({"method": "history_questions", "round": round, "option": option}))
}

/// Where the answer that he knows stands among the options.
fn right(question: &Value) -> usize {
    let options = question["options"].as_array().unwrap();
    assert_eq!((options.len(), &question["rounds"]), (9, &json!(7)));
    let of_question = |nth: usize| KNOWN[nth].2;
    let nth: usize = question["text"].as_str().unwrap().trim_start_matches("问题").parse().unwrap();
    let place = options.iter().position(|option| option == of_question(nth));
    place.unwrap_or_else(|| panic!("{} is not among {options:?}", of_question(nth)))
}

/// Goes through a series, with so many wrong answers at its beginning.
fn series(world: &World, held: &Answer, wrong: u64) -> Answer {
    let mut shown = start(world, held);
    for round in 0..7 {
        let question = shown.body["question"].clone();
        assert_eq!(question["round"], round, "{}", shown.body);
        let right = right(&question);
        let option = if round < wrong { (right + 1) % 9 } else { right };
        shown = answer(world, held, round, option);
        if round < 6 {
            assert_eq!(shown.body["status"], "step_up_required", "nothing is said in between");
            assert_eq!(shown.body.get("proven"), None);
        }
    }
    shown
}

#[test]
fn who_knows_what_happened_needs_one_more_proof() {
    for wrong in [0, 1] {
        let (world, ming) = world();
        let held = asked(&world);
        let methods: Vec<&Value> =
            held.body["methods"].as_array().unwrap().iter().map(|method| &method["method"]).collect();
        assert_eq!(methods, ["password", "history_questions"], "{}", held.body);
        let half = series(&world, &held, wrong);
        assert_eq!(
            (&half.body["status"], &half.body["proven"]),
            (&json!("step_up_required"), &json!(["history_questions"]))
        );
        assert_eq!(half.body.get("question"), None);
        let whole = by_password(&world, &held, PASSWORD).signed_in();
        assert_eq!(account(&whole), account(&ming));
        world.settle_within(MINUTE);
        assert_eq!(world.login(NUMBER).body["reason"], "new_device", "the number is his again");
    }
}

#[test]
fn where_a_password_is_enough_nothing_is_asked() {
    for profile in ["basic", "social"] {
        let (world, _) = world_of(profile);
        let held = asked(&world);
        assert_eq!(held.body["methods"], json!([{"method": "password", "strength": 2}]), "{profile}");
        start(&world, &held).is_problem(404, "not_found");
    }
}

#[test]
fn two_wrong_ones_end_a_series_and_five_series_the_month() {
    let (world, _) = world();
    let held = asked(&world);
    for _ in 0..5 {
        series(&world, &held, 2).is_problem(403, "proof_failed");
        answer(&world, &held, 6, 0).is_problem(403, "proof_failed");
    }
    start(&world, &held).is_problem(403, "proofs_exhausted");
}

#[test]
fn a_repeat_answers_nothing_twice_and_a_round_to_come_is_not_answered() {
    let (world, _) = world();
    let held = asked(&world);
    let first = start(&world, &held);
    assert_eq!(start(&world, &held).body["question"], first.body["question"], "begun once");
    let option = right(&first.body["question"]);
    let second = answer(&world, &held, 0, option);
    assert_eq!(second.body["question"]["round"], 1);
    assert_eq!(answer(&world, &held, 0, (option + 1) % 9).body["question"], second.body["question"]);
    answer(&world, &held, 2, 0).is_problem(403, "proof_failed");
    for (round, option) in [(json!(7), json!(0)), (json!(1), json!(9)), (json!("1"), json!(0))] {
        let body = json!({"method": "history_questions", "round": round, "option": option});
        step(&world, &held, "complete", body).is_problem(400, "invalid_request");
    }
}

#[test]
fn of_whom_too_little_is_known_nothing_is_asked() {
    let world = World::with(|name| (name == "PROFILE").then(|| "money".to_owned()));
    ming(&world);
    world.pass(SOLD_AGAIN);
    start(&world, &asked(&world)).is_problem(404, "not_found");
}
