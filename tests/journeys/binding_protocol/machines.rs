//! The machines of the protocol as they run at the edge. States are many and documents few, so each step of each
//! document is carried out once and remembered.

use std::sync::{Arc, Mutex};

use onetap::{
    kernel::time::Timestamp,
    model::{
        account::{self, Account},
        handle::{self, Handle, Holding, Parting},
        object::Document,
        outbox::{Letter, Message},
    },
};
use serde_json::{Value, json};

use super::{
    super::{
        kept::{self, Keeper, Memory, remember},
        protocol::read,
    },
    requests::{GRACE, Name, PROOF, Person, Request, id, operation},
};

pub(super) type Kept = kept::Kept<Seen>;

/// A step of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ToAccount {
    Ask(Request),
    Acknowledge(u64),
    GraceIsOver,
}

/// What is asked of a handle, by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ToHandle {
    Look,
    Resolve(Person),
    Claim {
        by: Person,
        claim: u64,
        is_proven: bool,
    },
    RenewProof(Person),
    /// What its holder gives up.
    Release {
        by: Person,
        up_to: u64,
    },
    /// What was seen to be nobody's.
    Free(Held),
    /// The same, and whoever proved it has it next.
    Rebind {
        from: Held,
        to: Person,
    },
}

/// A letter of an outbox, as far as it belongs to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Post {
    Claim { name: Name, claim: u64 },
    Release { name: Name, up_to: u64 },
}

/// An identifier as an account lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: Name,
    pub(super) alias_of: Option<Name>,
    pub(super) is_claiming: bool,
}

/// An account after a step.
#[derive(Debug)]
pub(super) struct Stepped {
    pub(super) account: Kept,
    pub(super) outcome: account::Outcome,
    /// The ids that its letters had; now they are counted from nought.
    pub(super) letters: Vec<u64>,
}

/// What can be read off an account.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) exists: bool,
    pub(super) is_closing: bool,
    pub(super) listed: Vec<Listed>,
    pub(super) posts: Vec<Post>,
}

/// Who holds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) by: Person,
    pub(super) since: Timestamp,
    pub(super) claim: u64,
    /// The first sign-in by it has finished.
    pub(super) is_proven: bool,
}

/// The machines.
pub(super) struct Machines {
    names: &'static [Name],
    accounts: Memory<(Kept, Person, ToAccount, Timestamp), Stepped>,
    handles: Memory<(Kept, ToHandle, Timestamp), (Kept, Option<Held>)>,
    keeper: Keeper<Seen>,
}

impl Machines {
    /// Of these names; what accounts have to say about others arrives at once.
    pub(super) fn of(names: &'static [Name]) -> Self {
        Self { names, accounts: Mutex::default(), handles: Mutex::default(), keeper: Keeper::default() }
    }

    pub(super) fn account(&self, kept: &Kept, who: Person, step: ToAccount, now: Timestamp) -> Arc<Stepped> {
        remember(&self.accounts, (kept.clone(), who, step, now), || {
            let mut document = read::<Account>(&kept.text);
            let outcome = match step {
                ToAccount::Acknowledge(letter) => {
                    document.settle(&[letter], &[], now);
                    account::Outcome::Done
                }
                ToAccount::GraceIsOver => {
                    document.tidy(now.plus(GRACE));
                    account::Outcome::Done
                }
                ToAccount::Ask(request) => document.apply(operation(kept.text.is_empty(), who, request), now),
            };
            let letters = letters_of(&document);
            let others = letters.iter().filter(|letter| self.post(&letter.message).is_none());
            document.settle(&others.map(|letter| letter.id).collect::<Vec<_>>(), &[], now);
            let letters = letters_of(&document).iter().map(|letter| letter.id).collect();
            let text = without_history(&document);
            let is_nothing = text == without_history(&Document::empty());
            Stepped { account: self.keep(if is_nothing { String::new() } else { text }), outcome, letters }
        })
    }

