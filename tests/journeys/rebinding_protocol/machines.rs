//! The machines of the protocol as they run at the edge, each step of each document carried out once and remembered.

use onetap::{
    kernel::{
        id::{AccountId, CaseId, SessionId, TicketId},
        time::Timestamp,
    },
    model::{
        account::{self, Account, Act, AtTicket, Candidate, Deed, NumberFacts, Proof, Rules, SignIn},
        device_trust::TrustRules,
        evidence::Evidence,
        handle::{self, Handle, HandleName, Holding, Parting},
        login_history::Place,
        object::Document,
        outbox::Message,
        session::Lifetimes,
        step_up::Patience,
    },
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

use super::{
    super::{
        kept::{self, Keeper, Memory, remember},
        protocol::{read, sign_in},
    },
    NUMBERS,
};

/// Whose account: the owner's, the neighbour's, and those of who comes.
pub(super) type Who = u8;

pub(super) type Kept = kept::Kept<Seen>;

/// What is asked of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Request {
    SignIn { seed: u8, number: usize, held: Held, awaits: bool, is_known_device: bool },
    NotMine { seed: u8, is_known_device: bool, heir: Who },
    Prove { seed: u8, is_known_device: bool },
    UseDevice,
    BindName,
    SetPassword,
    Change(usize),
    Settle { number: usize, claim: u64, is_won: bool },
    Look(usize),
    Acknowledge(u64),
}

/// What is asked of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ToHandle {
    Look,
    Resolve(Who),
    Claim { by: Who, claim: u64 },
    Renew { by: Who, at: Timestamp },
    Release { by: Who, up_to: u64, is_sold: bool, heir: Option<Who> },
    Free(Held),
    Rebind { from: Held, is_sold: bool, to: Who },
}

/// A letter, as far as it belongs to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Post {
    Claim { number: usize, claim: u64 },
    Release { number: usize, up_to: u64, is_sold: bool, heir: Option<Who> },
    Renew { number: usize, at: Timestamp },
}

/// What can be read off an account.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) exists: bool,
    /// Its numbers, and whether each is being claimed.
    pub(super) numbers: Vec<(usize, bool)>,
    pub(super) awaits: bool,
    /// Somebody waits for its number.
    pub(super) is_claimed: bool,
    /// It has all that the owner had besides.
    pub(super) has_all: bool,
    pub(super) posts: Vec<Post>,
}

/// Who holds a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) by: Who,
    pub(super) since: Timestamp,
    pub(super) claim: u64,
    pub(super) proven: Option<Timestamp>,
}

type Stepped = (Kept, account::Outcome);

/// The machines.
#[derive(Default)]
pub(super) struct Machines {
    accounts: Memory<(Kept, Who, Request, Timestamp), Stepped>,
    handles: Memory<(Kept, ToHandle, Timestamp), (Kept, Option<Held>)>,
    keeper: Keeper<Seen>,
}

const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);
const NAME: &str = "username.k1.name";

impl Machines {
    pub(super) fn nothing(&self) -> Kept {
        self.keeper.keep(String::new(), see)
    }

    pub(super) fn account(&self, kept: &Kept, who: Who, request: Request, now: Timestamp) -> Arc<Stepped> {
        remember(&self.accounts, (kept.clone(), who, request, now), || {
            let mut document = read::<Account>(&kept.text);
            let outcome = match request {
                Request::Acknowledge(letter) => {
                    let id = letters(&document)[usize::try_from(letter).unwrap()].0;
                    document.settle(&[id], &[], now);
                    account::Outcome::Done
                }
                request => document.apply(operation(who, request), now),
            };
            if request == Request::BindName {
                let (account, handle, claim) = (id(who), name(NAME), 1);
                let settled =
                    account::Operation::SettleClaim { account, handle, claim, is_won: true, rules: rules() };
                document.apply(settled, now);
            }
            let others = letters(&document).into_iter().filter(|(_, post)| post.is_none());
            document.settle(&others.map(|(id, _)| id).collect::<Vec<_>>(), &[], now);
            (self.keeper.keep(written(&document), see), outcome)
        })
    }

