//! What is under way, step by step, as the journeys and the delivery of letters take them.

use onetap::{
    kernel::time::Timestamp,
    model::{account::Outcome, handle::Parting},
};

use super::{
    NEIGHBOUR, OWNER, Protocol, State,
    machines::{Held, Post, Request, ToHandle, Who},
};

/// A journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) step: Step,
    /// Somebody waits for its answer.
    pub(super) is_waited_for: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    /// To whom does the sold number lead? `is_anew`: after they have said that the account is not theirs.
    Resolve {
        nth: usize,
        is_anew: bool,
    },
    SignIn {
        nth: usize,
        is_anew: bool,
        held: Held,
        awaits: bool,
        tries: u8,
    },
    Rebind {
        nth: usize,
        is_anew: bool,
        held: Held,
        is_sold: bool,
        to: Who,
        tries: u8,
    },
    Choose {
        nth: usize,
        at: Who,
    },
    Prove {
        nth: usize,
        at: Who,
    },
    Change(Who),
    Claim {
        who: Who,
        claim: u64,
        is_second: bool,
    },
    /// Does the number lead to an account that knows of it?
    LookAt {
        who: Who,
        claim: u64,
        held: Held,
    },
    Free {
        who: Who,
        claim: u64,
        held: Held,
    },
    Settle {
        who: Who,
        claim: u64,
        is_won: bool,
    },
}

/// How often a sign-in begins again, as in the journey.
const TRIES: u8 = 5;

/// Of the numbers, the one that was sold.
pub(super) const SOLD: usize = 0;

/// The number that an account takes in place of its own.
pub(super) const fn wished_by(who: Who) -> usize {
    if who == OWNER { 1 } else { SOLD }
}

/// The account that somebody who comes may get.
pub(super) fn fresh(nth: usize) -> Who {
    NEIGHBOUR + 1 + Who::try_from(nth).unwrap()
}

/// What is drawn for somebody who comes, and drawn anew.
fn seed(nth: usize, is_anew: bool) -> u8 {
    let nth = u8::try_from(nth).unwrap();
    if is_anew { 20 + nth } else { 10 + nth }
}

impl State {
    /// An account and its number, from the start.
    pub(super) fn register(&mut self, protocol: &Protocol, who: Who, number: usize) {
        let held = self.handle(protocol, number, ToHandle::Resolve(who)).unwrap();
        let (seed, awaits, is_known_device) = (who, false, false);
        self.ask(protocol, who, Request::SignIn { seed, number, held, awaits, is_known_device });
    }

    /// Takes the next step of a call.
    pub(super) fn go(&mut self, protocol: &Protocol, nth: usize) {
        let Call { step, is_waited_for } = self.calls[nth];
        match self.take(protocol, step).filter(|_| is_waited_for) {
            Some(step) => self.calls[nth] = Call { step, is_waited_for },
            None => _ = self.calls.remove(nth),
        }
    }

