//! What an app's backend says of an account: facts, friends, money; and the questions that are made of facts.

use std::collections::BTreeSet;

use onetap::{
    journeys::questions::{ShownRound, Sources},
    kernel::id::AccountId,
    model::{
        fact::Fact,
        friends::Friend,
        language::Language,
        questions::{Answered, Series},
    },
};
use serde_json::{Value, json};

use crate::world::{Answer, World, objects::Kind};

const PHONE: &str = "13800138000";

fn fact(kind: &str, question: &str, answer: &str) -> Value {
    json!({"kind": kind, "question": {"zh": question, "en": format!("{question}?")}, "answer": answer})
}

/// What a shop knows of Xiao Ming.
fn facts() -> Vec<Value> {
    vec![
        fact("city", "最常收货的城市", "绵阳"),
        fact("surname", "最常收货人的姓", "覃"),
        fact("month", "首次购买的月份", "2021-05"),
        fact("amount", "最大一笔订单", "4321"),
        fact("category", "首次购买的商品", "钓具"),
        fact("phone_model", "购买过的手机", "meizu 21"),
        fact("city", "第一次收货的城市", "Hohhot"),
        fact("month", "开通会员的月份", "2023-11"),
    ]
}

fn put(world: &World, key: &str, account: &str, what: &str, body: &Value) -> Answer {
    world.put(&format!("/v1/accounts/{account}/{what}"), body).bearer(key).send()
}

fn key(world: &World) -> String {
    world.api_key("app", &["account:facts", "account:friends", "account:money"])
}

fn supplied(world: &World, account: &str) -> Value {
    world.objects.states(Kind::Account)[account]["state"]["supplied"].clone()
}

/// The name of the field that is wrong.
fn wrong(answer: &Answer) -> &str {
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"].as_array().unwrap().len(), 1, "{}", answer.body);
    answer.text("/fields/0/name")
}

