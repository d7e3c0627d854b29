//! The owners: accounts of every kind, as a deployment has them after three years.

use std::collections::BTreeMap;

use onetap::{
    kernel::{
        password::{Cost, Password, PasswordHash, SALT_BYTES},
        secret::Secret,
        time::Timestamp,
    },
    model::api_key::Mode,
    ports::Clock,
};
use serde_json::{Value, json};

use super::{A_WORLD, AGES, Dice};
use crate::{
    numbers::one_tap,
    recycled::{DAY, bearer, device_token, log_in, refresh},
    world::{
        Answer, World,
        client::{device, device_with},
        objects::Kind,
    },
};

pub(super) const CITIES: [&str; 12] =
    ["上海", "北京", "重庆", "广州", "成都", "武汉", "西安", "绵阳", "桂林", "遵义", "银川", "三亚"];

/// The commonest, most of all the first ones, and a few others.
pub(super) const SURNAMES: [&str; 12] =
    ["王", "李", "张", "刘", "陈", "王", "李", "张", "覃", "莫", "龚", "邵"];

const GOODS: [&str; 6] = ["零食", "水果", "女装", "钓具", "帐篷", "电影票"];

const PHONES: [&str; 5] = ["iPhone 13", "iPhone 15 Pro Max", "Redmi K70", "meizu 21", "OPPO A2"];

/// One of them.
pub(super) struct Owner {
    pub(super) phone: String,
    pub(super) id: String,
    /// What everybody can read; where there is a verified name it is that.
    pub(super) name: String,
    pub(super) city: &'static str,
    pub(super) username: String,
    pub(super) password: Option<String>,
    /// How much is known of them.
    facts: usize,
    /// The app has said so, or the deployment holds money for all.
    has_money: bool,
    /// The device that the account knows, if there is one, and a session on it.
    home: Option<(String, Answer)>,
    before: Value,
}

/// Everybody in a world, when the numbers were last proven [`AGES`] ago. They were brought from elsewhere; half of those
/// who have a password, and some who have none, came in with a phone of theirs, and some of them are there still.
pub(super) fn settle(world: &World, holds_money: bool, dice: &mut Dice) -> Vec<Owner> {
    let scopes = ["account:import", "account:facts", "account:money"];
    let key = world.api_key_of("app", &scopes, Mode::Live, [Some(30_000), None]);
    let (mut owners, lines): (Vec<Owner>, Vec<String>) =
        (0..A_WORLD).map(|nth| imported(world, nth, holds_money, dice)).unzip();
    let mut import = world.post("/v1/import", &json!({}));
    import.set_body(lines.join("\n").as_bytes());
    let report = import.header("content-type", "application/x-ndjson").bearer(&key).send();
    assert_eq!(report.body["imported"], A_WORLD, "{}", report.body);
    for (nth, owner) in owners.iter_mut().enumerate() {
        report.text(&format!("/lines/{nth}/account")).clone_into(&mut owner.id);
        owner.is_supplied(world, &key, dice);
    }
    world.run_alarms();
    for (nth, owner) in owners.iter_mut().enumerate() {
        let has_phone =
            if owner.password.is_some() { nth % 4 == 0 } else { nth % AGES.len() == AGES.len() - 1 };
        if has_phone {
            owner.comes_with_a_phone(world);
        }
    }
    world.pass(DAY);
    owners.iter_mut().filter(|owner| owner.home.is_some()).for_each(|owner| owner.settles_in(world, dice));
    for _ in 0..6 {
        world.pass(DAY * 20);
        owners.iter_mut().for_each(|owner| owner.lives_on(world));
    }
    world.run_alarms();
    owners.iter_mut().for_each(|owner| owner.trusts_a_phone(world, dice));
    let states = world.objects.states(Kind::Account);
    owners.iter_mut().for_each(|owner| owner.before = owner.kept(&states));
    owners
}

