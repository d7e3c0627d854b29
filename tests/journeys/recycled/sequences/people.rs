//! Three people, three numbers, their phones, and a carrier that sells numbers on.

use std::{collections::BTreeMap, time::Duration};

use onetap::{
    kernel::{phone::PhoneNumber, time::Timestamp},
    model::handle::HandleName,
    ports::Clock,
};
use serde_json::{Value, json};

use crate::{
    recycled::{DAY, SOLD_AGAIN, bearer, device_token, refresh, step},
    world::{
        Answer, World,
        client::{device, device_with},
        objects::Kind,
        registers::Number,
    },
};

pub(super) const NUMBERS: [&str; 3] = ["13800138000", "13900139000", "13700137000"];

/// An account, as the one whose it is knows it.
pub(super) struct Known {
    pub(super) person: usize,
    pub(super) username: String,
    pub(super) password: String,
    /// Token of the phone on which it was used on two days and more.
    pub(super) phone: String,
    pub(super) login: Answer,
    /// What stands in its profile, as it is kept.
    marker: Value,
    pub(super) frozen: bool,
    pub(super) deleted: bool,
}

/// Everything, and who is who.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) accounts: BTreeMap<String, Known>,
    /// Who has each number, and since when the carrier keeps one that was given up.
    pub(super) sims: [Result<usize, Timestamp>; 3],
    /// Sign-ins that wait.
    pub(super) tickets: Vec<Waiting>,
    /// Appeals, and the sign-ins that they are for.
    pub(super) appeals: Vec<(String, Waiting)>,
    /// What the carrier says to those who ask.
    carrier_tells: bool,
    /// What was answered to what, to see that stories come far.
    pub(super) seen: Vec<String>,
}

/// A sign-in that waits: whose, by which number, and with which new password.
pub(super) struct Waiting {
    pub(super) person: usize,
    pub(super) number: usize,
    pub(super) new_password: Option<String>,
    pub(super) held: Answer,
    /// To which account the number led.
    pub(super) account: String,
}

/// A sign-in: who, by which number, with which token of a device.
#[derive(Debug, Clone, Default)]
pub(super) struct Coming {
    pub(super) person: usize,
    pub(super) number: usize,
    pub(super) token: Option<String>,
    pub(super) new_password: Option<String>,
    /// To which account the number leads.
    pub(super) account: String,
}

impl Story {
    /// Everybody has a number, an account with it, and a phone that it knows.
    pub(super) fn begin(world: World, carrier_tells: bool) -> Self {
        let accounts = BTreeMap::new();
        let (sims, tickets, appeals) = ([0, 1, 2].map(Ok), Vec::new(), Vec::new());
        let mut story = Self { world, accounts, sims, tickets, appeals, carrier_tells, seen: Vec::new() };
        if carrier_tells {
            NUMBERS.iter().for_each(|number| story.world.registers.know(number, Number::default()));
        }
        for person in 0..3 {
            story.by_number(&Coming { person, number: person, ..Coming::default() });
        }
        story.settle();
        story
    }

    /// What must hold after every answer: whoever is signed in is signed in to an account of theirs.
    pub(super) fn lands(&mut self, coming: &Coming, mut answer: Answer) -> Option<String> {
        let Coming { person, number, token, new_password, account } = coming.clone();
        if answer.body["status"] == "step_up_required" {
            if let Some(token) = token.filter(|_| answer.body.get("device").is_none()) {
                answer.body["device"] = json!({"token": token});
            }
            self.tickets.push(Waiting { person, number, new_password, held: answer, account });
            return None;
        }
        if answer.body["status"] != "signed_in" {
            assert!(answer.status < 500, "{}", answer.body);
            return None;
        }
        let id = answer.text("/account/id").to_owned();
        let Some(known) = self.accounts.get_mut(&id) else {
            self.is_new(person, &id, answer);
            return Some(id);
        };
        assert_eq!(known.person, person, "signed in to the account of another: {}", answer.body);
        assert!(!known.deleted && !known.frozen, "signed in to what is closed");
        if token.as_ref() == Some(&known.phone) {
            known.login.body["session"] = answer.body["session"].clone();
            if let Some(exchanged) = answer.body.pointer("/device/token").and_then(Value::as_str) {
                exchanged.clone_into(&mut known.phone);
            }
        }
        // Another phone that is trusted from now on takes the place of one that was not used for months.
        let given = answer.body.pointer("/device/token").and_then(Value::as_str).map(str::to_owned);
        if let Some(another) = given.or(token).filter(|_| answer.body["device"]["trust"] == "trusted") {
            (known.phone, known.login.body["session"]) = (another, answer.body["session"].clone());
        }
        if let Some(password) = new_password {
            known.password = password;
        }
        Some(id)
    }

