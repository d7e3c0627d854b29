//! OpenID Connect: an ID token must be the issuer's, for us, of now, and for this very login.

use std::time::Duration;

use super::*;

#[test]
fn an_id_token_that_is_not_as_it_must_be() {
    for (trouble, code) in [
        ("nonce", "id_token_nonce"),
        ("expired", "id_token_exp"),
        ("issuer", "id_token_iss"),
        ("alg_none", "id_token_alg"),
        ("signature", "id_token_signature"),
        ("unknown_key", "id_token_kid"),
    ] {
        let world = world();
        world.third_parties.break_it(trouble);
        sign_in(&world, "corp", "default", XIAOMING).is_refused(&world);
        let told = world.metrics().pop().unwrap();
        assert_eq!((told.provider.as_str(), told.outcome), ("corp", "rejected"));
        assert_eq!(told.vendor_code.as_deref(), Some(code), "{trouble}");
    }
}

#[test]
fn what_the_issuer_publishes_is_kept_and_a_new_key_is_looked_for() {
    let world = world();
    let asked = |path| world.third_parties.times_asked(path);
    for _ in 0..3 {
        sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    }
    assert_eq!((asked("/oidc/.well-known/openid-configuration"), asked("/oidc/keys")), (1, 1));
    // ES256 now, under another name.
    world.third_parties.break_it("rotated");
    sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    assert_eq!(asked("/oidc/keys"), 2);
    world.pass(Duration::from_secs(3600));
    sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    assert_eq!((asked("/oidc/.well-known/openid-configuration"), asked("/oidc/keys")), (2, 3));
}

#[test]
fn what_cannot_be_read_is_not_kept() {
    let world = world();
    world.third_parties.break_it("garbage");
    authorize(&world, "corp", "default").is_problem(503, "identity_unavailable");
    crate::world::locked(&world.third_parties.trouble).clear();
    world.third_parties.break_it("discovery");
    let answer = authorize(&world, "corp", "default");
    answer.is_problem(503, "identity_unavailable");
    assert_eq!(answer.body["fallback"], serde_json::json!(["otp"]));
    assert_eq!(world.metrics().last().unwrap().vendor_code.as_deref(), Some("discovery_unreadable"));
    crate::world::locked(&world.third_parties.trouble).clear();
    sign_in(&world, "corp", "default", XIAOMING).proven(&world);
}

#[test]
fn ed25519_is_understood_too() {
    let world = world();
    world.third_parties.break_it("ed");
    sign_in(&world, "corp", "default", XIAOMING).proven(&world);
}

#[test]
fn a_code_is_worth_nothing_without_the_verifier() {
    let world = world();
    let stolen = sign_in(&world, "corp", "default", XIAOMING);
    // Somebody brings it along in a login of their own.
    let own = sign_in(&world, "corp", "default", Person { id: "oThief", ..XIAOMING });
    Login { code: stolen.code, ..own }.is_refused(&world);
}

#[test]
fn a_name_in_the_token_spares_a_call_and_a_profile_of_somebody_else_is_dropped() {
    let world = world();
    world.third_parties.break_it("name_in_token");
    let identity = sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    assert_eq!((identity.display_name.as_deref(), identity.avatar_url), (Some("小明"), None));
    assert_eq!(world.third_parties.times_asked("/oidc/me"), 0);
    let world = super::world();
    world.third_parties.break_it("other_sub");
    let identity = sign_in(&world, "corp", "default", XIAOMING).proven(&world);
    assert_eq!((identity.subjects.len(), identity.display_name), (1, None));
}
