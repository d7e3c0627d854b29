//! What belongs to somebody else proves nothing in a stranger's session, and is not to be had by one.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, must_be_done, owner, request, word};
use crate::{
    client::{Answer, Request, fresh_key, fresh_phone},
    emails,
    identities::{bind, came_back, fresh_person},
    login::{access_token, sign_in},
    numbers::{self, PHONE, TRUSTED, one_tap},
    otp::stacks,
    story,
};

const PROOF: &str = "/v1/session/proof";

pub(super) fn stories() -> Vec<Trial> {
    vec![
        story("isolation: others' codes, passwords and third parties prove nothing", proofs),
        story("isolation: what is another's is in use, and no more is said", in_use),
    ]
}

async fn proofs() {
    let stack = stacks::main();
    let owner = owner(stack).await;
    let stranger = sign_in(stack, &fresh_phone("153")).await;
    let put = |path, body| request(stack, &stranger, Method::PUT, path, body);
    let prove = |proof: Value| request(stack, &stranger, Method::POST, PROOF, json!({ "proof": proof }));
    let nobody = fresh_phone("153");
    // 1. Passwords.
    let nobodys = word("wrong password", "another ");
    let new = word("new password", "strange ");
    let both = [&owner.password, &nobodys];
    let puts = both.map(|old| put(PASSWORD, json!({ "newPassword": new, "currentPassword": old })));
    owner.is_as_nobody(stack, "password", (403, "proof_failed"), puts).await;
    let proofs = both.map(|password| prove(json!({ "type": "password", "password": password })));
    owner.is_as_nobody(stack, "proof by password", (403, "proof_failed"), proofs).await;
    // 2. The carrier's word for a number that is not one's own.
    let both = [one_tap(stack, &owner.phone).await, one_tap(stack, &nobody).await];
    owner.is_as_nobody(stack, "proof by number", (403, "proof_failed"), both.map(prove)).await;
    let both = [one_tap(stack, &owner.phone).await, one_tap(stack, &nobody).await];
    let puts = both.map(|proof| put(PASSWORD, json!({ "newPassword": new, "numberProof": proof })));
    owner.is_as_nobody(stack, "password by number", (403, "proof_failed"), puts).await;
    // 3. A third party's.
    let mut both = Vec::new();
    for person in [owner.third_party.clone(), json!({ "subject": fresh_person() })] {
        let (mut proof, own) = came_back(stack, "wechat", "default", person).await;
        (proof["type"], proof["kind"]) = (json!("identity"), json!("wechat"));
        both.push(prove(proof).header("x-onetap-device", own));
    }
    let both = <[Request; 2]>::try_from(both).ok().unwrap();
    owner.is_as_nobody(stack, "proof by identity", (403, "proof_failed"), both).await;
    // 4. Codes that were sent to the owner's session, which they can go on to use.
    let address = emails::fresh_address();
    let by_mail = emails::code_for(stack, access_token(&owner.login), &address, "bind").await;
    let by_sms = numbers::otp(stack, &owner.login, &owner.phone, "step_up").await;
    let change = numbers::otp(stack, &owner.login, &nobody, "change_phone").await;
    let not_sent = |code: &Value| {
        let mut other = code.clone();
        other["challengeId"] = json!(format!("{}A", code["challengeId"].as_str().unwrap()));
        other
    };
    let both = [by_mail.clone(), not_sent(&by_mail)];
    let both = both.map(|code| request(stack, &stranger, Method::POST, "/v1/account/identities/email", code));
    owner.is_as_nobody(stack, "address by code", (401, "otp_incorrect"), both).await;
    let both = [by_sms.clone(), not_sent(&by_sms)].map(prove);
    owner.is_as_nobody(stack, "proof by code", (401, "otp_incorrect"), both).await;
    for (method, path) in [(Method::PUT, PHONE), (Method::POST, TRUSTED)] {
        let both = [change.clone(), not_sent(&change)];
        let both =
            both.map(|code| request(stack, &stranger, method.clone(), path, json!({ "numberProof": code })));
        owner.is_as_nobody(stack, path, (401, "otp_incorrect"), both).await;
    }
    must_be_done(&request(stack, &owner.login, Method::POST, PROOF, json!({ "proof": by_sms })).send().await);
    must_be_done(
        &request(stack, &owner.login, Method::PUT, PHONE, json!({ "numberProof": change })).send().await,
    );
    // 5. And the words of a third party that the owner went for.
    let (mut code, own) = came_back(stack, "qq", "default", json!({ "subject": fresh_person() })).await;
    let qq = "/v1/account/identities/qq";
    let stolen =
        request(stack, &stranger, Method::POST, qq, code.clone()).header("x-onetap-device", fresh_key());
    stolen.send().await.problem(401, "invalid_credentials");
    let honest = request(stack, &owner.login, Method::POST, qq, code.take()).header("x-onetap-device", own);
    must_be_done(&honest.send().await);
}

async fn in_use() {
    let stack = stacks::main();
    let owner = owner(stack).await;
    let stranger = sign_in(stack, &fresh_phone("153")).await;
    let bare = |answer: &Answer, code: &str| {
        let said = answer.problem(409, code);
        let names: Vec<&String> = said.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "detail", "requestId", "status", "title", "type"]);
    };
    let name = json!({ "username": owner.username.to_uppercase() });
    let path = "/v1/account/identities/username";
    let answer = request(stack, &stranger, Method::POST, path, name).send().await;
    bare(&answer, "identity_in_use");
    owner.is_untouched(stack, path, &answer).await;
    let answer = bind(stack, &stranger, "wechat", owner.third_party.clone()).await;
    bare(&answer, "identity_in_use");
    owner.is_untouched(stack, "wechat", &answer).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let code = emails::code_for(stack, access_token(&stranger), &owner.address, "bind").await;
    let path = "/v1/account/identities/email";
    let answer = request(stack, &stranger, Method::POST, path, code).send().await;
    bare(&answer, "identity_in_use");
    owner.is_untouched(stack, path, &answer).await;
    let answer = numbers::to(stack, &stranger, &owner.phone).await;
    bare(&answer, "phone_in_use");
    owner.is_untouched(stack, PHONE, &answer).await;
    // A number may confirm several people; that it is somebody's own is not said.
    let mut shown = Vec::new();
    for phone in [&owner.phone, &fresh_phone("153")] {
        let body = json!({ "numberProof": one_tap(stack, phone).await });
        let answer = request(stack, &stranger, Method::POST, TRUSTED, body).send().await;
        must_be_done(&answer);
        owner.is_untouched(stack, TRUSTED, &answer).await;
        shown.push(answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    }
    assert_eq!(shown[0], shown[1]);
}