    pub(super) fn handle(&self, kept: &Kept, step: ToHandle, now: Timestamp) -> (Kept, Option<Held>) {
        let (kept, held) = &*remember(&self.handles, (kept.clone(), step, now), || {
            let mut document = read::<Handle>(&kept.text);
            let seen = |held: Held| Holding::seen(held.since, held.claim);
            let proof = |at| handle::Proof { at, method: onetap::model::login::Method::OneTap };
            let operation = match step {
                ToHandle::Look => handle::Operation::Look,
                ToHandle::Resolve(who) => handle::Operation::Resolve { candidate: id(who) },
                ToHandle::Claim { by, claim } => {
                    handle::Operation::Claim { account: id(by), claim, proof: Some(proof(now)) }
                }
                ToHandle::Renew { by, at } => {
                    handle::Operation::RenewProof { account: id(by), proof: proof(at) }
                }
                ToHandle::Release { by, up_to, is_sold, heir } => {
                    let (account, held, cause) = (id(by), Holding::up_to(up_to), cause(is_sold));
                    handle::Operation::Release {
                        account,
                        held,
                        cause,
                        heir: heir.map(|heir| (id(heir), now)),
                    }
                }
                ToHandle::Free(held) => {
                    let (account, cause) = (id(held.by), Parting::Unbound);
                    handle::Operation::Release { account, held: seen(held), cause, heir: None }
                }
                ToHandle::Rebind { from, is_sold, to } => {
                    let (held, cause, candidate) = (seen(from), cause(is_sold), id(to));
                    handle::Operation::Rebind { from: id(from.by), held, cause, candidate }
                }
            };
            let held = match document.apply(operation, now) {
                handle::Outcome::Held(holder) => Some(Held {
                    by: holder.account.bytes()[0],
                    since: holder.since,
                    claim: holder.claim,
                    proven: holder.last_proof.map(|proof| proof.at),
                }),
                _ => None,
            };
            let mut changed = serde_json::to_value(&document).unwrap();
            changed["state"].as_object_mut().unwrap().remove("former");
            (self.keeper.keep(changed.to_string(), see), held)
        });
        (kept.clone(), *held)
    }
}

fn operation(who: Who, request: Request) -> account::Operation {
    let account = id(who);
    let (session, place, rules) = (SessionId::from_bytes([who; 16]), Place::default(), rules());
    let at_ticket = |seed: u8, is_known_device: bool, step| {
        let presented_token = if is_known_device { digest(who) } else { digest(seed) };
        let (ticket, key, looks_again) = (TicketId::from_bytes([seed; 16]), None, false);
        let at = AtTicket { account, ticket, presented_token, key, looks_again, step, rules };
        account::Operation::AtTicket(Box::new(at))
    };
    let deed = match request {
        Request::SignIn { seed, number, held, awaits, is_known_device } => {
            let mut by = seeded(who, seed);
            (by.identifier.handle, by.identifier.claim) = (name(NUMBERS[number]), held.claim);
            (by.identifier.since, by.creates, by.awaits) = (held.since, held.proven.is_none(), awaits);
            let last_proof = held.proven.unwrap_or(held.since);
            by.number =
                Some(NumberFacts { last_proof, evidence: Some(Evidence::none(last_proof, last_proof)) });
            by.presented.token = is_known_device.then(|| digest(who));
            return account::Operation::SignIn(Box::new(by));
        }
        Request::UseDevice => {
            let mut by = seeded(who, u8::MAX - 1);
            (by.identifier.handle, by.creates, by.password) = (name(NUMBERS[0]), false, Some(super::PROVEN));
            by.method = onetap::model::login::Method::Password;
            by.presented.token = Some(digest(who));
            return account::Operation::SignIn(Box::new(by));
        }
        Request::NotMine { seed, is_known_device, heir } => {
            let (heir, case) = (id(heir), CaseId::from_bytes([seed; 16]));
            return at_ticket(seed, is_known_device, account::Step::Choose { mine: false, heir, case });
        }
        Request::Prove { seed, is_known_device } => {
            let proof = Proof::Password(super::PROVEN);
            return at_ticket(seed, is_known_device, account::Step::Prove(proof));
        }
        Request::Settle { number, claim, is_won } => {
            let handle = name(NUMBERS[number]);
            return account::Operation::SettleClaim { account, handle, claim, is_won, rules };
        }
        Request::Look(number) => {
            return account::Operation::LookAtIdentifier { handle: name(NUMBERS[number]) };
        }
        Request::BindName => Deed::Bind(Box::new(candidate(NAME))),
        Request::SetPassword => {
            let hash = serde_json::from_value(json!("k1.hash")).unwrap();
            Deed::SetPassword { hash, attempt: None, end_others: false }
        }
        Request::Change(number) => Deed::ChangePhone(Box::new(candidate(NUMBERS[number]))),
        Request::Acknowledge(_) => panic!("nothing that is asked"),
    };
    account::Operation::Act(Box::new(Act { account, session, deed, proof: None, place, rules }))
}

