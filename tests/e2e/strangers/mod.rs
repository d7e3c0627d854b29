//! At no endpoint of accounts does a stranger learn or change anything of somebody else's: with their ids, codes, passwords and
//! words of third parties the answer is the one for things that there are not.

mod proofs;

use futures_util::future::join_all;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Request, fresh_device, fresh_phone, get, post, random},
    emails,
    identities::{bind, fresh_person, log_in},
    leaks,
    login::{access_token, sign_in},
    numbers::{TRUSTED, one_tap},
    otp::stacks,
    stack::Stack,
    story,
};

const PASSWORD: &str = "/v1/account/password";
const IDENTITIES: &str = "/v1/account/identities";

/// What an owner sees.
const VIEWS: [&str; 5] = ["/v1/account", IDENTITIES, "/v1/account/phones", TRUSTED, "/v1/sessions"];

pub(crate) fn stories() -> Vec<Trial> {
    let mut stories = vec![
        story("isolation: others' ids of identities and phones are as ids that there are not", ids),
        story(
            "isolation: export, profile and deletion are of one's own account, whatever a request says",
            own_only,
        ),
    ];
    stories.extend(proofs::stories());
    stories
}

struct Owner {
    login: Value,
    phone: String,
    address: String,
    username: String,
    password: String,
    third_party: Value,
    /// Every word that tells them from others.
    words: Vec<String>,
    identities: Vec<(String, String)>,
    trusted_phone: String,
    before: Vec<Value>,
}

fn word(kind: &'static str, prefix: &str) -> String {
    let letters = random::<12>().map(|byte| char::from(b'a' + byte % 26));
    let word = format!("{prefix}{}", letters.iter().collect::<String>());
    leaks::note(kind, &word);
    word
}

fn request(stack: &Stack, login: &Value, method: Method, path: &str, body: Value) -> Request {
    let request = Request::new(stack, method, path).bearer(access_token(login));
    if body.is_null() { request } else { request.json(&body) }
}

fn must_be_done(answer: &Answer) {
    assert!([201, 204].contains(&answer.status), "{}", answer.summary());
}

async fn owner(stack: &Stack) -> Owner {
    let phone = fresh_phone("153");
    let login = sign_in(stack, &phone).await;
    let [username, password, name] =
        [word("user name", "user."), word("password", "correct "), word("name", "Xiaohong ")];
    let address = emails::fresh_address();
    let third_party = json!({ "subject": fresh_person(), "nickname": name });
    let send = |method, path, body| request(stack, &login, method, path, body).send();
    must_be_done(&send(Method::PATCH, "/v1/account", json!({ "displayName": name })).await);
    let code = emails::code_for(stack, access_token(&login), &address, "bind").await;
    must_be_done(&send(Method::POST, "/v1/account/identities/email", code).await);
    let body = json!({ "username": username });
    must_be_done(&send(Method::POST, "/v1/account/identities/username", body).await);
    must_be_done(&bind(stack, &login, "wechat", third_party.clone()).await);
    must_be_done(&send(Method::PUT, PASSWORD, json!({ "newPassword": password })).await);
    let friend = json!({ "numberProof": one_tap(stack, &fresh_phone("136")).await });
    must_be_done(&send(Method::POST, TRUSTED, friend).await);
    let views = seen(stack, &login).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let identities: Vec<_> = views[1]["identities"].as_array().unwrap().clone();
    let identities =
        identities.iter().map(|known| (text(&known["kind"]), text(&known["id"]))).collect::<Vec<_>>();
    let trusted_phone = text(&views[3]["trustedPhones"][0]["id"]);
    let mut words =
        vec![phone[3..].to_owned(), address.clone(), username.clone(), name, trusted_phone.clone()];
    words.extend(["account", "session", "device"].map(|of| text(&login[of]["id"])));
    words.extend(identities.iter().map(|(_, id)| id.clone()));
    Owner {
        login,
        phone,
        address,
        username,
        password,
        third_party,
        words,
        identities,
        trusted_phone,
        before: views,
    }
}

async fn seen(stack: &Stack, login: &Value) -> Vec<Value> {
    join_all(VIEWS.map(async |path| get(stack, path).bearer(access_token(login)).send().await.ok())).await
}

impl Owner {
    /// An answer to a stranger holds nothing of them, and they see what they saw before.
    async fn is_untouched(&self, stack: &Stack, what: &str, answer: &Answer) {
        for word in &self.words {
            assert!(
                !answer.text().contains(word.as_str()),
                "{what} tells of somebody else: {}",
                answer.text()
            );
        }
        assert_eq!(seen(stack, &self.login).await, self.before, "{what}");
    }

