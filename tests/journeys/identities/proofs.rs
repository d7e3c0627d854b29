//! A third party's word as a fresh proof.

use std::time::Duration;

use serde_json::json;

use super::{
    OWN,
    accounts::{PHONE, XIAOGANG, XIAOHONG, account, bind, bind_body, log_in, log_in_with},
};
use crate::world::identities::{XIAOMING, world};

#[test]
fn a_third_partys_word_is_a_fresh_proof_of_ones_own_account_only() {
    let world = world();
    let me = log_in(&world, "wechat", "default", XIAOMING).signed_in();
    log_in(&world, "wechat", "default", XIAOHONG).signed_in();
    world.pass(Duration::from_secs(601));
    let body = json!({"refreshToken": me.text("/session/refreshToken")});
    let me = world.post("/v1/session/refresh", &body).send();
    let bearer = me.text("/session/accessToken");
    let export = || world.get("/v1/account/export").bearer(bearer).send();
    assert_eq!(export().body["proofs"], json!(["wechat"]));
    let spent = bind(&world, &me, "qq", XIAOMING);
    spent.is_problem(403, "reauthentication_required");
    assert_eq!(world.third_parties.times_asked("/oauth2.0/token"), 0, "nothing was spent");
    let prove = |person| {
        let mut proof = bind_body(&world, "wechat", person);
        proof["type"] = json!("identity");
        proof["kind"] = json!("wechat");
        let ask = world.post("/v1/session/proof", &json!({"proof": proof}));
        ask.bearer(bearer).header("x-onetap-device", OWN).send()
    };
    prove(XIAOHONG).is_problem(403, "proof_failed");
    prove(XIAOGANG).is_problem(403, "proof_failed");
    assert_eq!(prove(XIAOMING).status, 204);
    assert_eq!(export().status, 200);
}

#[test]
fn a_third_partys_word_beside_another_number_is_a_fresh_proof_too() {
    let world = world();
    let me = log_in_with(&world, XIAOMING, PHONE).signed_in();
    world.pass(Duration::from_secs(601));
    let body = json!({"refreshToken": me.text("/session/refreshToken")});
    let me = world.post("/v1/session/refresh", &body).send();
    let mut proof = bind_body(&world, "wechat", XIAOMING);
    proof["type"] = json!("identity");
    proof["kind"] = json!("wechat");
    let number = json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": world.providers.token("13900139000")}});
    let ask = world.put("/v1/account/phone", &json!({"numberProof": number, "proof": proof}));
    let changed = ask.bearer(me.text("/session/accessToken")).header("x-onetap-device", OWN).send();
    assert_eq!(changed.status, 204, "{}", changed.body);
    assert_eq!(
        account(&world.login("13900139000").signed_in()),
        account(&log_in(&world, "wechat", "default", XIAOMING))
    );
}
