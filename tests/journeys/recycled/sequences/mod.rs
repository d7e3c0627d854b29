//! Whatever three people do with three numbers, in whatever order: each number has one holder, nobody comes into the account of
//! another, nothing is lost, and everybody finds home.
//!
//! The carrier sells a number at least 120 days after it was given up. It says nothing to those who ask, or the truth.
//! (A deployment of the profile `basic` believes a wrong "not reassigned": docs/recycled-numbers.md says so, and it has a
//! story of its own.) Nobody proves a number by anything but its SIM, so nobody is in by a proof younger than 120 days.
//!
//! What was put off is done late, but no letter waits until a number is sold again.

#![allow(clippy::print_stdout, reason = "what was seen, to be read")]

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;

use super::{DAY, MINUTE, bearer, objections::decide};
use crate::{
    numbers::one_tap,
    world::{World, configuration::accounts_and},
};
use people::{Coming, NUMBERS, Story};

mod people;

/// Stories told.
const CASES: u32 = 50;

/// Events of a story, at most.
const EVENTS: usize = 60;

/// Something that somebody does, or that happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Days pass, hours with them.
    Passes(u32),
    /// Four months, in which somebody goes on using their phone without ever proving a number.
    Stays { person: usize },
    /// What was put off is done.
    Settles,
    /// A number is given up, or bought.
    Sold { number: usize, to: usize },
    /// Who has the number signs in with it, on a new phone or the own one, and answers what is asked.
    ByNumber { number: usize, known: bool, honest: bool, answers: bool },
    /// With a number of now or before, and a password.
    ByPassword { account: usize, number: usize, known: bool },
    /// A new password by the number.
    Resets { number: usize, honest: bool },
    /// Another number.
    Changes { account: usize, number: usize, proves: bool },
    /// The wish for one is withdrawn.
    Withdraws { account: usize },
    /// Whoever can, objects to the loss of a number.
    Objects,
    /// Those who help people decide.
    Decides { grants: bool },
    /// Who has the number signs in on a new phone, has no password at hand, and appeals.
    Appeals { number: usize },
    /// All that was granted is taken.
    Completes,
    /// The owner refuses an appeal.
    Refuses { account: usize },
    /// Somebody who waited says at last what they know.
    Answers { ticket: usize, honest: bool },
    /// An operator closes or opens it.
    Freezes { account: usize, frozen: bool },
    /// The owner goes.
    Leaves { account: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let (one, yes) = (0..3_usize, any::<bool>());
    let (some, often) = (0..6_usize, prop::bool::weighted(0.8));
    prop_oneof![
        4 => prop_oneof![Just(0), Just(0), Just(1), Just(3), Just(8), Just(121), Just(366)].prop_map(Event::Passes),
        3 => one.clone().prop_map(|person| Event::Stays { person }),
        2 => Just(Event::Settles),
        6 => (one.clone(), one.clone()).prop_map(|(number, to)| Event::Sold { number, to }),
        8 => (one.clone(), yes, often, often).prop_map(|(number, known, honest, answers)|
            Event::ByNumber { number, known, honest, answers }),
        2 => (some.clone(), one.clone(), yes).prop_map(|(account, number, known)|
            Event::ByPassword { account, number, known }),
        2 => (one.clone(), often).prop_map(|(number, honest)| Event::Resets { number, honest }),
        4 => (some.clone(), one.clone(), yes).prop_map(|(account, number, proves)|
            Event::Changes { account, number, proves }),
        1 => some.clone().prop_map(|account| Event::Withdraws { account }),
        3 => Just(Event::Objects),
        5 => often.prop_map(|grants| Event::Decides { grants }),
        3 => one.prop_map(|number| Event::Appeals { number }),
        5 => Just(Event::Completes),
        1 => some.clone().prop_map(|account| Event::Refuses { account }),
        2 => (some.clone(), often).prop_map(|(ticket, honest)| Event::Answers { ticket, honest }),
        1 => (some.clone(), yes).prop_map(|(account, frozen)| Event::Freezes { account, frozen }),
        1 => some.prop_map(|account| Event::Leaves { account }),
    ]
}