#[test]
fn facts_are_kept_sealed_until_others_take_their_place_and_an_export_names_their_kinds() {
    let world = World::new();
    let (login, key) = (world.login(PHONE).signed_in(), key(&world));
    let account = login.text("/account/id");
    assert_eq!(put(&world, &key, account, "facts", &json!({"facts": facts()})).status, 204);
    let kept = supplied(&world, account);
    let kinds: Vec<_> = kept["facts"].as_array().unwrap().iter().map(|fact| &fact["kind"]).collect();
    assert_eq!(kinds, ["city", "surname", "month", "amount", "category", "phone_model", "city", "month"]);
    for secret in ["绵阳", "2021-05", "钓具", "最常收货的城市", "最大一笔订单?", "meizu 21", "Hohhot"]
    {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
    let export = world.get("/v1/account/export").bearer(login.text("/session/accessToken")).send();
    assert_eq!(export.body["facts"][4], "category");
    assert_eq!((&export.body["friends"], &export.body["money"]), (&json!(0), &json!(false)));
    assert!(!export.body.to_string().contains("绵阳"));

    assert_eq!(put(&world, &key, account, "facts", &json!({"facts": [facts()[0]]})).status, 204);
    assert_eq!(supplied(&world, account)["facts"].as_array().unwrap().len(), 1);
    assert_eq!(put(&world, &key, account, "facts", &json!({"facts": []})).status, 204);
    assert_eq!(supplied(&world, account), json!({"facts": []}));
    let actions: Vec<_> = world.back_office().audit.iter().map(|entry| entry.action.name()).collect();
    assert_eq!(actions, ["account.facts"; 3]);
}

#[test]
fn what_is_no_fact_is_named_and_nothing_of_the_list_is_kept() {
    let world = World::new();
    let (login, key) = (world.login(PHONE).signed_in(), key(&world));
    let account = login.text("/account/id");
    let good = fact("city", "城市", "武汉");
    let with = |name: &str, value: Value| {
        let mut fact = good.clone();
        fact[name] = value;
        json!({"facts": [good, fact]})
    };
    for (field, body) in [
        ("facts", json!({})),
        ("facts", json!({"facts": {"kind": "city"}})),
        ("facts", json!({"facts": ["city"]})),
        ("facts", json!({"facts": vec![good.clone(); 51]})),
        ("more", json!({"facts": [], "more": 1})),
        ("facts.1.kind", with("kind", json!("display_name"))),
        ("facts.1.answer", with("answer", json!("亚特兰蒂斯"))),
        ("facts.1.answer", with("answer", json!("汉".repeat(33)))),
        ("facts.1.answer", with("answer", json!(5))),
        ("facts.1.question", with("question", json!("城市"))),
        ("facts.1.question.zh", with("question", json!({}))),
        ("facts.1.question.zh", with("question", json!({"zh": "城市\n武汉"}))),
        ("facts.1.question.en", with("question", json!({"zh": "城市", "en": "x".repeat(65)}))),
        ("facts.1.question.fr", with("question", json!({"zh": "城市", "fr": "Ville"}))),
        ("facts.1.answers", with("answers", json!("武汉"))),
        ("facts.0.answer", json!({"facts": [fact("month", "月份", "2024-13")]})),
        ("facts.0.answer", json!({"facts": [fact("amount", "金额", "12.50")]})),
        ("facts.0.answer", json!({"facts": [fact("phone_model", "手机", "Nokia 3310")]})),
        // Two surnames are written so.
        ("facts.0.answer", json!({"facts": [fact("surname", "姓", "Xu")]})),
    ] {
        let answer = put(&world, &key, account, "facts", &body);
        assert_eq!(wrong(&answer), field, "{body}");
        assert!(!answer.body.to_string().contains("亚特兰蒂斯"), "a value is never repeated");
    }
    assert_eq!(supplied(&world, account), Value::Null);
    assert!(world.back_office().audit.is_empty());
}

#[test]
fn friends_are_kept_as_ids_and_days() {
    let world = World::new();
    let (login, key) = (world.login(PHONE).signed_in(), key(&world));
    let account = login.text("/account/id");
    let friend = |nth: u8, since: &str| json!({"account": AccountId::from_bytes([nth; 16]).to_string(), "since": since});
    let old = friend(1, "2020-01-02T23:59:59+08:00");
    assert_eq!(put(&world, &key, account, "friends", &json!({"friends": [old]})).status, 204);
    // `date -u -d 2020-01-02 +%s`, divided by 86,400.
    let expected = Friend(AccountId::from_bytes([1; 16]), 18_263);
    assert_eq!(supplied(&world, account)["friends"], json!([expected]));
    for (field, friends) in [
        ("friends", json!(vec![old.clone(); 501])),
        ("friends.0.account", json!([{"account": account, "since": "2020-01-01T00:00:00Z"}])),
        ("friends.0.account", json!([{"account": PHONE, "since": "2020-01-01T00:00:00Z"}])),
        ("friends.0.account", json!([{"since": "2020-01-01T00:00:00Z"}])),
        ("friends.1.since", json!([old, friend(2, "2030-01-01T00:00:00Z")])),
        ("friends.1.since", json!([old, friend(2, "2020-01-01")])),
        ("friends.0.since", json!([{"account": AccountId::from_bytes([1; 16]).to_string()}])),
    ] {
        let answer = put(&world, &key, account, "friends", &json!({"friends": friends}));
        assert_eq!(wrong(&answer), field);
    }
    assert_eq!(supplied(&world, account)["friends"], json!([expected]), "the last good list stands");
    let most: Vec<_> =
        (0..500).map(|nth| friend(u8::try_from(nth / 2).unwrap(), "2020-01-01T00:00:00Z")).collect();
    assert_eq!(put(&world, &key, account, "friends", &json!({"friends": most})).status, 204);
    let export = world.get("/v1/account/export").bearer(login.text("/session/accessToken")).send();
    assert_eq!(export.body["friends"], 500);
}

#[test]
fn who_may_not_say_anything_says_nothing() {
    let world = World::with(|name| {
        (name == "REVIEW_NUMBERS").then(|| r#"[{"phone":"+8613900139000","code":"424242"}]"#.to_owned())
    });
    let account = world.login(PHONE).signed_in().text("/account/id").to_owned();
    let reviewed = world.login("13900139000").signed_in().text("/account/id").to_owned();
    let nobody = format!("acc_{}", "a".repeat(26));
    for (what, body) in [
        ("facts", json!({"facts": []})),
        ("friends", json!({"friends": []})),
        ("money", json!({"enabled": true})),
    ] {
        let path = format!("/v1/accounts/{account}/{what}");
        let scope = format!("account:{what}");
        let others: Vec<&str> = ["account:facts", "account:friends", "account:money", "account:import"]
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        world.put(&path, &body).send().is_problem(401, "unauthenticated");
        put(&world, "oak_none", &account, what, &body).is_problem(401, "unauthenticated");
        let wrong = world.api_key(&format!("wrong for {what}"), &others);
        put(&world, &wrong, &account, what, &body).is_problem(403, "forbidden");
        let right = world.api_key(&format!("right for {what}"), &[&scope]);
        put(&world, &right, &nobody, what, &body).is_problem(404, "not_found");
        world.post(&path, &body).bearer(&right).send().is_problem(405, "method_not_allowed");
        // Nobody's account but those of test numbers is there for a test key.
        let test = world.test_key(&format!("test for {what}"), &[&scope]);
        put(&world, &test, &account, what, &body).is_problem(404, "not_found");
        assert_eq!(put(&world, &test, &reviewed, what, &body).status, 204);
    }
    assert_eq!(supplied(&world, &account), Value::Null);
    assert_eq!(supplied(&world, &reviewed), json!({"facts": [], "friends": [], "money": true}));
}

/// A series with its rounds as they are shown; `None`: too little is known.
fn series(
    world: &World,
    account: &str,
    models: &[&str],
    told: &[&str],
    language: Language,
) -> Option<(Series, Vec<ShownRound>)> {
    let facts: Vec<Fact> =
        serde_json::from_value(supplied(world, account)["facts"].clone()).unwrap_or_default();
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (models, told) = (owned(models), owned(told));
    let id: AccountId = account.parse().unwrap();
    let service = world.service();
    let sources = Sources { facts: &facts, models: &models, told: &told };
    let (series, rounds) = service.series(id, sources, language).unwrap()?;
    Some((series, rounds.iter().map(|round| service.open_round(id, round).unwrap()).collect()))
}

#[test]
fn an_owner_who_remembers_passes_and_a_round_shows_nothing_but_its_options() {
    let world = World::new();
    let account = world.login(PHONE).signed_in().text("/account/id").to_owned();
    put(&world, &key(&world), &account, "facts", &json!({"facts": facts()}));
    let zh = ["绵阳", "覃", "2021年5月", "¥4000-4999", "钓具", "meizu 21", "呼和浩特", "2023年11月"];
    let en = ["Mianyang", "Qin", "2021-05", "¥4000-4999", "Fishing tackle", "meizu 21", "Hohhot", "2023-11"];
    for (language, answers) in [(Language::ZhCn, zh), (Language::En, en)] {
        let (mut series, rounds) = series(&world, &account, &[], &[], language).unwrap();
        assert_eq!(rounds.len(), 7);
        let mut last = series.state();
        for round in &rounds {
            let at = facts().iter().position(|fact| {
                let question = fact["question"][if language == Language::En { "en" } else { "zh" }].as_str();
                question == Some(round.question.as_str())
            });
            assert_eq!(round.options.iter().collect::<BTreeSet<_>>().len(), 9);
            let right = round.options.iter().position(|option| option == answers[at.unwrap()]);
            last = series.answer(right.unwrap());
        }
        assert_eq!(last, Answered::Over { passed: true });
    }
}

#[test]
fn asking_again_teaches_nothing_and_another_account_has_other_decoys() {
    let world = World::new();
    let one = world.login(PHONE).signed_in().text("/account/id").to_owned();
    let other = world.login("13900139000").signed_in().text("/account/id").to_owned();
    let key = key(&world);
    for account in [&one, &other] {
        put(&world, &key, account, "facts", &json!({"facts": facts()}));
    }
    let of_category = |account: &str| {
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            let (_, rounds) = series(&world, account, &[], &[], Language::En).unwrap();
            let asked = rounds.into_iter().filter(|round| round.question == "首次购买的商品?");
            seen.extend(asked.map(|round| round.options.into_iter().collect::<BTreeSet<_>>()));
        }
        seen
    };
    assert_eq!(of_category(&one).len(), 1, "always the same nine");
    assert_ne!(of_category(&one), of_category(&other));
    // Nor if the app says it once more.
    let before = of_category(&one);
    put(&world, &key, &one, "facts", &json!({"facts": facts()}));
    assert_eq!(of_category(&one), before);
}

#[test]
fn nothing_is_asked_that_the_asker_was_told_or_has_said() {
    let world = World::new();
    let account = world.login(PHONE).signed_in().text("/account/id").to_owned();
    let key = key(&world);
    put(&world, &key, &account, "facts", &json!({"facts": facts()}));
    let asks = |models: &[&str], told: &[&str]| {
        let mut questions = BTreeSet::new();
        for _ in 0..20 {
            let drawn = series(&world, &account, models, told, Language::ZhCn);
            questions.extend(drawn.into_iter().flat_map(|(_, rounds)| rounds).map(|round| round.question));
        }
        questions
    };
    let model = "您曾用下列哪款手机登录过这个账号？";
    assert_eq!(asks(&[], &[]).len(), 8);
    assert!(asks(&["iPhone14,5", "unheard of"], &[]).contains(model));
    // The asker holds such a phone, or was told the year, or reads the name of the profile.
    assert!(!asks(&["iPhone14,5"], &["iPhone14,5"]).contains(model));
    assert!(!asks(&["iPhone14,5"], &["2021"]).contains("首次购买的月份"));
    assert!(!asks(&[], &["覃小明"]).contains("最常收货人的姓"));
    assert!(asks(&[], &["2021", "覃小明"]).is_empty(), "six are too few");
    // Of two phones that were used one is never a decoy of the other.
    for _ in 0..20 {
        let (_, rounds) = series(&world, &account, &["iPhone14,5", "vivo X100"], &[], Language::En).unwrap();
        for round in rounds.iter().filter(|round| round.question.starts_with("Which of these phones")) {
            let used =
                round.options.iter().filter(|option| ["iPhone 13", "vivo X100"].contains(&option.as_str()));
            assert_eq!(used.count(), 1);
        }
    }
}
