//! The account's machine: what one sign-in does, and what must hold after any sequence of operations.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use serde::de::DeserializeOwned;

use super::{
    super::{
        device::{DeviceProfile, Presented},
        device_trust::TrustRules,
        login::Method,
        login_history::Retention,
        notice::NoticeRules,
        platform::Platform,
        recycling,
        session::{Ended, Lifetimes},
        step_up::Patience,
    },
    *,
};
use crate::kernel::id::TicketId;

const DAY: i64 = 86_400;

const LIFETIMES: Lifetimes = Lifetimes {
    idle: Duration::from_secs(30 * 86_400),
    absolute: Duration::from_secs(180 * 86_400),
    grace: Duration::from_secs(60),
    access: Duration::from_secs(600),
};

pub(super) const RULES: Rules = Rules {
    lifetimes: LIFETIMES,
    trust: TrustRules { known_days: 7, unused_at_most: Duration::from_secs(90 * 86_400) },
    retention: Retention { most: 100, days: 180 },
    notices: NoticeRules { webhooks: false, pushes: None, sms: 2 },
    sessions: 3,
    devices: 4,
    device_token: Duration::from_secs(30 * 86_400),
    profile: recycling::Profile::Basic,
    one_tap_waits: false,
    one_tap_is_told: true,
    patience: Patience {
        ticket: Duration::from_secs(600),
        question: Duration::from_secs(300),
        questions_an_hour: 10,
    },
    fresh: Duration::from_secs(600),
    identities_of_a_kind: 1,
    deletion_grace: Duration::from_secs(15 * 86_400),
    phone_change_waits: Duration::from_secs(3 * 86_400),
    phone_change_stands: Duration::from_secs(30 * 86_400),
    trusted_phones: 5,
    trusted_phone: Duration::from_secs(120 * 86_400),
    codes_an_hour: 10,
    tries: TryLimits { by_asker: 5, by_all: 20 },
    appeals: TryLimits { by_asker: 2, by_all: 6 },
};

pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// A value whose persisted form is a text.
pub(super) fn from_text<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

fn session_id(seed: u8) -> SessionId {
    SessionId::from_bytes([seed; 16])
}

pub(super) fn digest(seed: u8) -> String {
    format!("digest-{seed}")
}

/// A sign-in that brings session and, should it need one, device of that seed.
pub(super) fn sign_in(seed: u8, presented_token: Option<String>) -> SignIn {
    SignIn {
        account: AccountId::from_bytes([100; 16]),
        identifier: Identifier {
            handle: from_text("phone.k1.name"),
            value: from_text("k1.number"),
            since: at(0),
            alias_of: None,
            claim: 0,
            claiming: false,
        },
        method: Method::OneTap,
        password: None,
        number: None,
        awaits: false,
        creates: true,
        binds: Vec::new(),
        introduction: Profile::default(),
        new_password: None,
        app: "default".to_owned(),
        consent: Some("2026-11".to_owned()),
        session: session_id(seed),
        presented: Presented { token: presented_token, key: None },
        ticket: TicketId::from_bytes([seed; 16]),
        new_device: (DeviceId::from_bytes([seed; 16]), digest(seed)),
        profile: DeviceProfile {
            platform: Platform::Ios,
            name: from_text("k1.device"),
            model: None,
            os: None,
            app_version: None,
            push_token: None,
        },
        place: Place::default(),
        asker: String::new(),
        rules: RULES,
    }
}

fn refresh(session: SessionId, generation: u32) -> Operation {
    let account = AccountId::from_bytes([100; 16]);
    Operation::Refresh(Box::new(Refresh {
        account,
        session,
        generation,
        key: None,
        place: Place::default(),
        rules: RULES,
    }))
}

struct SignedIn {
    is_new: bool,
    session: Session,
    device: Device,
    token_issued: bool,
}

/// An account with its outbox.
#[derive(Default)]
struct Person {
    account: Account,
    outbox: Outbox,
}

impl Person {
    fn apply(&mut self, operation: Operation, now: i64) -> Outcome {
        self.account.apply(operation, at(now), &mut self.outbox)
    }

    fn sign_in(&mut self, sign_in: &SignIn, now: i64) -> SignedIn {
        match self.apply(Operation::SignIn(Box::new(sign_in.clone())), now) {
            Outcome::SignedIn { is_new, session, device, token_issued, .. } => {
                SignedIn { is_new, session, device: *device, token_issued }
            }
            other => panic!("{other:?}"),
        }
    }

    fn refresh(&mut self, seed: u8, generation: u32, now: i64) -> Outcome {
        self.apply(refresh(session_id(seed), generation), now)
    }

    fn look(&mut self, seed: u8, now: i64) -> Outcome {
        let look = Operation::LookAtSession { session: session_id(seed), rules: RULES };
        self.apply(look, now)
    }
}

const REVOKED: Outcome = Outcome::Ended { ended: Ended::Revoked };
const EXPIRED: Outcome = Outcome::Ended { ended: Ended::Expired };

