//! What the carrier says, over HTTP, against the sandbox's own protocol.

use libtest_mimic::Trial;
use serde_json::json;

use super::{DAY, are_two, asked, by_password, claim, comes, later, ming, recipe, tell};
use crate::{passwords::person, story};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("recycled: what the carrier says was sold is never his, and never offered as such", reassigned),
        story("recycled: not reassigned is enough for basic and social, and not for money", by_profile),
        story("recycled: a carrier that is down leads to the question, in time", silent),
    ]
}

async fn reassigned() {
    let (stack, ming) = (later(), ming());
    tell(
        stack,
        "/sandbox/people",
        &json!({ "phone": ming.phone, "reassigned": [super::in_days(super::LATER - 10)] }),
    )
    .await;
    let comes = comes(stack, &ming.phone).await;
    assert_eq!(
        (&comes["status"], &comes["reason"], &comes["choices"], &comes["methods"]),
        (&json!("step_up_required"), &json!("number_recycled"), &json!(["not_mine"]), &json!([])),
        "{comes}"
    );
    assert_eq!(comes.get("hints"), None);
    claim(stack, &comes, "mine").await.problem(400, "invalid_request");
    by_password(stack, &comes, &ming.password).await.problem(403, "proof_failed");
    let hong = claim(stack, &comes, "not_mine").await.ok();
    are_two(stack, &ming, &hong).await;
}

async fn by_profile() {
    let recipe = recipe("profiles");
    let people = {
        let stack = recipe.clone().start();
        [person(&stack, "137").await, person(&stack, "137").await, person(&stack, "137").await]
    };
    for (profile, person, is_in) in
        [("basic", &people[0], true), ("social", &people[1], true), ("money", &people[2], false)]
    {
        let stack = recipe.clone().clock_skew(super::LATER * DAY).var("PROFILE", profile).start();
        tell(&stack, "/sandbox/people", &json!({ "phone": person.phone })).await;
        if is_in {
            let login = comes(&stack, &person.phone).await;
            assert_eq!(login["account"]["id"], person.login["account"]["id"], "{profile}: {login}");
        } else {
            let held = asked(&stack, &person.phone).await;
            assert_eq!(held["need"], 3, "{held}");
        }
    }
}

async fn silent() {
    let (stack, ming) = (later(), ming());
    for kind in ["hang", "http_500", "garbage"] {
        for provider in ["chuanglan_data", "aliyun_number"] {
            tell(stack, "/sandbox/faults", &json!({ "provider": provider, "rate": 1, "kind": kind })).await;
        }
        asked(stack, &ming.phone).await;
        for provider in ["chuanglan_data", "aliyun_number"] {
            tell(stack, "/sandbox/faults", &json!({ "provider": provider, "rate": 0, "kind": kind })).await;
        }
    }
}