    /// With what is theirs a stranger is answered as with what is nobody's.
    async fn is_as_nobody(
        &self,
        stack: &Stack,
        what: &str,
        expected: (u16, &str),
        [theirs, nobodys]: [Request; 2],
    ) {
        let answers = [theirs.send().await, nobodys.send().await];
        let [theirs, nobodys] = answers.each_ref().map(|answer| {
            let mut said = answer.problem(expected.0, expected.1);
            said.as_object_mut().unwrap().remove("requestId");
            said
        });
        assert_eq!(theirs, nobodys, "{what}");
        self.is_untouched(stack, what, &answers[0]).await;
    }
}

/// Another id of the same shape.
fn not(id: &str) -> String {
    let at = id.len() / 2;
    let other = if id.as_bytes()[at] == b'b' { "c" } else { "b" };
    format!("{}{other}{}", &id[..at], &id[at + 1..])
}

async fn ids() {
    let stack = stacks::main();
    let owner = owner(stack).await;
    let stranger = sign_in(stack, &fresh_phone("153")).await;
    let delete = |path: String| request(stack, &stranger, Method::DELETE, &path, Value::Null);
    // With none of the kind of one's own, and with one.
    for has_own in [false, true] {
        if has_own {
            let name = json!({ "username": word("user name", "user.") });
            let path = "/v1/account/identities/username";
            must_be_done(&request(stack, &stranger, Method::POST, path, name).send().await);
            must_be_done(&bind(stack, &stranger, "wechat", json!({ "subject": fresh_person() })).await);
        }
        let own = seen(stack, &stranger).await;
        for (kind, id) in &owner.identities {
            let both = [id.clone(), not(id)].map(|id| delete(format!("{IDENTITIES}/{kind}?id={id}")));
            owner.is_as_nobody(stack, kind, (404, "not_found"), both).await;
        }
        assert_eq!(seen(stack, &stranger).await, own, "nor does it take one's own instead");
    }
    let both = [owner.trusted_phone.clone(), not(&owner.trusted_phone)];
    let both = both.map(|id| delete(format!("{TRUSTED}/{id}")));
    owner.is_as_nobody(stack, "trusted phone", (404, "not_found"), both).await;
}

async fn own_only() {
    let stack = stacks::main();
    let owner = owner(stack).await;
    let stranger = sign_in(stack, &fresh_phone("153")).await;
    let id = owner.login["account"]["id"].as_str().unwrap();
    let own = seen(stack, &stranger).await;
    // An account is named by the session alone.
    for path in VIEWS.into_iter().chain(["/v1/account/export"]) {
        let named = format!("{path}?account={id}&id={id}&sub={id}");
        let answer = get(stack, &named).bearer(access_token(&stranger)).send().await;
        answer.ok();
        owner.is_untouched(stack, path, &answer).await;
    }
    for name in ["id", "account", "accountId"] {
        let body = json!({ "displayName": "Taken", name: id });
        let answer = request(stack, &stranger, Method::PATCH, "/v1/account", body).send().await;
        answer.problem(400, "invalid_request");
        owner.is_untouched(stack, name, &answer).await;
    }
    assert_eq!(seen(stack, &stranger).await, own);
    // What is not an access token is nobody's session.
    let refresh = owner.login["session"]["refreshToken"].as_str().unwrap();
    let device = owner.login["device"]["token"].as_str().unwrap();
    for token in [refresh, device, id, &not(access_token(&owner.login))] {
        for path in VIEWS.into_iter().chain(["/v1/account/export"]) {
            let answer = get(stack, path).bearer(token).send().await;
            answer.problem(401, "unauthenticated");
            owner.is_untouched(stack, path, &answer).await;
        }
    }
    let path = format!("/v1/account?account={id}&id={id}");
    let answer = request(stack, &stranger, Method::DELETE, &path, Value::Null).send().await;
    assert_eq!(answer.status, 202, "{}", answer.summary());
    owner.is_untouched(stack, "deletion", &answer).await;
    get(stack, "/v1/account").bearer(access_token(&stranger)).send().await.problem(401, "unauthenticated");
    // All their ways in lead to them as before.
    let body = json!({ "identifier": owner.address, "password": owner.password, "device": fresh_device() });
    let by_password = post(stack, "/v1/password/login", &body).send().await.ok();
    let by_identity = log_in(stack, "wechat", "default", owner.third_party.clone()).await.ok();
    for login in [by_password, by_identity, sign_in(stack, &owner.phone).await] {
        assert_eq!(login["account"]["id"], id);
    }
}
