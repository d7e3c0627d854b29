//! To whom third parties lead.

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{bind, came_back, fresh_person, log_in, many};
use crate::{
    client::{Answer, fresh_device, fresh_key, fresh_phone, get, post},
    login::{access_token, sign_in},
    sandbox::Order,
    stack, story, story_alone,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("identities: every third party signs people in, and they come back as themselves", every_kind),
        story_alone("identities: of 50 binds at once by two accounts one account wins", fifty_at_once),
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
    one_wins(&join_all(binds).await);
    // A third party takes its time, on two cores more than it is waited for, were they fifty.
    let person = json!({ "subject": fresh_person() });
    let mut codes = Vec::new();
    for _ in 0..16 {
        codes.push(came_back(stack, "weibo", "default", person.clone()).await);
    }
    let binds = codes.iter().zip(people.iter().cycle()).map(async |((body, own), login)| {
        let request = post(stack, "/v1/account/identities/weibo", body);
        request.bearer(access_token(login)).header("x-onetap-device", own).send().await
    });
    let winner = one_wins(&join_all(binds).await);
    let leads_to = log_in(stack, "weibo", "default", person).await.ok();
    assert_eq!(account(&leads_to), account(&people[winner]));
}

/// Two take turns: which of them has it now. Each was told the same every time.
fn one_wins(answers: &[Answer]) -> usize {
    let winner = usize::from(answers[0].status != 204);
    for (nth, answer) in answers.iter().enumerate() {
        if nth % 2 == winner {
            assert_eq!(answer.status, 204, "{}", answer.text());
        } else {
            answer.problem(409, "identity_in_use");
        }
    }
    winner
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