    pub(super) fn handle(&self, kept: &Kept, step: ToHandle, now: Timestamp) -> (Kept, Option<Held>) {
        let (kept, held) = &*remember(&self.handles, (kept.clone(), step, now), || {
            let mut document = read::<Handle>(&kept.text);
            let release = |by, held| handle::Operation::Release {
                account: id(by),
                held,
                cause: Parting::Unbound,
                heir: None,
            };
            let operation = match step {
                ToHandle::Look => handle::Operation::Look,
                ToHandle::Resolve(who) => handle::Operation::Resolve { candidate: id(who) },
                ToHandle::Claim { by, claim, is_proven } => {
                    let proof = is_proven.then_some(PROOF);
                    handle::Operation::Claim { account: id(by), claim, proof }
                }
                ToHandle::RenewProof(who) => handle::Operation::RenewProof { account: id(who), proof: PROOF },
                ToHandle::Release { by, up_to } => release(by, Holding::up_to(up_to)),
                ToHandle::Free(Held { by, since, claim, .. }) => release(by, Holding::seen(since, claim)),
                ToHandle::Rebind { from, to } => handle::Operation::Rebind {
                    from: id(from.by),
                    held: Holding::seen(from.since, from.claim),
                    cause: Parting::Unbound,
                    candidate: id(to),
                },
            };
            let held = match document.apply(operation, now) {
                handle::Outcome::Held(handle::Holder { account, since, claim, last_proof, .. }) => {
                    let (by, is_proven) = (account.bytes()[0], last_proof.is_some());
                    Some(Held { by, since, claim, is_proven })
                }
                _ => None,
            };
            let mut changed = serde_json::to_value(&document).unwrap();
            changed["state"].as_object_mut().unwrap().remove("former");
            (self.keep(changed.to_string()), held)
        });
        (kept.clone(), *held)
    }

    /// What is kept of an object of which nothing is.
    pub(super) fn nothing(&self) -> Kept {
        self.keep(String::new())
    }

    fn keep(&self, text: String) -> Kept {
        self.keeper.keep(text, |text| self.see(text))
    }

    fn see(&self, text: &str) -> Seen {
        let Ok(kept) = serde_json::from_str::<Value>(text) else { return Seen::default() };
        let state = &kept["state"];
        let Some(listed) = state["identifiers"].as_array() else { return Seen::default() };
        let listed = listed.iter().filter_map(|known| {
            Some(Listed {
                name: self.name(known["handle"].as_str()?)?,
                alias_of: known["alias_of"].as_str().and_then(|main| self.name(main)),
                is_claiming: known.get("claiming").is_some(),
            })
        });
        Seen {
            exists: !state["created"].is_null(),
            is_closing: state.get("closing").is_some(),
            listed: listed.collect(),
            posts: letters_of(&read(text)).iter().filter_map(|letter| self.post(&letter.message)).collect(),
        }
    }

    fn post(&self, message: &Message) -> Option<Post> {
        match message {
            Message::Claim { handle, claim, .. } => {
                let (name, claim) = (self.name(handle.as_str())?, *claim);
                Some(Post::Claim { name, claim })
            }
            Message::Release { handle, up_to, .. } => {
                let (name, up_to) = (self.name(handle.as_str())?, *up_to);
                Some(Post::Release { name, up_to })
            }
            _ => None,
        }
    }

    fn name(&self, text: &str) -> Option<Name> {
        self.names.iter().copied().find(|name| *name == text)
    }
}

/// Its letters counted from nought, and without what only tells orders apart that are the same to the protocol.
fn without_history(document: &Document<Account>) -> String {
    let mut kept = serde_json::to_value(document).unwrap();
    for part in ["history", "notices", "former_numbers"] {
        kept["state"].as_object_mut().unwrap().remove(part);
    }
    for part in ["sessions", "devices"] {
        kept["state"][part].as_array_mut().unwrap().truncate(1);
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

fn letters_of(document: &Document<Account>) -> Vec<Letter> {
    document.due(Timestamp::from_millis(i64::MAX))
}
