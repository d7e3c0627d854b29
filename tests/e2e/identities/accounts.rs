//! To whom third parties lead.

use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{bind, came_back, fresh_person, log_in, many};
use crate::{
    client::{Answer, fresh_device, fresh_key, fresh_phone, get, post},
    crash::HOOK,
    login::{access_token, sign_in},
    sandbox::Order,
    stack, story, story_alone,
};

/// Until all fifty have asked the third party.
const BEFORE_THE_RACE: Duration = Duration::from_secs(15);
/// The third party is asked one after the other.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("identities: every third party signs people in, and they come back as themselves", every_kind),
        story_alone("identities: of 50 binds at once by two accounts one account wins", fifty_at_once),
        story_alone("identities: of 50 accounts that bind one person at once one wins", fifty_accounts),
        story("identities: a unionid leads two apps to one account, without it they have two", unionid),
        story("identities: with a number's proof the identity comes to lead to its account", with_a_number),
        story("identities: a lost answer is given again, to its key only", lost_answer),
    ]
}

fn account(login: &Value) -> &str {
    login["account"]["id"].as_str().unwrap()
}

async fn every_kind() {
    let stack = stack::main();
    for (kind, amr) in [("wechat", "wechat"), ("qq", "qq"), ("weibo", "weibo"), ("corp", "oidc")] {
        let person = json!({ "subject": fresh_person(), "nickname": "Xiaoming of elsewhere" });
        let new = log_in(stack, kind, "default", person.clone()).await.ok();
        assert_eq!(new["account"]["isNew"], true, "{kind}");
        assert_eq!(new["account"]["displayName"], "Xiaoming of elsewhere", "{kind}");
        assert_eq!(new["needs"], json!(["phone"]));
        let again = log_in(stack, kind, "default", person).await.ok();
        assert_eq!((account(&again), &again["account"]["isNew"]), (account(&new), &json!(false)), "{kind}");
        let me = get(stack, "/v1/session").bearer(access_token(&again)).send().await.ok();
        assert_eq!(me["amr"], json!([amr]));
        let list = get(stack, "/v1/account/identities").bearer(access_token(&again)).send().await.ok();
        assert_eq!(list["identities"][0]["kind"], kind);
    }
}

async fn fifty_at_once() {
    let stack = many();
    let people = [sign_in(stack, &fresh_phone("156")).await, sign_in(stack, &fresh_phone("156")).await];
    // A name needs nobody's word, so all fifty reach the handle together.
    let name = json!({ "username": format!("user.{}", fresh_person()) });
    let binds = people.iter().cycle().take(50).map(|login| {
        let request = post(stack, "/v1/account/identities/username", &name);
        request.bearer(access_token(login)).send()
    });
    // Two take turns. Each is told the same every time.
    let answers = join_all(binds).await;
    let winner = usize::from(answers[0].status != 204);
    for (nth, answer) in answers.iter().enumerate() {
        if nth % 2 == winner {
            assert_eq!(answer.status, 204, "{}", answer.text());
        } else {
            answer.problem(409, "identity_in_use");
        }
    }
}

