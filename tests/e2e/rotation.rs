//! Time passes and keys change: one deployment, restarted over the same state.

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    client::{fresh_phone, get, post, random},
    jose::{
        header_of, shared_key, sign_with_secret, signing_key, unsigned, verify_by_jwks, verify_by_secret,
    },
    login::{access_token, sign_in, who_am_i},
    stack::Recipe,
    story,
    tokens::{REFRESH, must_be_refused},
};

const DAY: i64 = 86_400;

pub(crate) fn stories() -> Vec<Trial> {
    vec![story("rotation: old keys verify, new ones sign, and time ends tokens and sessions", keys_and_time)]
}

async fn keys_and_time() {
    let [first, second] = ["first", "second"].map(|kid| signing_key(kid).1);
    let (secret, shared) = shared_key("shared");
    let recipe = Recipe::new("rotation").var("SIGNING_KEYS", &key_set(&[&first]));

    // 1. One key.
    let stack = recipe.start();
    let phone = fresh_phone("183");
    let login = sign_in(&stack, &phone).await;
    let idle = sign_in(&stack, &phone).await;
    let old_token = access_token(&login).to_owned();
    assert_eq!(header_of(&old_token)["kid"], "first");
    verify_by_jwks(&stack, &old_token).await;
    stack.stop(Signal::TERM);

    // 2. Five minutes later, another key comes first.
    let recipe = recipe.clock_skew(300).var("SIGNING_KEYS", &key_set(&[&second, &first]));
    let stack = recipe.start();
    who_am_i(&stack, &old_token).await;
    verify_by_jwks(&stack, &old_token).await;
    let jwks = get(&stack, "/.well-known/jwks.json").send().await.ok();
    let kids: Vec<&Value> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, ["second", "first"]);
    let refreshed = post(&stack, REFRESH, &json!({ "refreshToken": login["session"]["refreshToken"] }));
    let refreshed = refreshed.send().await.ok();
    let new_token = access_token(&refreshed);
    assert_eq!(header_of(new_token)["kid"], "second");
    verify_by_jwks(&stack, new_token).await;
    who_am_i(&stack, new_token).await;
    let again = sign_in(&stack, &phone).await;
    assert_eq!(again["account"]["id"], login["account"]["id"], "the account survives a restart");
    stack.stop(Signal::TERM);

    // 3. Ten minutes later, a shared secret signs, and the first key is gone.
    let recipe = recipe.clock_skew(610).var("SIGNING_KEYS", &key_set(&[&shared, &second]));
    let stack = recipe.start();
    must_be_refused(&stack, &old_token, "its key was removed").await;
    who_am_i(&stack, new_token).await;
    let jwks = get(&stack, "/.well-known/jwks.json").send().await;
    assert_eq!(jwks.ok()["keys"].as_array().unwrap().len(), 1, "a shared secret is never published");
    let shared_login = sign_in(&stack, &phone).await;
    let shared_token = access_token(&shared_login);
    assert_eq!(header_of(shared_token)["alg"], "HS256");
    assert_eq!(header_of(shared_token)["kid"], "shared");
    let claims = verify_by_secret(&stack, shared_token, &secret);
    assert_eq!(claims["sub"], login["account"]["id"]);
    who_am_i(&stack, shared_token).await;
    for stranger in [random::<32>(), [0; 32]] {
        let forged = sign_with_secret("shared", &claims, &stranger);
        must_be_refused(&stack, &forged, "signed with another secret").await;
    }
    let forged = format!("{}.", unsigned("none", "shared", &claims));
    must_be_refused(&stack, &forged, "alg none under the shared key's name").await;
    stack.stop(Signal::TERM);

    // 4. A month later: whoever did not come back must sign in again, and finds the same account.
    let recipe = recipe.clock_skew(31 * DAY);
    let stack = recipe.start();
    must_be_refused(&stack, new_token, "it expired").await;
    must_be_refused(&stack, shared_token, "it expired").await;
    let body = json!({ "refreshToken": idle["session"]["refreshToken"] });
    post(&stack, REFRESH, &body).send().await.problem(401, "session_expired");
    let again = sign_in(&stack, &phone).await;
    assert_eq!(again["account"]["id"], login["account"]["id"]);
    assert_eq!(again["account"]["isNew"], false);
    stack.stop(Signal::TERM);
}

fn key_set(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}