/// Somebody, and the line that brings them.
fn imported(world: &World, nth: usize, holds_money: bool, dice: &mut Dice) -> (Owner, String) {
    let (city, surname) = (dice.of(&CITIES), dice.of(&SURNAMES));
    let (name, username) = (format!("{surname}晓{nth}"), format!("owner{nth}"));
    // 121 days pass before the strangers come.
    let ago =
        |days: u64| Timestamp::from_millis(world.now().millis() - i64::try_from(days).unwrap() * 86_400_000);
    let proven = ago(AGES[nth % AGES.len()] - AGES[AGES.len() - 1]).rfc3339();
    let phone = format!("1380{:07}", nth + 1);
    let mut line = json!({"externalId": username, "phone": phone, "phoneProvenAt": proven, "displayName": name,
        "username": username, "createdAt": ago(1000 + u64::try_from(nth).unwrap()).rfc3339()});
    let password = (!dice.one_in(3)).then(|| format!("{}-qumbelhof-{}", dice.below(1 << 30), nth));
    if let Some(password) = &password {
        line["password"] = json!(hashed(password));
    }
    if dice.one_in(3) {
        line["email"] = json!(format!("{username}@mail.example"));
        line["emailProvenAt"] = json!(proven);
    }
    if dice.one_in(3) {
        let id = id_number(dice);
        line["realName"] = json!({"state": "verified", "name": name, "idNumber": id});
    }
    let facts = [0, 0, 0, 5, 9, 14][dice.below(6)];
    let (id, home, before) = (String::new(), None, Value::Null);
    let has_money = holds_money || dice.one_in(10);
    (Owner { phone, id, name, city, username, password, facts, has_money, home, before }, line.to_string())
}

/// What a shop knows, the home city first.
fn facts(city: &str, count: usize, dice: &mut Dice) -> Vec<Value> {
    let fact = |nth: usize, dice: &mut Dice| match nth % 6 {
        0 if nth == 0 => ("city", city.to_owned()),
        0 => ("city", dice.of(&CITIES).to_owned()),
        1 => ("month", format!("{}-{:02}", 2018 + dice.below(6), 1 + dice.below(12))),
        2 => ("surname", dice.of(&SURNAMES).to_owned()),
        3 => ("amount", (10 + dice.below(5000)).to_string()),
        4 => ("category", dice.of(&GOODS).to_owned()),
        _ => ("phone_model", dice.of(&PHONES).to_owned()),
    };
    let facts = (0..count).map(|nth| {
        let (kind, answer) = fact(nth, dice);
        json!({"kind": kind, "question": {"zh": format!("问题{nth}")}, "answer": answer})
    });
    facts.collect()
}

/// As another system kept it, at little cost.
fn hashed(password: &str) -> String {
    let same = || Secret::new(password.to_owned());
    let password = Password::new(same(), same());
    PasswordHash::make(&password, [7; SALT_BYTES], Cost { memory: 8, passes: 1 })
        .unwrap()
        .text()
        .expose()
        .clone()
}

/// A citizen's number with the right check (GB 11643-1999).
pub(super) fn id_number(dice: &mut Dice) -> String {
    let digits = format!(
        "5107{:02}{}{:02}{:02}{:03}",
        1 + dice.below(20),
        1960 + dice.below(45),
        1 + dice.below(12),
        1 + dice.below(28),
        dice.below(1000)
    );
    let weight = |at: usize| (1 << (17 - at)) % 11;
    let sum: usize =
        digits.bytes().enumerate().map(|(at, digit)| usize::from(digit - b'0') * weight(at)).sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum % 11];
    format!("{digits}{check}")
}

impl Owner {
    fn is_supplied(&self, world: &World, key: &str, dice: &mut Dice) {
        let supplied = |what: &str, body: &Value| {
            let said = world.put(&format!("/v1/accounts/{}/{what}", self.id), body).bearer(key).send();
            assert_eq!(said.status, 204, "{}", said.body);
        };
        if self.facts > 0 {
            supplied("facts", &json!({"facts": facts(self.city, self.facts, dice)}));
        }
        if self.has_money {
            supplied("money", &json!({"enabled": true}));
        }
    }

    /// The number is proven by that, where there is no password.
    fn comes_with_a_phone(&mut self, world: &World) {
        let mut login = self.comes(world, &device(), self.password.is_none());
        let token = device_token(&login).to_owned();
        login.body["device"] = Value::Null;
        self.home = Some((token, login));
    }

