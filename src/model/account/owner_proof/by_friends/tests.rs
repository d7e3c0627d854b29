use super::*;
use crate::{
    kernel::id::TicketId,
    model::{
        account::{
            Operation, SignIn, Step, Waiting,
            tests::{RULES, at, digest, sign_in},
        },
        device_key::ProvenKey,
        notice::NoticeRules,
        object::Machine,
    },
};

const DAY: i64 = 86_400;
const TOLD: Rules =
    Rules { one_tap_waits: true, notices: NoticeRules { webhooks: true, pushes: None, sms: 2 }, ..RULES };

const fn person(seed: u8) -> AccountId {
    AccountId::from_bytes([seed; 16])
}

/// The account of somebody who has two friends of before all days; whoever comes on another device waits.
fn account() -> Account {
    let mut account = Account::default();
    account.apply(Operation::SignIn(Box::new(sign_in(1, None))), at(0), &mut Outbox::default());
    (account.protected, account.devices[0].trusted_since) = (Some(true), Some(at(0)));
    let friends = vec![Friend(person(1), -99), Friend(person(2), -99)];
    let said = Supplied { friends: Some(friends), ..Supplied::default() };
    let supply = Operation::Supply { account: person(100), said: said.into(), rules: TOLD };
    account.apply(supply, at(0), &mut Outbox::default());
    account
}

/// Somebody comes on a device that presents this, and waits.
fn held(account: &mut Account, seed: u8, token: Option<&str>, key: Option<&str>, now: i64) -> Waiting {
    let mut sign_in = SignIn { rules: TOLD, asker: format!("k1.{seed}"), ..sign_in(seed, None) };
    sign_in.presented.token = token.map(str::to_owned);
    sign_in.presented.key = key.map(|name| key_of(name, seed));
    match account.apply(Operation::SignIn(Box::new(sign_in)), at(now), &mut Outbox::default()) {
        Outcome::Waits(waiting) => *waiting,
        outcome => panic!("{outcome:?}"),
    }
}

fn key_of(name: &str, proof: u8) -> ProvenKey {
    ProvenKey { thumbprint: name.to_owned(), proof: proof.to_string(), until: at(i64::MAX / 10_000) }
}

fn take(account: &mut Account, seed: u8, token: &str, step: Step, now: i64) -> (Outcome, Outbox) {
    let mut outbox = Outbox::default();
    let at_ticket = AtTicket {
        account: person(100),
        ticket: TicketId::from_bytes([seed; 16]),
        presented_token: token.to_owned(),
        key: None,
        looks_again: true,
        step,
        rules: TOLD,
    };
    (account.apply(Operation::AtTicket(Box::new(at_ticket)), at(now), &mut outbox), outbox)
}

fn ask(account: &mut Account, seed: u8, token: &str, now: i64) -> (Outcome, Outbox) {
    let (case, phrase) = (CaseId::from_bytes([seed; 16]), format!("k1.phrase-{seed}"));
    let step = Step::AskFriends(Box::new(AskFriends { case, phrase, network: "k1.there".to_owned() }));
    take(account, seed, token, step, now)
}

fn hear(account: &mut Account, friend: u8, phrase: u8, now: i64) -> Outcome {
    let whence = Whence(vec![format!("device-{friend}"), format!("k1.home-{friend}")]);
    let word = Word { phrase: format!("k1.phrase-{phrase}"), friend: person(friend), whence };
    account.apply(Operation::HearFriend(Box::new(word)), at(now), &mut Outbox::default())
}

fn both(account: &mut Account, phrase: u8, now: i64) {
    for friend in [1, 2] {
        assert_eq!(hear(account, friend, phrase, now), Outcome::Done);
    }
}

fn is_in(outcome: &(Outcome, Outbox)) -> bool {
    matches!(outcome.0, Outcome::SignedIn { .. })
}

#[test]
fn it_is_told_in_the_same_write_and_goes_into_no_queue() {
    let mut account = account();
    held(&mut account, 2, None, None, 10);
    let (asked, outbox) = ask(&mut account, 2, &digest(2), 20);
    let Outcome::Waits(waiting) = asked else { panic!("{asked:?}") };
    let expected = (CaseId::from_bytes([2; 16]), at(20 + 30 * DAY), at(20 + DAY));
    assert_eq!(waiting.friends, Some(expected));
    let letters = serde_json::to_string(&outbox).unwrap();
    assert!(letters.contains("friends.asked") && !letters.contains("index_case"), "{letters}");
    // Again it is nothing new.
    let (again, outbox) = ask(&mut account, 2, &digest(2), 30);
    assert_eq!(again, Outcome::Waits(waiting));
    assert!(!serde_json::to_string(&outbox).unwrap().contains("notify"));
}