    /// A new account gets a name, a user name and a password at once, and is used on a second day.
    fn is_new(&mut self, person: usize, id: &str, login: Answer) {
        let world = &self.world;
        assert_eq!(login.body["account"]["isNew"], true, "an account that nobody knows: {}", login.body);
        let (nth, bearer) = (self.accounts.len(), bearer(&login));
        let (username, password) = (format!("person{person}of{nth}"), format!("vlimp-oster-{nth}-gandel"));
        let name = json!({"displayName": format!("第{nth}个账号")});
        assert_eq!(world.patch("/v1/account", &name).bearer(bearer).send().status, 204);
        let set = world.put("/v1/account/password", &json!({"newPassword": password})).bearer(bearer).send();
        assert_eq!(set.status, 204, "{}", set.body);
        let body = json!({"username": username});
        let bound = world.post("/v1/account/identities/username", &body).bearer(bearer).send();
        assert_eq!(bound.status, 204, "{}", bound.body);
        let phone = device_token(&login).to_owned();
        let marker = world.objects.states(Kind::Account)[id]["state"]["profile"].clone();
        let (frozen, deleted) = (false, false);
        let known = Known { person, username, password, phone, login, marker, frozen, deleted };
        self.accounts.insert(id.to_owned(), known);
        self.world.pass(DAY);
        assert!(self.comes_home(id), "by name and password on the own phone");
    }

    /// Notes an answer.
    pub(super) fn sees(&mut self, what: &str, answer: &Answer) {
        let said = ["reason", "code", "state", "status"].iter().find_map(|name| answer.body[*name].as_str());
        self.seen.push(format!("{what} {} {}", answer.status, said.unwrap_or_default()));
    }

    /// What somebody sends, each from where they are.
    pub(super) fn send(&self, person: usize, path: &str, body: &Value) -> Answer {
        self.world.post(path, body).from(&format!("198.51.{person}.7")).send()
    }

    /// By an identifier and the password of an account, on the phone that it knows or on a new one.
    pub(super) fn by_password(&mut self, id: &str, identifier: &str, on_phone: bool) -> Option<String> {
        let known = &self.accounts[id];
        let token = on_phone.then(|| known.phone.clone());
        let device = token.as_deref().map_or_else(device, device_with);
        let body = json!({"identifier": identifier, "password": known.password, "device": device});
        let came = self.send(known.person, "/v1/password/login", &body);
        let person = known.person;
        self.sees("by password", &came);
        let coming = Coming { person, token, account: id.to_owned(), ..Coming::default() };
        self.lands(&coming, came)
    }

    /// By name and password, on the phone that the account knows.
    pub(super) fn comes_home(&mut self, id: &str) -> bool {
        let name = self.accounts[id].username.clone();
        self.by_password(id, &name, true).is_some_and(|into| into == id)
    }

    /// Proves a number, to sign in, or to have a new password too.
    pub(super) fn by_number(&mut self, coming: &Coming) -> Option<String> {
        let credential =
            json!({"provider": "cmcc", "token": self.world.providers.token(NUMBERS[coming.number])});
        let device = coming.token.as_deref().map_or_else(device, device_with);
        let came = match &coming.new_password {
            None => self.send(
                coming.person,
                "/v1/one-tap/login",
                &json!({"credential": credential, "device": device}),
            ),
            Some(password) => {
                let proof = json!({"type": "one_tap", "credential": credential});
                let body = json!({"numberProof": proof, "newPassword": password, "device": device});
                self.send(coming.person, "/v1/password/reset", &body)
            }
        };
        self.sees(if coming.new_password.is_some() { "resets" } else { "by number" }, &came);
        self.lands(coming, came)
    }

    /// A session that goes on, or a new one on the phone that the account knows.
    pub(super) fn session(&mut self, id: &str) -> Option<String> {
        let refreshed = refresh(&self.world, &self.accounts[id].login);
        if refreshed.status == 200 {
            let known = self.accounts.get_mut(id)?;
            known.login.body["session"] = refreshed.body["session"].clone();
        } else if !self.comes_home(id) {
            return None;
        }
        Some(bearer(&self.accounts[id].login).to_owned())
    }