    fn take(&mut self, protocol: &Protocol, step: Step) -> Option<Step> {
        match step {
            Step::Resolve { nth, is_anew } => {
                let held = self.handle(protocol, SOLD, ToHandle::Resolve(fresh(nth)))?;
                Some(Step::SignIn { nth, is_anew, held, awaits: false, tries: 1 })
            }
            Step::SignIn { nth, is_anew, held, awaits, tries } => {
                let is_known_device = protocol.is_known_device(nth) && held.by == OWNER;
                let (seed, number) = (seed(nth, is_anew), SOLD);
                let request = Request::SignIn { seed, number, held, awaits, is_known_device };
                match self.ask(protocol, held.by, request) {
                    Outcome::SignedIn { .. } => self.entries[nth].is_in = true,
                    Outcome::Waits(_) if is_anew => self.entries[nth].is_in = true,
                    Outcome::Waits(_) => self.entries[nth].asked_at = Some(held.by),
                    Outcome::NotMine { cause, heir } if tries < TRIES => {
                        let to = heir.map_or(fresh(nth), |heir| heir.bytes()[0]);
                        let is_sold = cause == Parting::Reassigned;
                        return Some(Step::Rebind { nth, is_anew, held, is_sold, to, tries });
                    }
                    _ => self.entries[nth].failed = true,
                }
                None
            }
            Step::Rebind { nth, is_anew, held: from, is_sold, to, tries } => {
                let held = self.handle(protocol, SOLD, ToHandle::Rebind { from, is_sold, to })?;
                Some(Step::SignIn { nth, is_anew, held, awaits: false, tries: tries + 1 })
            }
            Step::Choose { nth, at } => {
                let is_known_device = protocol.is_known_device(nth) && at == OWNER;
                let (seed, heir) = (seed(nth, false), fresh(nth));
                match self.ask(protocol, at, Request::NotMine { seed, is_known_device, heir }) {
                    Outcome::GivenUp { claim, .. } => {
                        self.entries[nth].gave_up = true;
                        let Some(claim) = claim else { return Some(Step::Resolve { nth, is_anew: true }) };
                        let (by, since) = (claim.heir?.bytes()[0], self.now);
                        let held = Held { by, since, claim: 0, proven: None };
                        Some(Step::SignIn { nth, is_anew: true, held, awaits: true, tries: 1 })
                    }
                    _ => None,
                }
            }
            Step::Prove { nth, at } => {
                let is_known_device = protocol.is_known_device(nth) && at == OWNER;
                let (seed, request) = (seed(nth, false), |seed| Request::Prove { seed, is_known_device });
                let is_in = matches!(self.ask(protocol, at, request(seed)), Outcome::SignedIn { .. });
                self.entries[nth].has_proven |= is_in;
                None
            }
            Step::Change(who) => match self.ask(protocol, who, Request::Change(wished_by(who))) {
                Outcome::Claiming { claim } => Some(Step::Claim { who, claim, is_second: false }),
                _ => None,
            },
            Step::Claim { who, claim, is_second } => {
                let number = wished_by(who);
                let held = self.handle(protocol, number, ToHandle::Claim { by: who, claim })?;
                Some(match held.by == who || is_second {
                    true => Step::Settle { who, claim, is_won: held.by == who },
                    false => Step::LookAt { who, claim, held },
                })
            }
            Step::LookAt { who, claim, held } => {
                let is_stray = match self.ask(protocol, held.by, Request::Look(wished_by(who))) {
                    Outcome::NotMine { .. } => true,
                    Outcome::NotFound => held.proven.is_some(),
                    _ => false,
                };
                Some(match is_stray {
                    true => Step::Free { who, claim, held },
                    false => Step::Settle { who, claim, is_won: false },
                })
            }
            Step::Free { who, claim, held } => {
                self.handle(protocol, wished_by(who), ToHandle::Free(held));
                Some(Step::Claim { who, claim, is_second: true })
            }
            Step::Settle { who, claim, is_won } => {
                self.ask(protocol, who, Request::Settle { number: wished_by(who), claim, is_won });
                None
            }
        }
    }

    /// Delivers a letter. The orders in which claims meet are explored with binding.
    pub(super) fn send(&mut self, protocol: &Protocol, by: Who, letter: usize, is_told: bool) {
        match self.accounts[usize::from(by) - 1].seen.posts[letter] {
            Post::Claim { claim, .. } => {
                let mut next = Some(Step::Claim { who: by, claim, is_second: false });
                while let Some(step) = next {
                    next = self.take(protocol, step);
                }
                // What was settled may have taken the letter's place.
                let posts = &self.accounts[usize::from(by) - 1].seen.posts;
                let is_it = |post: &Post| matches!(post, Post::Claim { claim: known, .. } if *known == claim);
                let Some(at) = posts.iter().position(is_it).filter(|_| is_told) else { return };
                self.ask(protocol, by, Request::Acknowledge(at.try_into().unwrap()));
                return;
            }
            Post::Release { number, up_to, is_sold, heir } => {
                _ = self.handle(protocol, number, ToHandle::Release { by, up_to, is_sold, heir });
            }
            Post::Renew { number, at } => _ = self.handle(protocol, number, ToHandle::Renew { by, at }),
        }
        if is_told {
            self.ask(protocol, by, Request::Acknowledge(letter.try_into().unwrap()));
        }
    }

    pub(super) fn look(&self, protocol: &Protocol, number: usize) -> Option<Held> {
        protocol.machines.handle(&self.handles[number], ToHandle::Look, Timestamp::from_secs(0)).1
    }

    fn handle(&mut self, protocol: &Protocol, number: usize, step: ToHandle) -> Option<Held> {
        let (kept, held) = protocol.machines.handle(&self.handles[number], step, self.now);
        self.handles[number] = kept;
        held
    }

    pub(super) fn ask(&mut self, protocol: &Protocol, who: Who, request: Request) -> Outcome {
        let account = &mut self.accounts[usize::from(who) - 1];
        let stepped = protocol.machines.account(account, who, request, self.now);
        *account = stepped.0.clone();
        stepped.1.clone()
    }
}