/// All fifty are under way together, and from the first look at who has the identity on they race. Before that each asks the
/// third party: fifty of these questions at once would take longer on two cores than such an answer is waited for.
async fn fifty_accounts() {
    let stack = stack::unwinding();
    let person = json!({ "subject": fresh_person() });
    let mut callers = Vec::new();
    for _ in 0..50 {
        let login = sign_in(stack, &fresh_phone("156")).await;
        callers.push((login, came_back(stack, "weibo", "default", person.clone()).await));
    }
    let start = UNIX_EPOCH.elapsed().unwrap() + BEFORE_THE_RACE;
    let hook = format!("meet-{}", start.as_millis());
    let binds = callers.iter().zip(0..).map(async |((login, (body, own)), nth)| {
        sleep(BETWEEN_QUESTIONS * nth).await;
        let request = post(stack, "/v1/account/identities/weibo", body).bearer(access_token(login));
        let answer = request.header("x-onetap-device", own).header(HOOK, &hook).send().await;
        (UNIX_EPOCH.elapsed().unwrap(), answer)
    });
    let answers = join_all(binds).await;
    assert!(answers.iter().all(|(at, _)| *at >= start), "nobody was answered before the race");
    let is_winner = |answer: &Answer| answer.status == 204;
    assert_eq!(answers.iter().filter(|(_, answer)| is_winner(answer)).count(), 1);
    let winner = answers.iter().position(|(_, answer)| is_winner(answer)).unwrap();
    for (_, answer) in answers.iter().filter(|(_, answer)| !is_winner(answer)) {
        answer.problem(409, "identity_in_use");
    }
    let leads_to = log_in(stack, "weibo", "default", person).await.ok();
    assert_eq!(account(&leads_to), account(&callers[winner].0));
    for (nth, (login, _)) in callers.iter().enumerate() {
        let list = get(stack, "/v1/account/identities").bearer(access_token(login)).send().await.ok();
        assert_eq!(list["identities"].as_array().unwrap().len(), if nth == winner { 2 } else { 1 });
    }
    let last = answers.iter().map(|(at, _)| *at).max().unwrap() - start;
    eprintln!("50 accounts raced for one identity: one won, 49 heard so, all within {last:?}");
}

async fn unionid() {
    let stack = many();
    let alone = json!({ "subject": fresh_person() });
    let [one, other] = ["default", "shop"].map(|app| log_in(stack, "wechat", app, alone.clone()));
    assert_ne!(account(&one.await.ok()), account(&other.await.ok()));
    let joined = json!({ "subject": fresh_person(), "unionid": format!("o6_{}", fresh_person()) });
    let one = log_in(stack, "wechat", "default", joined.clone()).await.ok();
    let other = log_in(stack, "wechat", "shop", joined).await.ok();
    assert_eq!(account(&one), account(&other));
}

async fn with_a_number() {
    let stack = stack::main();
    let phone = fresh_phone("157");
    let me = sign_in(stack, &phone).await;
    let person = json!({ "subject": fresh_person() });
    let (mut body, own) = came_back(stack, "wechat", "default", person.clone()).await;
    let credential = Order::new("flash_v2", &phone).mint(stack).await;
    body["device"] = fresh_device();
    body["numberProof"] = json!({ "type": "one_tap", "credential": credential });
    let request = post(stack, "/v1/identities/wechat/login", &body).header("x-onetap-device", &own);
    let both = request.send().await.ok();
    assert_eq!((account(&both), both.get("needs")), (account(&me), None));
    assert_eq!(account(&log_in(stack, "wechat", "default", person).await.ok()), account(&me));
    // A number of somebody else is not said to be theirs.
    let stranger = json!({ "subject": fresh_person() });
    log_in(stack, "wechat", "default", stranger.clone()).await.ok();
    let (mut body, own) = came_back(stack, "wechat", "default", stranger).await;
    let credential = Order::new("flash_v2", &phone).mint(stack).await;
    body["device"] = fresh_device();
    body["numberProof"] = json!({ "type": "one_tap", "credential": credential });
    let request = post(stack, "/v1/identities/wechat/login", &body).header("x-onetap-device", &own);
    let refused = request.send().await;
    refused.problem(409, "phone_in_use");
    assert!(!refused.text().contains(account(&me)));
    assert_eq!(bind(stack, &me, "qq", json!({ "subject": fresh_person() })).await.status, 204);
}

async fn lost_answer() {
    let stack = stack::main();
    let (mut body, own) = came_back(stack, "corp", "default", json!({ "subject": fresh_person() })).await;
    body["device"] = fresh_device();
    let key = fresh_key();
    let send = async |key: &str| {
        let request = post(stack, "/v1/identities/corp/login", &body).key(key);
        request.header("x-onetap-device", &own).send().await
    };
    let first = send(&key).await.ok();
    assert_eq!(send(&key).await.ok(), first);
    send(&fresh_key()).await.problem(401, "invalid_credentials");
}
