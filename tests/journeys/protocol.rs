//! The protocol between handle, account and outbox, in every order that three logins of one number can take, with
//! lost answers, repeated calls and broken deliveries: model-checked over the machines that run at the edge.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::Duration,
};

use onetap::{
    kernel::{
        id::{AccountId, DeviceId, SessionId, TicketId},
        time::Timestamp,
    },
    model::{
        account::{self, Account, Identifier, Rules, SignIn, TryLimits},
        device::{DeviceProfile, Presented},
        device_trust::TrustRules,
        handle::{self, Handle, Proof},
        login::Method,
        login_history::{Place, Retention},
        notice::NoticeRules,
        object::{Document, Machine},
        outbox::Message,
        platform::Platform,
        recycling,
        session::Lifetimes,
        step_up::Patience,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use stateright::{Checker, Model, Property};

const LOGINS: usize = 3;
const BROKEN_DELIVERIES: u8 = 1;
const REPEATED_CALLS: u8 = 1;

/// All objects and tables that the protocol touches, persisted, and how far each login is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    handle: String,
    accounts: BTreeMap<AccountId, String>,
    index: BTreeMap<AccountId, (Timestamp, Timestamp)>,
    logins: Vec<Step>,
    now: Timestamp,
    deliveries_to_break: u8,
    calls_to_repeat: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Begun,
    Resolved(AccountId),
    In { account: AccountId, is_new: bool },
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Resolve(usize, Call),
    SignIn(usize, Call),
    Alarm(AccountId, Delivery),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Answered,
    AnswerLost,
    CarriedOutTwice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Done,
    NothingArrived,
    AnswersLost,
    DiedBeforeSettling,
}

#[derive(Default)]
struct Protocol {
    /// How the next login ends does not depend on how far those before it are: looked at once for all that they have left.
    seen: Mutex<HashMap<Left, bool>>,
}

/// Handle, accounts, index, and the time.
type Left = (String, BTreeMap<AccountId, String>, BTreeMap<AccountId, (Timestamp, Timestamp)>, Timestamp);

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            handle: String::new(),
            accounts: BTreeMap::new(),
            index: BTreeMap::new(),
            logins: vec![Step::Begun; LOGINS],
            now: Timestamp::from_secs(0),
            deliveries_to_break: BROKEN_DELIVERIES,
            calls_to_repeat: REPEATED_CALLS,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut calls = vec![Call::Answered, Call::AnswerLost];
        calls.extend((state.calls_to_repeat > 0).then_some(Call::CarriedOutTwice));
        for (nth, step) in state.logins.iter().enumerate() {
            match step {
                // They are alike: it is enough that they come one after the other.
                Step::Begun => {
                    if state.logins.iter().take(nth).all(|before| *before != Step::Begun) {
                        actions.extend(calls.iter().map(|call| Action::Resolve(nth, *call)));
                    }
                }
                Step::Resolved(_) => actions.extend(calls.iter().map(|call| Action::SignIn(nth, *call))),
                Step::In { .. } | Step::Lost => {}
            }
        }
        for (id, json) in &state.accounts {
            if read::<Account>(json).wake_at().is_some() {
                actions.push(Action::Alarm(*id, Delivery::Done));
                if state.deliveries_to_break > 0 {
                    let broken =
                        [Delivery::NothingArrived, Delivery::AnswersLost, Delivery::DiedBeforeSettling];
                    actions.extend(broken.map(|delivery| Action::Alarm(*id, delivery)));
                }
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Resolve(nth, call) => state.resolve(nth, call),
            Action::SignIn(nth, call) => state.sign_in(nth, call),
            Action::Alarm(id, delivery) => state.alarm(id, delivery),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one number, one account", |_, state: &State| state.accounts.len() <= 1),
            Property::always("whoever is in is in the holder's account", |_, state: &State| {
                let holder = state.holder();
                state.logins.iter().all(|step| match step {
                    Step::Resolved(account) | Step::In { account, .. } => Some(*account) == holder,
                    Step::Begun | Step::Lost => true,
                })
            }),
            Property::always("at most one login is told that the account is new", |_, state: &State| {
                state.logins.iter().filter(|step| matches!(step, Step::In { is_new: true, .. })).count() <= 1
            }),
            Property::always("the next login ends right", |protocol: &Self, state: &State| {
                protocol.next_login_ends_right(state)
            }),
            Property::sometimes("all three are in", |_, state: &State| {
                state.logins.iter().all(|step| matches!(step, Step::In { .. }))
            }),
            Property::sometimes("an account is made whose login was lost", |_, state: &State| {
                !state.accounts.is_empty() && state.logins.iter().all(|step| *step == Step::Lost)
            }),
            Property::sometimes("a letter waits for its second try", |_, state: &State| {
                let waits = |json: &String| json.contains("\"attempts\":1");
                state.deliveries_to_break == 0 && state.accounts.values().any(waits)
            }),
        ]
    }
}

