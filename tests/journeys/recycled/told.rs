//! Who hears of it, and by which ways: never by the number that is gone.

use serde_json::json;

use super::{DAY, NUMBER, SOLD_AGAIN, asked, bearer, claim, ming, stays, used};
use crate::{
    notices::{configured, types},
    world::{Answer, World, client::device},
};

const ADDRESS: &str = "xiaoming@mail.example";

fn bind_address(world: &World, login: &Answer) {
    let body = json!({"email": ADDRESS, "purpose": "bind", "device": device()});
    let challenge = world.post("/v1/otp/send", &body).bearer(bearer(login)).send().challenge();
    let body = json!({"challengeId": challenge, "code": world.phones.mailed_code(ADDRESS)});
    let bound = world.post("/v1/account/identities/email", &body).bearer(bearer(login)).send();
    assert_eq!(bound.status, 204, "{}", bound.body);
}

/// A world that listens, in which a device is known after seven days.
fn world() -> World {
    configured(vec![("DEVICE_KNOWN_DAYS", "7".to_owned())])
}

#[test]
fn he_is_told_by_mail_and_his_backend_by_webhook_when_the_number_has_gone() {
    let world = world();
    let first = ming(&world);
    bind_address(&world, &first);
    world.pass(SOLD_AGAIN);
    let asked = asked(&world);
    world.tell();
    let (texts, mails) = (world.phones.texts(NUMBER).len(), world.phones.mails(ADDRESS).len());
    let hooks = types(&world).len();
    claim(&world, &asked, "not_mine").signed_in();
    world.tell();
    let told = world.phones.mails(ADDRESS).split_off(mails);
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("已归他人使用"), "{}", told[0].text);
    assert_eq!(world.phones.texts(NUMBER).len(), texts, "she must not read his messages");
    assert!(types(&world)[hooks..].contains(&"number.reassigned".to_owned()));
}

#[test]
fn he_is_told_on_his_phone_that_somebody_appeals_and_what_became_of_it() {
    let world = world();
    let first = ming(&world);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let asked = asked(&world);
    world.tell();
    let pushes = world.receivers.pushes().len();
    let case = super::appeals::appeal(&world, &asked, &super::appeals::vague());
    world.tell();
    let key = super::objections::key(&world, "anna");
    assert_eq!(super::objections::decide(&world, &key, case.text("/id"), "refuse").status, 200);
    world.tell();
    let told = world.receivers.pushes().split_off(pushes);
    let events: Vec<&str> = told.iter().map(|push| push.event.as_str()).collect();
    assert_eq!(events, ["appeal.opened", "appeal.decided"]);
    assert!(types(&world).contains(&"appeal.decided".to_owned()));
}

#[test]
fn who_appeals_by_the_number_does_not_read_what_the_owner_is_told_of_it() {
    let world = world();
    let first = ming(&world);
    bind_address(&world, &first);
    world.pass(SOLD_AGAIN);
    let asked = asked(&world);
    world.tell();
    let (texts, mails) = (world.phones.texts(NUMBER).len(), world.phones.mails(ADDRESS).len());
    let case = super::appeals::appeal(&world, &asked, &super::appeals::vague());
    world.tell();
    let key = super::objections::key(&world, "anna");
    assert_eq!(super::objections::decide(&world, &key, case.text("/id"), "refuse").status, 200);
    world.tell();
    assert_eq!(world.phones.texts(NUMBER).len(), texts, "it may be hers by now");
    assert_eq!(world.phones.mails(ADDRESS).len(), mails + 2, "opened, and decided");
}

#[test]
fn he_is_told_on_his_phone_and_and_by_mail_while_she_waits() {
    let world = world();
    let first = ming(&world);
    bind_address(&world, &first);
    used(&world, &first, 7);
    stays(&world, first, 120);
    let asked = asked(&world);
    world.tell();
    let (pushes, mails) = (world.receivers.pushes().len(), world.phones.mails(ADDRESS).len());
    claim(&world, &asked, "not_mine").signed_in();
    world.tell();
    let events: Vec<String> =
        world.receivers.pushes().split_off(pushes).into_iter().map(|push| push.event).collect();
    assert!(events.contains(&"number.claimed".to_owned()), "{events:?}");
    assert_eq!(world.phones.mails(ADDRESS).len(), mails + 1);
    world.pass(DAY * 3);
    world.login(NUMBER).signed_in();
    world.tell();
    assert_eq!(world.phones.mails(ADDRESS).len(), mails + 2);
}
