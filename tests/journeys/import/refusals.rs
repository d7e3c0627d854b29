//! What is refused, and what is said about it.

use serde_json::{Value, json};

use super::{OTHER, PHONE, agreed, batch, counts, import, importer, raw};
use crate::world::{World, objects::Kind};

/// Name and problem of each field that is wrong with the one line.
fn problems(line: &Value) -> Vec<(String, String)> {
    let world = World::new();
    let answer = import(&world, std::slice::from_ref(line));
    assert_eq!(counts(&answer), [0, 0, 1], "{}", answer.body);
    assert!(world.objects.states(Kind::Account).is_empty() && world.objects.states(Kind::Handle).is_empty());
    let problems = answer.body["lines"][0]["problems"].as_array().unwrap();
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    problems.iter().map(|problem| (text(problem, "name"), text(problem, "problem"))).collect()
}

fn names(line: &Value) -> Vec<String> {
    problems(line).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn each_field_is_read_as_strictly_as_when_its_owner_sends_it() {
    let with = |name: &str, value: Value| {
        let mut line = json!({"externalId": "7", "phone": PHONE});
        line[name] = value;
        line
    };
    for (name, value) in [
        ("externalId", json!("")),
        ("externalId", json!("x".repeat(129))),
        ("phone", json!("12345")),
        ("phoneProvenAt", json!("yesterday")),
        ("phoneProvenAt", json!("2026-11-20T04:00:01Z")),
        ("phoneProvenAt", json!(1_700_000_000)),
        ("email", json!("nobody")),
        ("emailProvenAt", json!("2026-01-01T00:00:00Z")),
        ("username", json!("13800138000")),
        ("identities", json!({"kind": "wechat"})),
        ("identities", json!(["wechat"])),
        ("identities.0.kind", json!([{"kind": "wechat", "subject": "u:x"}])),
        ("identities.0.subject", json!([{"kind": "wechat", "subject": "union"}])),
        ("password", json!("plain text")),
        ("displayName", json!("a\u{7}b")),
        ("displayName", json!("  ")),
        ("avatarUrl", json!("http://a.example/")),
        ("locale", json!("中文")),
        ("realName", json!("perhaps")),
        ("realName", json!(true)),
        ("realName.state", json!({"state": "none", "name": "林黛玉"})),
        ("realName.state", json!({"name": "林黛玉"})),
        ("realName.name", json!({"state": "verified"})),
        ("realName.name", json!({"state": "verified", "name": "林\n黛玉"})),
        ("realName.born", json!({"state": "verified", "name": "林黛玉", "born": 1759})),
        // Of 15 digits; a wrong check; 31 February.
        ("realName.idNumber", json!({"state": "verified", "name": "林黛玉", "idNumber": "110105491231002"})),
        (
            "realName.idNumber",
            json!({"state": "verified", "name": "林黛玉", "idNumber": "110105194912310021"}),
        ),
        (
            "realName.idNumber",
            json!({"state": "verified", "name": "林黛玉", "idNumber": "110105194902310026"}),
        ),
        ("createdAt", json!("2030-01-01T00:00:00Z")),
        ("phoneNumber", json!(PHONE)),
    ] {
        let line = with(name.split('.').next().unwrap(), value);
        assert_eq!(names(&line), [name], "{line}");
    }
    assert_eq!(names(&json!({"phone": PHONE})), ["externalId"]);
    for alone in [json!({}), json!({"username": "xiaoming"}), json!({"email": "a@b.example"})] {
        let mut line = alone.clone();
        line["externalId"] = json!("7");
        assert_eq!(names(&line), ["phone"], "nothing leads in: {line}");
    }
    let hash = |text: &str| problems(&with("password", json!(text)))[0].1.clone();
    assert_eq!(hash("$1$etNnh7FA$OlM7eljE/B7F1J4XYNnk81"), "password_hash_unknown");
    assert_eq!(
        hash("$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        "password_hash_too_costly"
    );
    assert_eq!(hash("$2b$05$short"), "password_hash_malformed");
}

#[test]
fn a_refused_line_holds_up_no_other_and_nothing_of_it_is_repeated() {
    let world = World::new();
    let lines = format!(
        "{}\r\n\nnot json {PHONE}\n{}\n{}\n",
        json!({"externalId": "1", "phone": PHONE}),
        json!({"externalId": "2", "phone": OTHER, "email": "xiao.ming@", "password": "s3cret hash"}),
        json!({"externalId": "3", "phone": "13700137000"}),
    );
    let answer = raw(&world, &importer(&world), &lines).send();
    assert_eq!(counts(&answer), [2, 0, 2]);
    let lines = answer.body["lines"].as_array().unwrap();
    let said: Vec<_> =
        lines.iter().map(|line| (line["line"].as_u64().unwrap(), line["status"].as_str().unwrap())).collect();
    assert_eq!(said, [(1, "imported"), (3, "refused"), (4, "refused"), (5, "imported")]);
    assert_eq!(lines[1]["problems"], json!([{"name": "line", "problem": "is not a JSON object in UTF-8"}]));
    assert_eq!((&lines[1]["externalId"], &lines[2]["externalId"]), (&Value::Null, &json!("2")));
    for secret in ["13800138000", "13900139000", "xiao.ming", "s3cret"] {
        assert!(!answer.body.to_string().contains(secret), "{secret}");
    }
    assert_eq!(agreed(&world).len(), 2);
}

#[test]
fn who_may_not_import_imports_nothing() {
    let world = World::new();
    let lines = [json!({"externalId": "1", "phone": PHONE})];
    batch(&world, "oak_none", &lines).send().is_problem(401, "unauthenticated");
    batch(&world, &world.api_key("reader", &["phone:read"]), &lines).send().is_problem(403, "forbidden");
    batch(&world, &world.test_key("test", &["account:import"]), &lines).send().is_problem(403, "forbidden");
    let key = importer(&world);
    batch(&world, &key, &lines)
        .header("content-type", "application/json")
        .send()
        .is_problem(415, "unsupported_media_type");
    raw(&world, &key, "\n \n").send().is_problem(400, "invalid_request");
    let many: Vec<Value> = (0..101).map(|nth| json!({"externalId": nth.to_string()})).collect();
    let answer = batch(&world, &key, &many).send();
    answer.is_problem(400, "invalid_request");
    assert_eq!(answer.body["fields"], json!([{"name": "lines", "problem": "must be 1 to 100, and are 101"}]));
    assert!(world.objects.states(Kind::Account).is_empty() && world.back_office().audit.is_empty());
    assert_eq!(counts(&batch(&world, &key, &lines).send()), [1, 0, 0]);
    let audit: Vec<_> = world
        .back_office()
        .audit
        .iter()
        .map(|row| (row.action.name(), row.actor.clone(), row.subject.clone()))
        .collect();
    assert_eq!(audit, [("account.import", "api_key:importer".to_owned(), "lines:1".to_owned())]);
}

#[test]
fn what_leads_to_another_account_refuses_the_whole_line_and_frees_the_rest() {
    let world = World::new();
    let owner = world.login(OTHER).signed_in();
    let name = json!({"username": "xiaoming"});
    let bind =
        world.post("/v1/account/identities/username", &name).bearer(owner.text("/session/accessToken"));
    assert_eq!(bind.send().status, 204);
    let password = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let line = |phone: &str, name: &str| json!({"externalId": "7", "phone": phone, "email": "a@b.example", "username": name, "password": password});
    for (line, field) in [(line(PHONE, "xiaoming"), "username"), (line(OTHER, "other"), "phone")] {
        let answer = import(&world, &[line]);
        assert_eq!(counts(&answer), [0, 0, 1]);
        let problem = json!([{"name": field, "problem": "is another account's"}]);
        assert_eq!(answer.body["lines"][0]["problems"], problem);
        assert!(!answer.body.to_string().contains(owner.text("/account/id")));
        let held = world.objects.states(Kind::Handle);
        assert_eq!(held.iter().filter(|(_, state)| state["state"].get("holder").is_some()).count(), 2);
        world.run_alarms();
        assert_eq!(world.objects.states(Kind::Account).len(), 1, "nothing is left of it");
        assert_eq!(agreed(&world).len(), 2);
    }
    // Corrected, the line is good.
    assert_eq!(counts(&import(&world, &[line(PHONE, "other")])), [1, 0, 0]);
    assert_eq!(agreed(&world).len(), 5);
    // And what it says from now on changes nothing.
    assert_eq!(counts(&import(&world, &[line("13700137000", "third")])), [0, 1, 0]);
    assert_eq!(agreed(&world).len(), 5);
}

#[test]
fn of_two_lines_with_one_number_the_first_has_it() {
    let world = World::new();
    let lines = ["1", "2"].map(|id| json!({"externalId": id, "phone": PHONE}));
    let answer = import(&world, &lines);
    assert_eq!(counts(&answer), [1, 0, 1]);
    assert_eq!(answer.body["lines"][1]["problems"][0]["name"], "phone");
    world.run_alarms();
    assert_eq!(counts(&import(&world, &lines)), [0, 1, 1]);
}
