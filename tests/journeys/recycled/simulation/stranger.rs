//! Whoever has the number now and wants the account: everything that the API lets anybody do, from ever new networks.

use std::collections::BTreeMap;

use onetap::{
    journeys::questions::Sources,
    kernel::time::Timestamp,
    model::{fact::Fact, language::Language, questions::Answered},
};
use serde_json::{Value, json};

use super::{
    Dice,
    people::{Owner, id_number},
};
use crate::world::{
    Answer, World,
    client::{Ask, device, login_body},
};

/// The commonest of published lists, and what people make of their names.
const COMMON: [&str; 8] =
    ["123456", "123456789", "password", "qwerty123", "111111111", "1qaz2wsx", "iloveyou1", "woaini1314"];

/// How often a series is guessed that was drawn beyond the limits.
const SERIES: usize = 10;

/// What a stranger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knows {
    /// The number, and what the service says to whoever has it.
    Number,
    /// The public profile and the home city as well, and what both make unlikely.
    Profile,
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) attacked: u64,
    pub(super) entries: u64,
    pub(super) passwords: u64,
    pub(super) names: u64,
    pub(super) codes: u64,
    pub(super) approvals: u64,
    pub(super) appeals: u64,
    /// Series at tickets.
    pub(super) asked: u64,
    /// All series, those beyond the limits too.
    pub(super) series: u64,
    pub(super) passed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.attacked += other.attacked;
        self.entries += other.entries;
        self.passwords += other.passwords;
        self.names += other.names;
        self.codes += other.codes;
        self.approvals += other.approvals;
        self.appeals += other.appeals;
        self.asked += other.asked;
        self.series += other.series;
        self.passed += other.passed;
    }
}

pub(super) struct Stranger<'w> {
    pub(super) world: &'w World,
    pub(super) knows: Knows,
    pub(super) dice: &'w mut Dice,
    pub(super) tally: Tally,
    /// Accounts that are not theirs.
    pub(super) owners: &'w [Owner],
}