#[test]
fn only_the_first_sign_in_is_new_however_often_repeated() {
    let mut person = Person::default();
    assert_eq!(person.apply(Operation::LookAtPhone, 0), Outcome::Phone { phone: None });
    let first = Operation::SignIn(Box::new(sign_in(1, None)));
    let answer = person.apply(first.clone(), 0);
    let Outcome::SignedIn { is_new: true, token_issued: true, .. } = &answer else { panic!("{answer:?}") };
    assert!(!person.sign_in(&sign_in(2, None), 5).is_new);
    let before = serde_json::to_string(&person.account).unwrap();
    assert_eq!(person.apply(first, 9), answer);
    assert_eq!(serde_json::to_string(&person.account).unwrap(), before, "a repeat changes nothing");
    let phone = Some(sign_in(1, None).identifier);
    assert_eq!(person.apply(Operation::LookAtPhone, 9), Outcome::Phone { phone });
}

#[test]
fn a_device_is_the_token_issued_to_it() {
    let mut person = Person::default();
    let first = person.sign_in(&sign_in(1, None), 0);
    let mut again = sign_in(2, Some(digest(1)));
    again.profile.model = Some("renamed".to_owned());
    let again = person.sign_in(&again, DAY);
    assert_eq!((again.device.id, again.token_issued), (first.device.id, false));
    assert_eq!((again.device.usage.days, again.device.profile.model.as_deref()), (2, Some("renamed")));
    assert_ne!(again.session.id, first.session.id);

    let stranger = person.sign_in(&sign_in(3, Some("someone else's".to_owned())), DAY);
    assert_eq!((stranger.device.id, stranger.token_issued), (DeviceId::from_bytes([3; 16]), true));
    assert_eq!(stranger.device.usage.days, 1);
}

#[test]
fn the_session_unused_for_longest_gives_way() {
    let mut person = Person::default();
    for seed in [1, 2, 3] {
        person.sign_in(&sign_in(seed, None), seed.into());
    }
    assert!(matches!(person.refresh(1, 0, 10), Outcome::Refreshed { .. }));
    person.sign_in(&sign_in(4, Some(digest(1))), 11);
    assert_eq!(person.look(2, 12), REVOKED);
    for seed in [1, 3, 4] {
        assert!(matches!(person.look(seed, 12), Outcome::Session { .. }), "{seed}");
    }
}

#[test]
fn a_stranger_pushes_out_no_trusted_device() {
    let mut person = Person::default();
    for seed in 1..=4 {
        person.sign_in(&sign_in(seed, None), 0);
    }
    for device in &mut person.account.devices[..3] {
        device.trusted_since = Some(at(0));
    }
    for seed in 5..=20 {
        person.sign_in(&sign_in(seed, None), DAY);
    }
    let left: Vec<DeviceId> = person.account.devices.iter().map(|device| device.id).collect();
    assert_eq!(left, [1, 2, 3, 20].map(|seed| DeviceId::from_bytes([seed; 16])));
    assert_eq!(person.look(19, DAY), REVOKED, "a device takes its sessions along");
}

#[test]
fn the_least_used_device_gives_way() {
    let mut person = Person::default();
    for seed in 1..=4 {
        person.sign_in(&sign_in(seed, None), seed.into());
    }
    person.sign_in(&sign_in(5, Some(digest(1))), DAY);
    person.sign_in(&sign_in(6, None), DAY);
    assert!(person.sign_in(&sign_in(7, Some(digest(2))), DAY).token_issued, "device 2 is gone");
    assert!(!person.sign_in(&sign_in(8, Some(digest(1))), DAY).token_issued);
}

#[test]
fn refreshed_ended_and_forgotten() {
    let mut person = Person::default();
    assert_eq!(person.refresh(1, 0, 0), REVOKED);
    person.sign_in(&sign_in(1, None), 0);
    for (generation, now) in [(0, 10), (0, 20), (1, 30)] {
        let Outcome::Refreshed { session, .. } = person.refresh(1, generation, now) else { panic!("{now}") };
        assert_eq!(session.generation(), generation + 1);
    }
    assert_eq!(person.refresh(1, 0, 40), REVOKED, "reuse");
    assert_eq!(person.refresh(1, 2, 40), REVOKED, "the newest dies with its family");

    person.sign_in(&sign_in(2, None), 0);
    assert_eq!(person.look(2, 30 * DAY), EXPIRED);
    assert_eq!(person.refresh(2, 0, 30 * DAY), EXPIRED);
    assert_eq!(person.refresh(2, 0, 30 * DAY), EXPIRED, "who asks twice hears the same twice");
}

