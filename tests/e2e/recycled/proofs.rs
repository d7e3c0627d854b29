//! *Mine*: what proves it, over HTTP. Of people whom an import has brought, so that nobody waits for four months.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{asked, by_password, claims::BCRYPT, comes, import_one, imported, step, tell};
use crate::{
    backend::api_key,
    client::random_hex,
    emails, leaks,
    stack::{self, Stack},
    story,
    supplied::{fact, put},
};

/// What a shop knows of somebody: kind, answer, and how an option shows it.
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

/// The example of GB 11643-1999, annex A, and another number with the right check.
const ID_NUMBER: [&str; 2] = ["11010519491231002X", "440524188001010014"];

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story(
            "recycled: seven questions are asked of nine answers each, and nothing is said between",
            questions,
        ),
        story("recycled: name, ID number and a code by e-mail prove nothing without a password", weak),
        story("recycled: a number that is in another name now is proven, whatever the carrier says", renamed),
    ]
}

/// Somebody who was here years ago, with a password and what is told of them: their number, and their account.
async fn brought(stack: &Stack, more: &Value, with_money: bool) -> (String, Value) {
    let (key, _) = api_key(stack, "account:import account:money");
    let (phone, mut line) = imported(0, BCRYPT.1);
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let account = import_one(stack, &key, &line).await;
    if with_money {
        let money = put(stack, &key, &account, "money", &json!({ "enabled": true })).await;
        assert_eq!(money.status, 204, "{}", money.summary());
    }
    (phone, account)
}

fn methods(held: &Value) -> Vec<&str> {
    held["methods"].as_array().unwrap().iter().map(|method| method["method"].as_str().unwrap()).collect()
}

async fn questions() {
    let stack = stack::main();
    let (phone, account) = brought(stack, &json!({}), true).await;
    let (key, _) = api_key(stack, "account:facts");
    let facts: Vec<Value> = KNOWN.iter().map(|(kind, answer, _)| fact(kind, answer)).collect();
    let said = put(stack, &key, &account, "facts", &json!({ "facts": facts })).await;
    assert_eq!(said.status, 204, "{}", said.summary());
    let right = |question: &Value| {
        let asks = |fact: &Value| fact["question"]["zh"] == question["text"];
        let shown = KNOWN[facts.iter().position(asks).unwrap()].2;
        let options = question["options"].as_array().unwrap();
        assert_eq!((options.len(), &question["rounds"]), (9, &json!(7)));
        options.iter().position(|option| option == shown).unwrap()
    };
    // So many answers are wrong at the beginning of a series; what is said in each round, but for the question itself.
    let series = async |wrong: usize| {
        let held = asked(stack, &phone).await;
        assert_eq!((methods(&held), &held["need"]), (vec!["password", "history_questions"], &json!(3)));
        let mut shown = step(stack, &held, "start", json!({ "method": "history_questions" })).await;
        let mut said = Vec::new();
        for round in 0..7 {
            let mut body = shown.ok();
            let question = body["question"].take();
            assert_eq!(question["round"], round);
            for varies in ["expiresIn", "ticket"] {
                body.as_object_mut().unwrap().remove(varies);
            }
            said.push(body);
            let option = (right(&question) + usize::from(round < wrong)) % 9;
            let body = json!({ "method": "history_questions", "round": round, "option": option });
            shown = step(stack, &held, "complete", body).await;
        }
        (held, said, shown)
    };
    let (_, all_wrong, refused) = series(7).await;
    refused.problem(403, "proof_failed");
    let (_, two_wrong, refused) = series(2).await;
    refused.problem(403, "proof_failed");
    let (held, all_right, proven) = series(0).await;
    assert_eq!((&all_wrong, &two_wrong), (&all_right, &all_right), "nothing is said before the last round");
    // Nor do they suffice: with money it takes three, and they are worth one.
    let proven = proven.ok();
    assert_eq!(
        (&proven["status"], &proven["proven"]),
        (&json!("step_up_required"), &json!(["history_questions"]))
    );
    let back = by_password(stack, &held, BCRYPT.0).await.ok();
    assert_eq!(back["account"]["id"], account, "{back}");
}

async fn weak() {
    let stack = stack::main();
    let (name, address) = (format!("Lin {}", random_hex(6)), emails::fresh_address());
    leaks::note("verified name", &name);
    for number in ID_NUMBER {
        leaks::note("ID number", number);
    }
    let real = json!({ "state": "verified", "name": name, "idNumber": ID_NUMBER[0] });
    let more = json!({ "realName": real, "email": address, "emailProvenAt": "2020-01-01T00:00:00Z" });
    let by_name = |name: &str, number: &str| json!({ "method": "name_id", "name": name, "idNumber": number });
    let by_mail = json!({ "method": "email_code" });
    // 1. Where two are needed a weak proof does not help, so it is not asked for.
    let (phone, _) = brought(stack, &json!({ "realName": real }), false).await;
    let held = asked(stack, &phone).await;
    assert_eq!((methods(&held), &held["need"]), (vec!["password"], &json!(2)));
    step(stack, &held, "complete", by_name(&name, ID_NUMBER[0])).await.problem(403, "proof_failed");
    step(stack, &held, "start", by_mail.clone()).await.problem(404, "not_found");
    // 2. Where three are needed it does, but both of them are one, and no way in.
    let (phone, account) = brought(stack, &more, true).await;
    let held = asked(stack, &phone).await;
    assert_eq!((methods(&held), &held["need"]), (vec!["password", "email_code", "name_id"], &json!(3)));
    for wrong in [by_name("Somebody Else", ID_NUMBER[0]), by_name(&name, ID_NUMBER[1])] {
        step(stack, &held, "complete", wrong).await.problem(403, "proof_failed");
    }
    let half = step(stack, &held, "complete", by_name(&name, ID_NUMBER[0])).await.ok();
    assert_eq!((&half["status"], &half["proven"]), (&json!("step_up_required"), &json!(["name_id"])));
    let started = step(stack, &held, "start", by_mail).await.ok();
    let code = emails::newest_code(stack, &address).await;
    let code =
        json!({ "method": "email_code", "challengeId": started["challenge"]["challengeId"], "code": code });
    let both = step(stack, &held, "complete", code).await.ok();
    assert_eq!(
        (&both["status"], &both["proven"]),
        (&json!("step_up_required"), &json!(["name_id", "email_code"])),
        "{both}"
    );
    let back = by_password(stack, &held, BCRYPT.0).await.ok();
    assert_eq!(back["account"]["id"], account, "{back}");
}

async fn renamed() {
    let stack = stack::main();
    let name = format!("Lin {}", random_hex(6));
    leaks::note("verified name", &name);
    let more = json!({ "realName": { "state": "verified", "name": name } });
    // In the same name, and not sold again: that is enough for `basic`.
    let (phone, account) = brought(stack, &more, false).await;
    tell(stack, "/sandbox/people", &json!({ "phone": phone, "name": name })).await;
    let login = comes(stack, &phone).await;
    assert_eq!(login["account"]["id"], account, "{login}");
    // Also not sold again, but in another name.
    let (phone, account) = brought(stack, &more, false).await;
    tell(stack, "/sandbox/people", &json!({ "phone": phone, "name": "Somebody Else" })).await;
    let held = asked(stack, &phone).await;
    by_password(stack, &held, "12345678").await.problem(403, "proof_failed");
    let back = by_password(stack, &held, BCRYPT.0).await.ok();
    assert_eq!(back["account"]["id"], account, "{back}");
}