fn seeded(who: Who, seed: u8) -> SignIn {
    SignIn { rules: rules(), ..sign_in(id(who), usize::from(seed) - 1) }
}

fn candidate(handle: &str) -> Candidate {
    let identifier = account::Identifier { handle: name(handle), ..seeded(1, 1).identifier };
    Candidate { identifier, proof: None }
}

/// What was proven stays fresh, and sessions go on; a ticket does not outlive three days.
fn rules() -> Rules {
    let lifetimes = Lifetimes { idle: YEARS, absolute: YEARS, grace: DAY, access: DAY };
    let patience = Patience { ticket: DAY, question: DAY, questions_an_hour: 10 };
    let trust = TrustRules { known_days: 2, unused_at_most: YEARS };
    Rules { lifetimes, patience, trust, fresh: YEARS, device_token: YEARS, ..sign_in(id(1), 0).rules }
}

pub(super) fn id(who: Who) -> AccountId {
    AccountId::from_bytes([who; 16])
}

fn digest(seed: u8) -> String {
    format!("digest {}", usize::from(seed) - 1)
}

fn name(text: &str) -> HandleName {
    serde_json::from_value(json!(text)).unwrap()
}

const fn cause(is_sold: bool) -> Parting {
    if is_sold { Parting::Reassigned } else { Parting::Changed }
}

fn letters(document: &Document<Account>) -> Vec<(u64, Option<Post>)> {
    let number = |handle: &HandleName| NUMBERS.iter().position(|known| *known == handle.as_str());
    let letters = document.due(Timestamp::from_millis(i64::MAX)).into_iter();
    letters
        .map(|letter| {
            let post = match &letter.message {
                Message::Claim { handle, claim, .. } => {
                    number(handle).map(|number| Post::Claim { number, claim: *claim })
                }
                Message::Release { handle, up_to, cause, heir, .. } => {
                    let is_sold = *cause == Parting::Reassigned;
                    let heir = heir.map(|(heir, _)| heir.bytes()[0]);
                    number(handle).map(|number| Post::Release { number, up_to: *up_to, is_sold, heir })
                }
                Message::RenewProof { handle, at, .. } => {
                    number(handle).map(|number| Post::Renew { number, at: *at })
                }
                _ => None,
            };
            (letter.id, post)
        })
        .collect()
}

/// Without what only tells orders apart that are the same to the protocol.
fn written(document: &Document<Account>) -> String {
    let mut kept = serde_json::to_value(document).unwrap();
    if kept["state"]["created"].is_null() {
        return String::new();
    }
    for part in ["history", "notices"] {
        kept["state"].as_object_mut().unwrap().remove(part);
    }
    if let Some(outbox) = kept.get_mut("outbox") {
        let letters = outbox["letters"].as_array_mut().unwrap();
        for (nth, letter) in letters.iter_mut().enumerate() {
            (letter["id"], letter["due"]) = (json!(nth), json!(0));
        }
        outbox["next_id"] = json!(letters.len());
    }
    kept.to_string()
}

fn see(text: &str) -> Seen {
    let Ok(kept) = serde_json::from_str::<Value>(text) else { return Seen::default() };
    let state = &kept["state"];
    let Some(listed) = state["identifiers"].as_array() else { return Seen::default() };
    let number = |handle: &Value| NUMBERS.iter().position(|known| handle == known);
    let numbers =
        listed.iter().filter_map(|known| Some((number(&known["handle"])?, known.get("claiming").is_some())));
    let has_name = listed.iter().any(|known| known["handle"] == NAME && known.get("claiming").is_none());
    Seen {
        exists: true,
        numbers: numbers.collect(),
        awaits: number(&state["awaits"]) == Some(0),
        is_claimed: state.get("number_claim").is_some(),
        has_all: has_name && state["password"]["hash"] == "k1.hash",
        posts: letters(&read(text)).into_iter().filter_map(|(_, post)| post).collect(),
    }
}