#[test]
fn others_learn_of_a_sign_in() {
    let mut person = Person::default();
    let (account, now) = (AccountId::from_bytes([100; 16]), at(7));
    let device = person.sign_in(&sign_in(1, None), 7).device;
    let phone = sign_in(1, None).identifier;
    let told: Vec<Message> = person.outbox.due(now).into_iter().map(|letter| letter.message).collect();
    let expected = [
        Message::PublishDevice { token_digest: digest(1), record: device.record(account) },
        Message::RenewProof { handle: phone.handle, account, at: now, method: Method::OneTap },
        Message::IndexAccount { account, created_at: now, last_login_at: now },
    ];
    assert_eq!(told, expected);

    let delivered: Vec<u64> = person.outbox.due(now).iter().map(|letter| letter.id).collect();
    person.outbox.settle(&delivered, &[], now);
    assert_eq!(person.outbox.next_due(), None);
    // The same device on the same day: its record says nothing new.
    person.sign_in(&sign_in(2, Some(digest(1))), 9);
    let is_record =
        |letter: &super::super::outbox::Letter| matches!(letter.message, Message::PublishDevice { .. });
    assert!(!person.outbox.due(at(9)).iter().any(is_record));
    person.sign_in(&sign_in(3, Some(digest(1))), DAY);
    assert!(person.outbox.due(at(DAY)).iter().any(is_record));
}

#[derive(Debug, Clone)]
enum Step {
    /// Sign in with the token of the device of that seed, which may be gone or never have been.
    SignIn(Option<u8>),
    /// Repeat the latest sign-in.
    Repeat,
    /// Refresh the session of that index with the generation that lies so far below the newest.
    Refresh(prop::sample::Index, u32),
    /// Trust the device of that index.
    Trust(prop::sample::Index),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::option::of(0..30_u8).prop_map(Step::SignIn),
        1 => Just(Step::Repeat),
        4 => (any::<prop::sample::Index>(), 0..4_u32).prop_map(|(which, back)| Step::Refresh(which, back)),
        1 => any::<prop::sample::Index>().prop_map(Step::Trust),
        2 => prop_oneof![1..120_i64, DAY..12 * DAY].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

fn check(account: &Account, created_at: Timestamp) {
    let devices: BTreeSet<DeviceId> = account.devices.iter().map(|device| device.id).collect();
    let sessions: BTreeSet<SessionId> = account.sessions.iter().map(|session| session.id).collect();
    let trusted = account.devices.iter().filter(|device| device.trusted_since.is_some()).count();
    assert!(account.sessions.len() <= RULES.sessions);
    assert_eq!(sessions.len(), account.sessions.len(), "one generation of a family is current");
    assert_eq!(devices.len(), account.devices.len());
    assert!(devices.len() <= RULES.devices.max(trusted + 1));
    assert!(account.sessions.iter().all(|session| devices.contains(&session.device)));
    assert_eq!(account.created.as_ref().map(|created| created.at), Some(created_at));
}

proptest! {
    #[test]
    fn holds_after_any_sequence(steps in steps()) {
        let mut person = Person::default();
        let (mut now, mut latest) = (1000, sign_in(0, None));
        person.sign_in(&latest, now);
        let mut trusted = BTreeSet::new();
        for (seed, step) in (1..).zip(steps) {
            match step {
                Step::SignIn(device) => {
                    latest = sign_in(seed, device.map(digest));
                    prop_assert!(!person.sign_in(&latest, now).is_new);
                }
                Step::Repeat if person.account.sessions.iter().any(|known| known.id == latest.session) => {
                    let repeated = person.sign_in(&latest, now);
                    prop_assert_eq!(repeated.is_new, latest.session == session_id(0));
                    prop_assert_eq!(repeated.session.id, latest.session);
                }
                // What has ended does not come back.
                Step::Repeat => {
                    let repeated = person.apply(Operation::SignIn(Box::new(latest.clone())), now);
                    prop_assert_eq!(repeated, REVOKED);
                }
                Step::Refresh(which, back) if !person.account.sessions.is_empty() => {
                    refresh_one(&mut person, which, back, now)?;
                }
                Step::Trust(which) => {
                    let device = which.get_mut(&mut person.account.devices);
                    device.trusted_since = Some(at(now));
                    trusted.insert(device.id);
                }
                Step::Refresh(..) => {}
                Step::Wait(secs) => now += secs,
            }
            check(&person.account, at(1000));
            let devices: BTreeSet<DeviceId> = person.account.devices.iter().map(|device| device.id).collect();
            prop_assert!(trusted.is_subset(&devices));
        }
    }
}

/// Refreshes with the generation `back` below the newest: only the newest, and within the grace the one before,
/// get a token; everything else ends the family.
fn refresh_one(
    person: &mut Person,
    which: prop::sample::Index,
    back: u32,
    now: i64,
) -> Result<(), TestCaseError> {
    let before = which.get(&person.account.sessions).clone();
    let Some(given) = before.generation().checked_sub(back) else { return Ok(()) };
    let outcome = person.apply(refresh(before.id, given), now);
    let is_known = person.account.sessions.iter().any(|session| session.id == before.id);
    let is_good = before.is_alive(at(now), &LIFETIMES)
        && (back == 0 || (back == 1 && at(now).since(before.last_used()) <= LIFETIMES.grace));
    match outcome {
        Outcome::Refreshed { session, .. } => {
            prop_assert!(is_good && is_known);
            prop_assert_eq!(session.generation(), given + 1);
        }
        Outcome::Ended { ended: Ended::Expired } => prop_assert!(!is_good && is_known),
        Outcome::Ended { ended: Ended::Revoked } => prop_assert!(!is_good && !is_known),
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}