impl Stranger<'_> {
    /// Tries one thing, once.
    pub(super) fn looks_in(&mut self, owner: &Owner) {
        let from = self.network();
        let held = self.comes(owner, &from);
        let ways = held.body["methods"].as_array().cloned().unwrap_or_default();
        match self.dice.below(6) {
            0 => self.guess_at_login(owner, &from),
            1 => self.appeal(owner, &held, &from),
            _ if ways.is_empty() => {}
            _ => {
                let way = &ways[self.dice.below(ways.len())];
                self.try_at(owner, &held, &from, way, 1);
            }
        }
    }

    /// Tries everything, from one network after the other, until nothing more is allowed there.
    pub(super) fn presses(&mut self, owner: &Owner, networks: usize) {
        for _ in 0..networks {
            let from = self.network();
            let held = self.comes(owner, &from);
            self.at(&held, &from, "claim", json!({"choice": "mine"}));
            for way in held.body["methods"].as_array().unwrap() {
                self.try_at(owner, &held, &from, way, 6);
            }
            self.guess_at_login(owner, &from);
            self.appeal(owner, &held, &from);
            self.at(&held, &from, "state", json!({}));
        }
    }

    /// Proves the number, to sign in or to have a password of their own. The account does not open by that.
    fn comes(&mut self, owner: &Owner, from: &str) -> Answer {
        let held = if self.dice.one_in(4) { self.reset(owner, from) } else { self.log_in(owner, from) };
        assert_eq!(held.body["status"], "step_up_required", "{}", held.body);
        held
    }

    /// *Not mine*: the number is theirs, and an account of their own.
    pub(super) fn takes_the_number(&mut self, owner: &Owner) -> bool {
        let from = self.network();
        let held = self.log_in(owner, &from);
        let own = self.at(&held, &from, "claim", json!({"choice": "not_mine"}));
        assert_eq!(own.body["status"], "signed_in", "{}", own.body);
        self.guess_at_login(owner, &from);
        own.body["account"].get("phone").is_some()
    }

    fn try_at(&mut self, owner: &Owner, held: &Answer, from: &str, way: &Value, tries: usize) {
        let method = way["method"].as_str().unwrap();
        for _ in 0..tries {
            let tried = match method {
                "password" => {
                    self.tally.passwords += 1;
                    let password = self.password(owner);
                    self.at(held, from, "complete", json!({"method": method, "password": password}))
                }
                "name_id" => {
                    self.tally.names += 1;
                    let id = id_number(self.dice);
                    let proof = json!({"method": method, "name": owner.name, "idNumber": id});
                    self.at(held, from, "complete", proof)
                }
                "history_questions" => self.guess_a_series(owner, held, from),
                "device_approval" => {
                    self.tally.approvals += 1;
                    // The owner is no fool, and says nothing to it.
                    self.at(held, from, "start", json!({"method": method}));
                    self.at(held, from, "complete", json!({"method": method}))
                }
                _ => {
                    self.tally.codes += 1;
                    let mut start = json!({"method": method});
                    if let Some(id) = way.get("id") {
                        start["id"] = id.clone();
                    }
                    let sent = self.at(held, from, "start", start);
                    let Some(challenge) = sent.body.pointer("/challenge/challengeId") else { return };
                    let code = format!("{:06}", self.dice.below(1_000_000));
                    let proof = json!({"method": method, "challengeId": challenge, "code": code});
                    self.at(held, from, "complete", proof)
                }
            };
            if tried.body["code"] == "proofs_exhausted" || method == "device_approval" {
                return;
            }
        }
    }

    /// All rounds of a series, each by what is known or at random.
    fn guess_a_series(&mut self, owner: &Owner, held: &Answer, from: &str) -> Answer {
        let method = "history_questions";
        let mut shown = self.at(held, from, "start", json!({"method": method}));
        while let Some(question) = shown.body.get("question").cloned() {
            let options: Vec<String> = serde_json::from_value(question["options"].clone()).unwrap();
            let option = self.option(owner, held.text("/hints/since"), &options);
            let answer = json!({"method": method, "round": question["round"], "option": option});
            shown = self.at(held, from, "complete", answer);
            if question["round"] == 6 {
                self.tally.asked += 1;
                self.ends(shown.status == 200);
                // Alone it never suffices.
                assert!(shown.status == 403 || shown.body["status"] == "step_up_required", "{}", shown.body);
                break;
            }
        }
        shown
    }

    /// Series beyond all limits, drawn as they are at a ticket.
    pub(super) fn guesses_on(&mut self, owner: &Owner, states: &BTreeMap<String, Value>) {
        let state = &states[&owner.id]["state"];
        let facts: Vec<Fact> = serde_json::from_value(state["supplied"]["facts"].clone()).unwrap_or_default();
        let since =
            Timestamp::from_millis(state["created"]["at"].as_i64().unwrap()).rfc3339()[..4].to_owned();
        let told = [owner.name.clone(), since.clone(), "iPhone18,1".to_owned()];
        let sources = Sources { facts: &facts, models: &[], told: &told };
        let (service, id) = (self.world.service(), owner.id.parse().unwrap());
        let Some((series, rounds)) = service.series(id, sources, Language::ZhCn).unwrap() else { return };
        let rounds: Vec<_> =
            rounds.iter().map(|round| service.open_round(id, round).unwrap().options).collect();
        for _ in 0..SERIES {
            let mut series = series.clone();
            for options in &rounds {
                series.answer(self.option(owner, &since, options));
            }
            self.ends(series.state() == Answered::Over { passed: true });
        }
    }

    fn ends(&mut self, passed: bool) {
        self.tally.series += 1;
        self.tally.passed += u64::from(passed);
    }

    fn option(&mut self, owner: &Owner, since: &str, options: &[String]) -> usize {
        let any = self.dice.below(options.len());
        if self.knows == Knows::Number {
            return any;
        }
        if let Some(home) = options.iter().position(|option| option == owner.city) {
            return home;
        }
        // What hints and profile say is never asked for, so such an option is a decoy.
        let is_said = |option: &str| option.contains(since) || owner.name.contains(option);
        let left: Vec<usize> = (0..options.len()).filter(|at| !is_said(&options[*at])).collect();
        left.get(any % left.len().max(1)).copied().unwrap_or(any)
    }

    fn password(&mut self, owner: &Owner) -> String {
        match (self.knows, self.dice.below(3)) {
            (Knows::Profile, 0) => format!("{}{}", owner.username, 1960 + self.dice.below(60)),
            (Knows::Profile, 1) => owner.username.clone(),
            _ => self.dice.of(&COMMON).to_owned(),
        }
    }

    fn appeal(&mut self, owner: &Owner, held: &Answer, from: &str) {
        self.tally.appeals += 1;
        let (year, month) = (2023 + self.dice.below(4), 1 + self.dice.below(12));
        let since = held.body.pointer("/hints/since").and_then(Value::as_str).map(str::to_owned);
        let year = since.filter(|_| self.knows == Knows::Profile).unwrap_or(year.to_string());
        let answers = json!([{"question": "registered", "text": format!("{year}-{month:02}")},
            {"question": "devices", "text": "iPhone18,1"},
            {"question": "former_phones", "text": format!("139{:08}", self.dice.below(100_000_000))}]);
        let token = held.text("/device/token");
        let body = json!({"ticket": held.text("/ticket"), "device": {"token": token}, "answers": answers,
            "text": format!("I am {}", owner.name)});
        let made = self.send(self.world.post("/v1/appeals", &body), from);
        let Some(id) = made.body["id"].as_str() else { return };
        assert_ne!(made.body["state"], "granted", "{}", made.body);
        let credential = json!({"provider": "cmcc", "token": self.world.providers.token(&owner.phone)});
        let proof = json!({"type": "one_tap", "credential": credential});
        let body = json!({"numberProof": proof, "device": {"token": token}});
        self.send(self.world.post(&format!("/v1/appeals/{id}/complete"), &body), from);
    }

    fn log_in(&mut self, owner: &Owner, from: &str) -> Answer {
        let body = login_body("cmcc", &self.world.providers.token(&owner.phone));
        self.send(self.world.post("/v1/one-tap/login", &body), from)
    }

    fn reset(&mut self, owner: &Owner, from: &str) -> Answer {
        let credential = json!({"provider": "cmcc", "token": self.world.providers.token(&owner.phone)});
        let body = json!({"numberProof": {"type": "one_tap", "credential": credential},
            "newPassword": "mine now, all of it", "device": device()});
        self.send(self.world.post("/v1/password/reset", &body), from)
    }

    fn guess_at_login(&mut self, owner: &Owner, from: &str) {
        self.tally.passwords += 1;
        let identifier = if self.dice.one_in(2) { &owner.phone } else { &owner.username };
        let body = json!({"identifier": identifier, "password": self.password(owner), "device": device()});
        self.send(self.world.post("/v1/password/login", &body), from);
    }

    fn at(&mut self, held: &Answer, from: &str, step: &str, more: Value) -> Answer {
        let mut body = more;
        body["ticket"] = json!(held.text("/ticket"));
        body["device"] = json!({"token": held.text("/device/token")});
        let ask = self.world.post(&format!("/v1/step-up/{step}"), &body);
        self.send(ask.header("accept-language", "zh-CN"), from)
    }

    /// A request, whose answer must not be somebody else's account.
    fn send(&mut self, ask: Ask<'_>, from: &str) -> Answer {
        let answer = ask.from(from).send();
        self.tally.requests += 1;
        assert!(answer.status < 500, "{}", answer.body);
        let into = answer.body.pointer("/account/id").and_then(Value::as_str);
        if into.is_some_and(|into| self.owners.iter().any(|owner| owner.id == into)) {
            self.tally.entries += 1;
        }
        answer
    }

    fn network(&mut self) -> String {
        format!("{}.{}.{}.7", 11 + self.dice.below(80), self.dice.below(256), self.dice.below(256))
    }
}