    /// Says whose account it is. The person knows that, the service does not.
    pub(super) fn answers(&mut self, waiting: &Waiting, honest: bool) -> Option<String> {
        let Waiting { person, number, new_password, held, account } = waiting;
        let token = held.body.pointer("/device/token").and_then(Value::as_str).map(str::to_owned);
        let coming = Coming {
            person: *person,
            number: *number,
            token,
            new_password: new_password.clone(),
            account: account.clone(),
        };
        let own = self.accounts.get(account).filter(|known| known.person == *person);
        let (word, more) = match own {
            Some(own) if honest => ("complete", json!({"method": "password", "password": own.password})),
            // By mistake, what is theirs goes to another account of theirs.
            Some(_) => ("claim", json!({"choice": "not_mine"})),
            None if honest => ("claim", json!({"choice": "not_mine"})),
            None => ("complete", json!({"method": "password", "password": "the wrong one"})),
        };
        let came = step(&self.world, held, word, more);
        self.sees(word, &came);
        let waits = self.tickets.len();
        let into = self.lands(&coming, came);
        self.tickets.truncate(waits);
        into
    }

    /// A number is given up, lies idle at the carrier for as long as it must, and is bought.
    pub(super) fn is_sold(&mut self, number: usize, to: usize) {
        match self.sims[number] {
            Ok(_) => self.sims[number] = Err(self.world.now()),
            Err(since) => {
                // No letter waits for four months.
                self.settle();
                self.world.pass(SOLD_AGAIN.saturating_sub(self.world.now().since(since)));
                self.sims[number] = Ok(to);
                if self.carrier_tells {
                    let reassigned = vec![self.world.now()];
                    self.world.registers.know(NUMBERS[number], Number { reassigned, ..Number::default() });
                }
            }
        }
    }

    /// To which account the number leads.
    pub(super) fn leads_to(&self, number: usize) -> Option<String> {
        let phone = PhoneNumber::parse(NUMBERS[number]).unwrap();
        let name = HandleName::of_phone(&self.world.settings.digest, &phone);
        let states = self.world.objects.states(Kind::Handle);
        Some(states.get(name.as_str())?["state"]["holder"]["account"].as_str()?.to_owned())
    }

    /// Everything that was put off is done.
    pub(super) fn settle(&mut self) {
        self.world.settle_within(Duration::from_secs(60));
        let texts = NUMBERS.map(|number| self.world.phones.texts(number).len());
        self.world.tell();
        for (number, before) in texts.into_iter().enumerate() {
            // Of an appeal that was made by the number the owner is not told by it.
            let texts = self.world.phones.texts(NUMBERS[number]).split_off(before);
            let led_to =
                self.leads_to(number).and_then(|id| self.accounts.get(&id)).map(|own| Ok(own.person));
            let is_theirs = self.sims[number].is_err() || led_to == Some(self.sims[number]);
            assert!(is_theirs || !texts.iter().any(|text| text.contains("申诉")), "{texts:?}");
        }
        self.agrees();
    }

    /// One holder a number, and each account one number; nothing was lost.
    fn agrees(&self) {
        let (mut held, mut listed) = (Vec::new(), Vec::new());
        for (name, state) in self.world.objects.states(Kind::Handle) {
            if let Some(account) = state["state"]["holder"]["account"].as_str() {
                held.push((name, account.to_owned()));
            }
        }
        let states = self.world.objects.states(Kind::Account);
        for (account, state) in &states {
            let handles = state["state"]["identifiers"].as_array().unwrap();
            let handles: Vec<&str> = handles.iter().map(|known| known["handle"].as_str().unwrap()).collect();
            let numbers = handles.iter().filter(|handle| handle.starts_with("phone."));
            assert!(numbers.count() <= 1, "more than one number: {handles:?}");
            listed.extend(handles.iter().map(|handle| ((*handle).to_owned(), account.clone())));
            // An heir's number leads to the account as soon as it is due, and is the account's once the heir has come in: where
            // accounts are protected, a new device waits in between.
            let awaited =
                state["state"]["awaits"].as_str().map(|handle| (handle.to_owned(), account.clone()));
            listed.extend(awaited.filter(|awaited| held.contains(awaited) && !listed.contains(awaited)));
        }
        listed.sort();
        assert_eq!(held, listed, "handles and accounts agree");
        for (id, known) in self.accounts.iter().filter(|(_, known)| !known.deleted) {
            assert_eq!(states[id]["state"]["profile"], known.marker, "what was there is lost: {id}");
        }
    }
}
