//! Third parties that misbehave, and clients that do.

use libtest_mimic::Trial;
use serde_json::json;

use super::{came_back, fresh_person, log_in};
use crate::{
    client::{fresh_device, fresh_key, post},
    leaks, stack, story,
};

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("identities: codes, secrets and ID tokens that are not good sign nobody in", not_good),
        story("identities: a state is good once, in its own browser", states),
        story("identities: a profile that fails keeps nobody out", profile_failing),
        story("identities: a third party that is down says so, and offers another way", down),
    ]
}

async fn not_good() {
    let stack = stack::main();
    let everywhere = ["reused_code"];
    let of_openid = ["nonce_mismatch", "expired_id_token", "wrong_issuer", "alg_none"];
    for (kind, behaviours) in [
        ("wechat", &everywhere[..]),
        ("qq", &everywhere),
        ("weibo", &everywhere),
        ("corp", &everywhere),
        ("corp", &of_openid),
    ] {
        for behaviour in behaviours {
            let person = json!({ "subject": fresh_person(), "behaviour": behaviour });
            log_in(stack, kind, "default", person).await.problem(401, "invalid_credentials");
        }
    }
    // Our account with them is at fault: not the person's doing.
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let person = json!({ "subject": fresh_person(), "behaviour": "wrong_secret" });
        log_in(stack, kind, "default", person).await.problem(503, "identity_unavailable");
    }
}

async fn states() {
    let stack = stack::main();
    for kind in ["wechat", "corp"] {
        let path = format!("/v1/identities/{kind}/login");
        let (mut body, own) = came_back(stack, kind, "default", json!({ "subject": fresh_person() })).await;
        body["device"] = fresh_device();
        // Another browser, none at all, another login's state, none.
        let stranger = fresh_key();
        leaks::note("binding", &stranger);
        post(stack, &path, &body)
            .header("x-onetap-device", &stranger)
            .send()
            .await
            .problem(401, "invalid_credentials");
        post(stack, &path, &body).send().await.problem(401, "invalid_credentials");
        let (other, _) = came_back(stack, kind, "default", json!({ "subject": fresh_person() })).await;
        let mut mixed = body.clone();
        mixed["state"] = other["state"].clone();
        post(stack, &path, &mixed)
            .header("x-onetap-device", &own)
            .send()
            .await
            .problem(401, "invalid_credentials");
        // It is good all the same, once: with the same code or another.
        post(stack, &path, &body).header("x-onetap-device", &own).send().await.ok();
        post(stack, &path, &body)
            .header("x-onetap-device", &own)
            .send()
            .await
            .problem(401, "invalid_credentials");
        let (other, _) = came_back(stack, kind, "default", json!({ "subject": fresh_person() })).await;
        let mut replayed = body.clone();
        replayed["code"] = other["code"].clone();
        post(stack, &path, &replayed)
            .header("x-onetap-device", &own)
            .send()
            .await
            .problem(401, "invalid_credentials");
    }
}

async fn profile_failing() {
    let stack = stack::main();
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let person =
            json!({ "subject": fresh_person(), "nickname": "Unseen", "behaviour": "profile_failing" });
        let login = log_in(stack, kind, "default", person).await.ok();
        assert_eq!(
            (&login["account"]["isNew"], login["account"].get("displayName")),
            (&json!(true), None),
            "{kind}"
        );
    }
}

async fn down() {
    let stack = stack::main();
    for behaviour in ["http_500", "garbage", "hang"] {
        let person = json!({ "subject": fresh_person(), "behaviour": behaviour });
        let answer = log_in(stack, "wechat", "default", person).await;
        answer.problem(503, "identity_unavailable");
        assert!(answer.text().contains(r#""fallback":["otp"]"#), "{}", answer.text());
    }
}