impl Protocol {
    fn next_login_ends_right(&self, state: &State) -> bool {
        let left = (state.handle.clone(), state.accounts.clone(), state.index.clone(), state.now);
        let known = self.seen.lock().unwrap().get(&left).copied();
        known.unwrap_or_else(|| {
            let ends_right = state.next_login_ends_right();
            self.seen.lock().unwrap().insert(left, ends_right);
            ends_right
        })
    }
}

impl State {
    fn resolve(&mut self, nth: usize, call: Call) {
        let operation = || handle::Operation::Resolve { candidate: AccountId::from_bytes([number(nth); 16]) };
        let mut outcome = apply::<Handle>(&mut self.handle, operation(), self.now);
        if call == Call::CarriedOutTwice {
            self.calls_to_repeat -= 1;
            outcome = apply::<Handle>(&mut self.handle, operation(), self.now);
        }
        self.logins[nth] = match outcome {
            handle::Outcome::Held(holder) if call != Call::AnswerLost => Step::Resolved(holder.account),
            _ => Step::Lost,
        };
    }

    fn sign_in(&mut self, nth: usize, call: Call) {
        let Step::Resolved(id) = self.logins[nth] else { return };
        // Two logins may be told apart by their times; what else happens takes none.
        self.now = self.now.plus(Duration::from_secs(1));
        let operation = || account::Operation::SignIn(Box::new(sign_in(id, nth)));
        let account = self.accounts.entry(id).or_default();
        let mut outcome = apply::<Account>(account, operation(), self.now);
        if call == Call::CarriedOutTwice {
            self.calls_to_repeat -= 1;
            outcome = apply::<Account>(account, operation(), self.now);
        }
        forget_history(account);
        self.logins[nth] = match outcome {
            account::Outcome::SignedIn { is_new, .. } if call != Call::AnswerLost => {
                Step::In { account: id, is_new }
            }
            _ => Step::Lost,
        };
    }

    // As the edge does it: what is due is delivered, then the object is read again and settled.
    fn alarm(&mut self, id: AccountId, delivery: Delivery) {
        let json = self.accounts[&id].clone();
        self.now = self.now.max(read::<Account>(&json).wake_at().unwrap_or(self.now));
        let letters = read::<Account>(&json).due(self.now);
        if delivery != Delivery::Done {
            self.deliveries_to_break = self.deliveries_to_break.saturating_sub(1);
        }
        let ids: Vec<u64> = letters.iter().map(|letter| letter.id).collect();
        if delivery != Delivery::NothingArrived {
            letters.into_iter().for_each(|letter| self.deliver(letter.message));
        }
        let (delivered, failed): (&[u64], &[u64]) = match delivery {
            Delivery::Done => (&ids, &[]),
            Delivery::NothingArrived | Delivery::AnswersLost => (&[], &ids),
            Delivery::DiedBeforeSettling => return,
        };
        let mut document = read::<Account>(&json);
        document.settle(delivered, failed, self.now);
        self.accounts.insert(id, serde_json::to_string(&document).unwrap());
    }

    fn deliver(&mut self, message: Message) {
        match message {
            Message::RenewProof { account, at, method, .. } => {
                let operation = handle::Operation::RenewProof { account, proof: Proof { at, method } };
                apply::<Handle>(&mut self.handle, operation, self.now);
            }
            Message::IndexAccount { account, created_at, last_login_at } => {
                let row = self.index.entry(account).or_insert((created_at, last_login_at));
                row.1 = row.1.max(last_login_at);
            }
            Message::Claim { .. }
            | Message::TakeBack { .. }
            | Message::IndexCase(_)
            | Message::DropImages { .. }
            | Message::Release { .. }
            | Message::Undo { .. }
            | Message::FinishImport { .. }
            | Message::UnindexAccount { .. } => {
                panic!("a sign-in posts none of these")
            }
            Message::PublishDevice { .. }
            | Message::RetractDevice { .. }
            | Message::PublishEnd { .. }
            | Message::Notify(_) => {}
        }
    }