fn happens(story: &mut Story, event: Event) {
    match event {
        Event::Passes(days) => story.world.pass(DAY * days + MINUTE * 90),
        Event::Stays { person } => {
            for _ in 0..5 {
                story.world.pass(DAY * 25);
                for nth in 0..story.accounts.len() {
                    let Some(id) = open(story, nth) else { continue };
                    if story.accounts[&id].person == person {
                        story.session(&id);
                    }
                }
            }
        }
        Event::Settles => story.settle(),
        Event::Sold { number, to } => story.is_sold(number, to),
        Event::ByNumber { number, known, honest, answers } => {
            let Ok(person) = story.sims[number] else { return };
            let account = story.leads_to(number).unwrap_or_default();
            let mut own = story.accounts.iter().filter(|(_, own)| own.person == person);
            let phone =
                own.find(|(id, _)| account.is_empty() || **id == account).map(|(_, own)| own.phone.clone());
            let token = phone.filter(|_| known);
            let waits = story.tickets.len();
            story.by_number(&Coming { person, number, token, new_password: None, account });
            if answers && story.tickets.len() > waits {
                answers_last(story, honest);
            }
        }
        Event::ByPassword { account, number, known } => {
            if let Some(id) = open(story, account) {
                story.by_password(&id, NUMBERS[number], known);
            }
        }
        Event::Resets { number, honest } => {
            let Ok(person) = story.sims[number] else { return };
            let account = story.leads_to(number).unwrap_or_default();
            let new_password = Some(format!("reset-oster-{number}-{}-gandel", story.seen.len()));
            let waits = story.tickets.len();
            story.by_number(&Coming { person, number, token: None, new_password, account });
            if story.tickets.len() > waits {
                answers_last(story, honest);
            }
        }
        Event::Changes { account, number, proves } => changes(story, account, number, proves),
        Event::Withdraws { account } => {
            let Some((_, access)) = signed_in(story, account) else { return };
            let withdrawn = story.world.delete("/v1/account/phone-change").bearer(&access).send();
            story.sees("withdraws", &withdrawn);
        }
        Event::Objects => {
            for nth in 0..story.accounts.len() {
                let Some((_, access)) = signed_in(story, nth) else { continue };
                let case = story.world.post("/v1/account/phone/objection", &json!({})).bearer(&access).send();
                story.sees("objects", &case);
            }
        }
        Event::Decides { grants } => decides(story, grants),
        Event::Appeals { number } => appeals(story, number),
        Event::Completes => (0..story.appeals.len()).for_each(|nth| completes(story, nth)),
        Event::Refuses { account } => {
            let Some((_, access)) = signed_in(story, account) else { return };
            let listed = story.world.get("/v1/account/appeals").bearer(&access).send();
            for one in listed.body["appeals"].as_array().into_iter().flatten() {
                let path = format!("/v1/account/appeals/{}/refuse", one["id"].as_str().unwrap());
                let refused = story.world.post(&path, &json!({})).bearer(&access).send();
                story.sees("refuses", &refused);
            }
        }
        Event::Answers { ticket, honest } => {
            if ticket < story.tickets.len() {
                let waiting = story.tickets.remove(ticket);
                story.answers(&waiting, honest);
            }
        }
        Event::Freezes { account, frozen } => {
            let Some(id) = story.accounts.keys().nth(account).cloned() else { return };
            freezes(story, &id, frozen);
        }
        Event::Leaves { account } => {
            let Some(id) = open(story, account).filter(|_| story.accounts.len() > 3) else { return };
            if story.comes_home(&id) {
                let access = bearer(&story.accounts[&id].login).to_owned();
                let gone = story.world.delete("/v1/account").bearer(&access).send();
                assert_eq!(gone.status, 202, "{}", gone.body);
                story.accounts.get_mut(&id).unwrap().deleted = true;
            }
        }
    }
}

fn answers_last(story: &mut Story, honest: bool) {
    if let Some(waiting) = story.tickets.pop() {
        story.answers(&waiting, honest);
    }
}

/// An account that is neither closed nor gone.
fn open(story: &Story, nth: usize) -> Option<String> {
    let (id, known) = story.accounts.iter().nth(nth)?;
    (!known.frozen && !known.deleted).then(|| id.clone())
}

/// One that its owner is signed in to on the own phone, and an access token.
fn signed_in(story: &mut Story, nth: usize) -> Option<(String, String)> {
    let id = open(story, nth)?;
    let access = story.session(&id)?;
    Some((id, access))
}

fn changes(story: &mut Story, nth: usize, number: usize, proves: bool) {
    let Some((id, _)) = signed_in(story, nth) else { return };
    if story.sims[number] != Ok(story.accounts[&id].person) {
        return;
    }
    story.world.pass(MINUTE * 11);
    let Some((id, access)) = signed_in(story, nth) else { return };
    let own = &story.accounts[&id];
    if proves {
        let proof = json!({"proof": {"type": "password", "password": own.password}});
        story.world.post("/v1/session/proof", &proof).bearer(&access).send();
    }
    let body = json!({"numberProof": one_tap(&story.world, NUMBERS[number])});
    let changed = story.world.put("/v1/account/phone", &body).bearer(&access).send();
    story.sees("changes", &changed);
    assert!([202, 204, 403, 409, 503].contains(&changed.status), "{}", changed.body);
}

/// Those who help people believe owners. Of objections they cannot know, and say this or that.
fn decides(story: &mut Story, grants: bool) {
    let anna = story.world.api_key("anna", &["cases:read", "cases:decide"]);
    story.world.run_alarms();
    let open = story.world.get("/v1/cases?state=open").bearer(&anna).send();
    for case in open.body["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let is_owners = story.appeals.iter().find(|(appeal, _)| appeal == id).map(|(_, waiting)| {
            story.accounts.get(&waiting.account).is_some_and(|own| own.person == waiting.person)
        });
        let decision = if is_owners.unwrap_or(grants) { "grant" } else { "refuse" };
        for who in ["anna", "bob"] {
            let key = story.world.api_key(who, &["cases:read", "cases:decide"]);
            let decided = decide(&story.world, &key, id, decision);
            story.sees(decision, &decided);
        }
    }
}