    /// Another day on the same device, which is known from then on.
    fn settles_in(&mut self, world: &World, dice: &mut Dice) {
        let Some((token, _)) = &self.home else { return };
        let login = self.comes(world, &device_with(token), self.password.is_none());
        if dice.one_in(3) {
            let on = json!({"enabled": true});
            let on = world.put("/v1/account/login-protection", &on).bearer(bearer(&login)).send();
            assert_eq!(on.status, 204, "{}", on.body);
        }
        self.home = Some((token.clone(), login));
    }

    /// Their app is opened, in one case of two.
    pub(super) fn lives_on(&mut self, world: &World) {
        let is_there = self.is_there();
        let Some((_, login)) = self.home.as_mut().filter(|_| is_there) else { return };
        let refreshed = refresh(world, login);
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        login.body["session"] = refreshed.body["session"].clone();
    }

    fn is_there(&self) -> bool {
        self.home.is_some() && self.phone.bytes().next_back().is_some_and(|digit| digit < b'5')
    }

    /// Who has a password proves by it who they are, and names the phone of a friend.
    fn trusts_a_phone(&self, world: &World, dice: &mut Dice) {
        let (true, Some((_, login)), Some(password)) = (self.is_there(), &self.home, &self.password) else {
            return;
        };
        // Where there is money that would ask for more than a known device.
        if !self.has_money && dice.one_in(2) {
            let proof = json!({"proof": {"type": "password", "password": password}});
            assert_eq!(world.post("/v1/session/proof", &proof).bearer(bearer(login)).send().status, 204);
            let body = json!({"numberProof": one_tap(world, &self.phone.replacen("138", "186", 1))});
            let trusted = world.post("/v1/account/trusted-phones", &body).bearer(bearer(login)).send();
            assert_eq!(trusted.status, 201, "{}", trusted.body);
        }
    }

    /// Comes in on the own device, by the number if it is theirs still, and else by the password.
    pub(super) fn comes_home(&self, world: &World, has_number: bool) {
        let Some((token, login)) = &self.home else { return };
        if self.is_there() {
            let goes_on = refresh(world, login);
            assert_eq!(goes_on.status, 200, "nobody has ended the session: {}", goes_on.body);
        }
        if has_number || self.password.is_some() {
            self.comes(world, &device_with(token), has_number);
        }
    }

    fn comes(&self, world: &World, device: &Value, by_number: bool) -> Answer {
        let credential = json!({"provider": "cmcc", "token": world.providers.token(&self.phone)});
        let login = match &self.password {
            Some(password) if !by_number => log_in(world, &self.username, password, device),
            _ => world.post("/v1/one-tap/login", &json!({"credential": credential, "device": device})).send(),
        };
        let login = login.signed_in();
        assert_eq!(login.text("/account/id"), self.id);
        login
    }

    /// Nothing of what was there is lost, and nobody has come in.
    pub(super) fn has_all(&self, states: &BTreeMap<String, Value>, has_number: bool) {
        let (mut before, mut now) = (self.before.clone(), self.kept(states));
        if !has_number {
            for kept in [&mut before, &mut now] {
                kept["identifiers"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|name| !name.to_string().contains("phone."));
                // What had come in by the number alone has ended with it.
                kept["sessions"].take();
            }
        }
        assert_eq!(now, before, "{}", self.id);
    }

    /// What must not change, whoever tries whatever.
    fn kept(&self, states: &BTreeMap<String, Value>) -> Value {
        let state = &states[&self.id]["state"];
        let ids = |list: &str| -> Value {
            state[list].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        let handles = state["identifiers"].as_array().unwrap().iter().map(|known| known["handle"].clone());
        let mut kept = json!({"sessions": ids("sessions"), "devices": ids("devices"),
            "identifiers": handles.collect::<Value>()});
        for what in ["profile", "password", "supplied", "verified", "trusted_phones", "protected", "created"]
        {
            kept[what] = state[what].clone();
        }
        kept
    }
}