    fn holder(&self) -> Option<AccountId> {
        let handle: Value = serde_json::from_str(&self.handle).ok()?;
        serde_json::from_value(handle["state"]["holder"]["account"].clone()).ok()
    }

    fn next_login_ends_right(&self) -> bool {
        let mut state = self.clone();
        let nth = state.logins.len();
        state.logins.push(Step::Begun);
        state.resolve(nth, Call::Answered);
        state.sign_in(nth, Call::Answered);
        let at = state.now;
        let Step::In { account, is_new } = state.logins[nth] else { return false };
        while read::<Account>(&state.accounts[&account]).wake_at().is_some() {
            state.alarm(account, Delivery::Done);
        }
        let handle: Value = serde_json::from_str(&state.handle).unwrap();
        state.holder() == Some(account)
            && is_new == self.accounts.is_empty()
            && state.accounts.len() == 1
            && state.index.keys().eq([&account])
            && state.index[&account].1.secs() / 86_400 == at.secs() / 86_400
            && handle["state"]["holder"]["last_proof"]["at"] == json!(at.millis())
    }
}

#[test]
fn in_every_order_one_number_is_one_account() {
    let checker = Protocol::default().checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 6_000, "{}", checker.unique_state_count());
}

pub(super) fn sign_in(account: AccountId, nth: usize) -> SignIn {
    let day = Duration::from_secs(86_400);
    let sealed = || serde_json::from_value(json!("k1.sealed")).unwrap();
    let name = serde_json::from_value(json!("phone.k1.name")).unwrap();
    SignIn {
        account,
        identifier: Identifier {
            handle: name,
            value: sealed(),
            since: Timestamp::from_secs(0),
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
        introduction: account::Profile::default(),
        new_password: None,
        app: "default".to_owned(),
        consent: None,
        session: SessionId::from_bytes([number(nth); 16]),
        presented: Presented::default(),
        ticket: TicketId::from_bytes([number(nth); 16]),
        new_device: (DeviceId::from_bytes([number(nth); 16]), format!("digest {nth}")),
        profile: DeviceProfile {
            platform: Platform::Ios,
            name: sealed(),
            model: None,
            os: None,
            app_version: None,
            push_token: None,
        },
        place: Place::default(),
        asker: String::new(),
        rules: Rules {
            lifetimes: Lifetimes { idle: day, absolute: day, grace: day, access: day },
            trust: TrustRules { known_days: 7, unused_at_most: day },
            retention: Retention { most: 10, days: 1 },
            notices: NoticeRules { webhooks: false, pushes: None, sms: 0 },
            sessions: 10,
            devices: 10,
            device_token: day,
            profile: recycling::Profile::Basic,
            one_tap_waits: false,
            one_tap_is_told: true,
            patience: Patience { ticket: day, question: day, questions_an_hour: 10 },
            fresh: day,
            identities_of_a_kind: 1,
            deletion_grace: day,
            phone_change_waits: day,
            phone_change_stands: day,
            trusted_phones: 5,
            trusted_phone: day,
            codes_an_hour: 10,
            tries: TryLimits { by_asker: 5, by_all: 20 },
            appeals: TryLimits { by_asker: 2, by_all: 6 },
        },
    }
}

fn number(nth: usize) -> u8 {
    u8::try_from(nth + 1).unwrap()
}

pub(super) fn read<M: Machine + DeserializeOwned>(json: &str) -> Document<M> {
    if json.is_empty() { Document::empty() } else { serde_json::from_str(json).unwrap() }
}

/// Login history and the count of notices are no part of the protocol; they only tell orders apart that are the same to
/// it.
fn forget_history(account: &mut String) {
    let mut document: Value = serde_json::from_str(account).unwrap();
    for part in ["history", "notices"] {
        document["state"].as_object_mut().unwrap().remove(part);
    }
    *account = document.to_string();
}

fn apply<M: Machine + Serialize + DeserializeOwned>(
    json: &mut String,
    operation: M::Operation,
    now: Timestamp,
) -> M::Outcome {
    let mut document = read::<M>(json);
    let outcome = document.apply(operation, now);
    *json = serde_json::to_string(&document).unwrap();
    outcome
}