fn appeals(story: &mut Story, number: usize) {
    let Ok(person) = story.sims[number] else { return };
    let (account, waits) = (story.leads_to(number).unwrap_or_default(), story.tickets.len());
    story.by_number(&Coming { person, number, account, ..Coming::default() });
    if story.tickets.len() == waits {
        return;
    }
    let Some(waiting) = story.tickets.pop() else { return };
    let body = json!({"ticket": waiting.held.text("/ticket"), "device": {"token": waiting.held.text("/device/token")},
        "answers": [{"question": "contents", "text": "photos of a cat"}]});
    let made = story.send(waiting.person, "/v1/appeals", &body);
    story.sees("appeals", &made);
    if made.status == 202 {
        story.appeals.push((made.text("/id").to_owned(), waiting));
    }
}

fn completes(story: &mut Story, nth: usize) {
    let Some((id, waiting)) = story.appeals.get(nth) else { return };
    let token = waiting.held.text("/device/token").to_owned();
    let mine = story.sims.iter().position(|sim| *sim == Ok(waiting.person));
    let number = if story.sims[waiting.number] == Ok(waiting.person) { Some(waiting.number) } else { mine };
    let mut body = json!({"device": {"token": token}});
    if let Some(number) = number {
        body["numberProof"] = one_tap(&story.world, NUMBERS[number]);
    }
    let coming = Coming {
        person: waiting.person,
        number: waiting.number,
        token: Some(token),
        new_password: waiting.new_password.clone(),
        account: waiting.account.clone(),
    };
    let came = story.send(coming.person, &format!("/v1/appeals/{id}/complete"), &body);
    story.sees("completes", &came);
    story.lands(&coming, came);
}

fn freezes(story: &mut Story, id: &str, frozen: bool) {
    let key = story.world.api_key("support", &["account:freeze"]);
    let path = format!("/v1/accounts/{id}/freeze");
    let done = story.world.put(&path, &json!({"frozen": frozen})).bearer(&key).send();
    let known = story.accounts.get_mut(id).unwrap();
    assert!(done.status == 204 || known.deleted, "{}", done.body);
    known.frozen = frozen;
}

/// The end of every story: what was put off is done, and everybody finds home.
fn ends(story: &mut Story) {
    story.settle();
    let ids: Vec<String> = story.accounts.keys().cloned().collect();
    for id in ids.iter().filter(|id| !story.accounts[*id].deleted).cloned().collect::<Vec<_>>() {
        freezes(story, &id, false);
        story.world.pass(DAY);
        assert!(story.comes_home(&id), "by name and password on the own phone: {id}");
    }
    for number in 0..3 {
        let (Ok(person), Some(account)) = (story.sims[number], story.leads_to(number)) else { continue };
        let Some(own) = story.accounts.get(&account).filter(|own| own.person == person && !own.deleted)
        else {
            continue;
        };
        let token = Some(own.phone.clone());
        let into =
            story.by_number(&Coming { person, number, token, new_password: None, account: account.clone() });
        assert_eq!(into.as_ref(), Some(&account), "by the own number on the own phone");
    }
    story.settle();
}

fn world(profile: &'static str, carrier_tells: bool) -> World {
    World::with(move |name| match name {
        "PROFILE" => Some(profile.to_owned()),
        "DEVICE_KNOWN_DAYS" => Some("2".to_owned()),
        "PROVIDER_ACCOUNTS" if carrier_tells => {
            let settings = json!({"appId": "A1", "appSecret": "s"});
            Some(accounts_and(&[json!({"provider": "chuanglan_data", "settings": settings})]))
        }
        _ => None,
    })
}

#[test]
fn three_people_and_three_numbers_keep_what_is_theirs() {
    let profiles = prop::sample::select(vec!["basic", "social", "money"]);
    let stories = (profiles, any::<bool>(), prop::collection::vec(event(), EVENTS / 4..EVENTS));
    let config = ProptestConfig {
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    };
    let seen = RefCell::new(BTreeMap::<String, u32>::new());
    let told = TestRunner::new(config).run(&stories, |(profile, carrier_tells, events)| {
        let mut story = Story::begin(world(profile, carrier_tells), carrier_tells);
        events.into_iter().for_each(|event| happens(&mut story, event));
        ends(&mut story);
        for what in story.seen {
            *seen.borrow_mut().entry(what).or_default() += 1;
        }
        Ok(())
    });
    println!("in {CASES} stories: {:?}", seen.borrow());
    if let Err(failed) = told {
        panic!("{failed}");
    }
}