#[test]
fn the_token_that_came_with_the_ticket_stays_the_devices() {
    let mut account = account();
    assert!(held(&mut account, 2, None, None, 10).token_issued);
    ask(&mut account, 2, &digest(2), 20);
    both(&mut account, 2, 30);
    let again = held(&mut account, 3, Some(&digest(2)), None, DAY * 2);
    assert_eq!((again.token_issued, again.proven), (false, vec![ProofKind::Friends]));
    assert!(!is_in(&take(&mut account, 3, &digest(3), Step::Look, DAY * 2)), "nor is another good for it");
    assert!(is_in(&take(&mut account, 3, &digest(2), Step::Look, DAY * 2)));
    assert!(account.devices.iter().any(|known| known.has_token(&digest(2))));
    assert!(account.cases.iter().all(|known| known.state == State::Done));
}

#[test]
fn where_the_device_has_a_key_a_copy_of_its_token_says_nothing() {
    let mut account = account();
    held(&mut account, 2, None, Some("print"), 10);
    ask(&mut account, 2, &digest(2), 20);
    both(&mut account, 2, 30);
    assert!(held(&mut account, 3, Some(&digest(2)), None, DAY).proven.is_empty());
    assert!(held(&mut account, 4, Some(&digest(2)), Some("another"), DAY).proven.is_empty());
    assert_eq!(held(&mut account, 5, None, Some("print"), DAY).proven, [ProofKind::Friends]);
    assert!(is_in(&take(&mut account, 5, &digest(5), Step::Look, DAY)));
    assert!(
        account.cases.iter().all(|known| known.state == State::Done),
        "by the key, without its first token"
    );
}

#[test]
fn of_two_tickets_of_one_device_one_leads_in() {
    let mut account = account();
    held(&mut account, 2, None, None, 10);
    ask(&mut account, 2, &digest(2), 20);
    both(&mut account, 2, 30);
    for seed in [3, 4] {
        assert_eq!(held(&mut account, seed, Some(&digest(2)), None, 700).proven, [ProofKind::Friends]);
    }
    assert!(is_in(&take(&mut account, 3, &digest(2), Step::Look, 710)));
    let (other, _) = take(&mut account, 4, &digest(2), Step::Look, 711);
    assert!(matches!(other, Outcome::Waits(waiting) if waiting.proven.is_empty()));
    assert!(is_in(&take(&mut account, 3, &digest(2), Step::Look, 712)), "a repeat");
}

#[test]
fn who_removes_the_device_ends_what_was_asked_on_it() {
    let mut account = account();
    // One that came in by the number alone, before its owner was protected.
    account.protected = None;
    account.apply(Operation::SignIn(Box::new(sign_in(2, None))), at(5), &mut Outbox::default());
    account.protected = Some(true);
    assert!(!held(&mut account, 3, Some(&digest(2)), None, 10).token_issued);
    ask(&mut account, 3, &digest(2), 20);
    both(&mut account, 3, 30);
    assert!(account.cases.iter().all(|known| matches!(known.state, State::Granted(_))));
    let device = account.devices.iter().find(|known| known.has_token(&digest(2))).unwrap().id;
    let place = crate::model::login_history::Place::default();
    let kind = crate::model::login_history::EventKind::Ended;
    let end = super::super::super::End { kind, place: &place, rules: &RULES, now: at(40) };
    account.remove_device(device, &end, &mut Outbox::default());
    assert!(account.cases.iter().all(|known| known.state == State::Refused));
}

#[test]
fn persisted_format() {
    let mut account = account();
    held(&mut account, 2, None, None, 10);
    ask(&mut account, 2, &digest(2), 20);
    assert_eq!(hear(&mut account, 1, 2, 30), Outcome::Done);
    let mut case = serde_json::to_value(&account.cases[0]).unwrap();
    let waits = case["matter"]["friends"]["waits"].take();
    assert_eq!((&waits["device_token"], &waits["reason"]), (&"digest-2".into(), &"new_device".into()));
    let pinned = serde_json::json!({"id": "cas_aibaeaqcaibaeaqcaibaeaqcai", "opened_at": 20_000, "state": "open",
        "profile": "basic", "matter": {"friends": {"waits": null, "vouching": {"phrase": "k1.phrase-2",
        "asker": ["digest-2", "k1.2", "k1.there"], "until": 86_420_000,
        "confirmed": ["acc_aeaqcaibaeaqcaibaeaqcaibae"]}}}});
    assert_eq!(case, pinned);
}
