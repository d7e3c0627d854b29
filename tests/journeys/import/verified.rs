//! Who somebody is by law comes along, and nobody is shown it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{OTHER, PHONE, counts, import};
use crate::world::{World, objects::Kind};

/// The example of GB 11643-1999, annex A.
const ID_NUMBER: &str = "11010519491231002X";

fn verified(world: &World, account: &str) -> Value {
    world.objects.states(Kind::Account)[account]["state"]["verified"].clone()
}

#[test]
fn the_name_is_kept_sealed_and_the_number_as_a_digest_until_the_account_is_gone() {
    let world = World::new();
    let real_name = |id: &str| json!({"state": "verified", "name": "林黛玉", "idNumber": id});
    let lines = [
        json!({"externalId": "1", "phone": PHONE, "phoneProvenAt": "2026-11-19T04:00:00Z", "realName": real_name(ID_NUMBER)}),
        json!({"externalId": "2", "phone": OTHER, "phoneProvenAt": "2026-11-19T04:00:00Z", "realName": real_name(&ID_NUMBER.to_lowercase())}),
        json!({"externalId": "3", "phone": "13700137000", "phoneProvenAt": "2026-11-19T04:00:00Z", "realName": {"state": "verified", "name": "贾"}}),
    ];
    let report = import(&world, &lines);
    assert_eq!(counts(&report), [3, 0, 0]);
    let [one, two, three] = [0, 1, 2].map(|line| report.text(&format!("/lines/{line}/account")).to_owned());
    // One person has the same digest, however it is written; the seals differ.
    assert_eq!(verified(&world, &one)["id"], verified(&world, &two)["id"]);
    assert_ne!(verified(&world, &one)["name"], verified(&world, &two)["name"]);
    assert_eq!(verified(&world, &three).get("id"), None);
    for secret in [ID_NUMBER, "11010519491231002", "林黛玉"] {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
    // 1. Shown are the state, and in an export a mask.
    let login = world.login(PHONE).signed_in();
    let bearer = login.text("/session/accessToken");
    assert_eq!(login.body["account"]["realName"], "verified");
    let own = world.get("/v1/account").bearer(bearer).send();
    assert_eq!(own.body["realName"], "verified");
    let export = world.get("/v1/account/export").bearer(bearer).send();
    assert_eq!(export.body["verifiedName"], "林**");
    for answer in [&report, &login, &own, &export] {
        for secret in ["黛", "19491231", "k1."] {
            assert!(!answer.body.to_string().contains(secret), "{secret}");
        }
    }
    let bearer = world.login("13700137000").signed_in().text("/session/accessToken").to_owned();
    let export = world.get("/v1/account/export").bearer(&bearer).send();
    assert_eq!(export.body["verifiedName"], "*");
    // 2. Deleted, it goes with the rest.
    let deleted = world.delete("/v1/account").bearer(login.text("/session/accessToken")).send();
    assert_eq!(deleted.status, 202);
    world.run_alarms();
    assert_ne!(verified(&world, &one), Value::Null);
    world.pass(Duration::from_secs(15 * 86_400));
    world.run_alarms();
    let kept = world.objects.states(Kind::Account).get(&one).map(|state| state["state"].clone());
    assert!(
        kept.as_ref().is_none_or(|state| state.get("verified").is_none() && state.get("profile").is_none()),
        "{kept:?}"
    );
}
