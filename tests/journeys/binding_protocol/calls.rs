//! What is under way, step by step, as the journeys and the delivery of letters take them.

use onetap::{kernel::time::Timestamp, model::account::Outcome};

use super::{
    Deed, Protocol, State,
    machines::{Held, ToAccount, ToHandle},
    requests::{Name, Person, Request, is_proven, number_of},
};

/// A journey, or a letter on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Call {
    /// Whose account it is about.
    pub(super) who: Person,
    /// What comes next.
    pub(super) step: Step,
    /// Who waits for its answer.
    pub(super) waits: Waits,
}

/// Who waits for the answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Waits {
    Journey,
    /// The alarm of the account, and the letter unless another one has taken its place meanwhile.
    Outbox(Option<u64>),
    /// Whoever did has given it up.
    Nobody,
}

/// A step, and what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Resolve {
        by: Name,
        other: Option<Name>,
    },
    SignIn {
        by: Name,
        held: Held,
        binds: Option<Name>,
        other: Option<Name>,
    },
    GiveBack {
        by: Name,
        held: Held,
        other: Option<Name>,
    },
    Bind {
        name: Name,
        alias_of: Option<Name>,
        then: Option<Name>,
    },
    Claim {
        name: Name,
        claim: u64,
        is_second: bool,
        then: Option<Name>,
    },
    /// Does the name lead to an account that knows of it?
    LookAt {
        name: Name,
        held: Held,
        claim: u64,
        then: Option<Name>,
    },
    /// It does not, so that it is claimed again.
    Free {
        name: Name,
        held: Held,
        claim: u64,
        then: Option<Name>,
    },
    Settle {
        name: Name,
        claim: u64,
        is_won: bool,
        then: Option<Name>,
    },
    Release {
        name: Name,
        up_to: u64,
    },
    Acknowledge,
}

impl Call {
    /// Whether it may be carried out again after its caller has given it up.
    pub(super) const fn may_be_repeated(&self) -> bool {
        let is_once = matches!(
            self.step,
            Step::Acknowledge | Step::Resolve { .. } | Step::SignIn { .. } | Step::LookAt { .. }
        );
        !is_once && !matches!(self.waits, Waits::Nobody)
    }
}

impl State {
    /// Takes the next step of a call.
    pub(super) fn go(&mut self, protocol: &Protocol, nth: usize) {
        let Call { who, step, waits } = self.calls[nth];
        let next = self.take(protocol, who, step, waits);
        let next = match (waits, step) {
            (Waits::Nobody, _) | (_, Step::Acknowledge) => None,
            // The alarm of the account that has just been told, so nothing comes between.
            (Waits::Outbox(_), Step::Settle { .. }) => {
                self.take(protocol, who, Step::Acknowledge, self.calls[nth].waits)
            }
            (Waits::Outbox(_), Step::Release { .. }) => Some((who, Step::Acknowledge)),
            _ => next,
        };
        match next {
            Some((who, step)) => self.calls[nth] = Call { who, step, ..self.calls[nth] },
            None => _ = self.calls.remove(nth),
        }
    }

    fn take(&mut self, protocol: &Protocol, who: Person, step: Step, waits: Waits) -> Option<(Person, Step)> {
        let next = match step {
            Step::Resolve { by, other } => {
                let held = self.handle(protocol, by, ToHandle::Resolve(who))?;
                Step::SignIn { by, held, binds: None, other }
            }
            Step::SignIn { by, held, binds, other } => {
                let creates = !held.is_proven;
                let request = Request::SignIn { by, claim: held.claim, creates, binds, other };
                match self.ask(protocol, held.by, request) {
                    Outcome::SignedIn { claim, .. } => {
                        self.handle(protocol, by, ToHandle::RenewProof(held.by));
                        let name = binds.or(other)?;
                        let claim = Step::Claim { name, claim: claim?, is_second: false, then: None };
                        return Some((held.by, claim));
                    }
                    Outcome::NotMine { .. } if binds.is_none() => Step::GiveBack { by, held, other },
                    _ => return None,
                }
            }
            Step::GiveBack { by, held, other } => {
                let held = self.handle(protocol, by, ToHandle::Rebind { from: held, to: who })?;
                Step::SignIn { by, held, binds: None, other }
            }
            Step::Bind { name, alias_of, then } => {
                let request = match name.starts_with("phone.") {
                    true => Request::ChangePhone(name),
                    false => Request::Bind { name, alias_of },
                };
                match self.ask(protocol, who, request) {
                    Outcome::Claiming { claim } => Step::Claim { name, claim, is_second: false, then },
                    Outcome::Done => another_name(name, then)?,
                    _ => return None,
                }
            }
            Step::Claim { name, claim, is_second, then } => {
                let is_proven = is_proven(name);
                let held = self.handle(protocol, name, ToHandle::Claim { by: who, claim, is_proven })?;
                match held.by == who || is_second {
                    true => Step::Settle { name, claim, is_won: held.by == who, then },
                    false => Step::LookAt { name, held, claim, then },
                }
            }
            Step::LookAt { name, held, claim, then } => match self.is_stray(protocol, name, held) {
                true => Step::Free { name, held, claim, then },
                false => Step::Settle { name, claim, is_won: false, then },
            },
            Step::Free { name, held, claim, then } => {
                self.handle(protocol, name, ToHandle::Free(held));
                Step::Claim { name, claim, is_second: true, then }
            }
            Step::Settle { name, claim, is_won, then } => {
                self.ask(protocol, who, Request::Settle { name, claim, is_won });
                another_name(name, then.filter(|_| is_won))?
            }
            Step::Release { name, up_to } => {
                self.handle(protocol, name, ToHandle::Release { by: who, up_to });
                return None;
            }
            Step::Acknowledge => {
                if let Waits::Outbox(Some(letter)) = waits {
                    self.account(protocol, who, ToAccount::Acknowledge(letter));
                }
                return None;
            }
        };
        Some((who, next))
    }

    /// What is asked for first. Of somebody whom a third party knows, that depends on to whom their names lead.
    pub(super) fn find(&mut self, protocol: &Protocol, who: Person, deed: Deed) -> Option<Step> {
        if deed == Deed::ChangeNumber {
            let has_own = self.seen(who).listed.iter().any(|known| known.name == number_of(who));
            let name = if has_own { protocol.names[0] } else { number_of(who) };
            return Some(Step::Bind { name, alias_of: None, then: None });
        }
        if deed == Deed::ComeIn && protocol.names[0].starts_with("phone.") {
            return Some(Step::Resolve { by: protocol.names[0], other: None });
        }
        if !is_proven(protocol.names[0]) {
            return Some(Step::Bind { name: protocol.names[0], alias_of: None, then: None });
        }
        let mut found: Option<(usize, Held)> = None;
        let mut leads_elsewhere = false;
        for (at, name) in protocol.names.iter().enumerate().rev() {
            let Some(held) = self.look(protocol, name) else { continue };
            let doubts = deed == Deed::Enter || deed == Deed::Bind && held.by != who;
            if doubts && self.is_stray(protocol, name, held) {
                self.handle(protocol, name, ToHandle::Free(held));
                continue;
            }
            match found {
                None => found = Some((at, held)),
                Some((_, known)) => leads_elsewhere |= known.by != held.by,
            }
        }
        let by = protocol.names[found.map_or(0, |(at, _)| at)];
        let other = protocol.names.iter().copied().find(|name| *name != by && !leads_elsewhere);
        match (deed, found) {
            (Deed::ComeIn, _) => Some(Step::Resolve { by, other }),
            (Deed::Enter, None) => {
                let held = Held { by: who, since: Timestamp::from_secs(0), claim: 0, is_proven: true };
                Some(Step::SignIn { by: number_of(who), held, binds: Some(by), other })
            }
            (Deed::Bind, None) => Some(Step::Bind { name: by, alias_of: None, then: other }),
            (Deed::Bind, Some((_, held))) if held.by == who && !leads_elsewhere => {
                Some(Step::Bind { name: by, alias_of: None, then: other })
            }
            _ => None,
        }
    }

    /// Whether a name leads to an account that knows nothing of it.
    fn is_stray(&mut self, protocol: &Protocol, name: Name, held: Held) -> bool {
        match self.ask(protocol, held.by, Request::Look(name)) {
            Outcome::NotMine { .. } => true,
            Outcome::NotFound => held.is_proven || !is_proven(name),
            _ => false,
        }
    }

    pub(super) fn look(&self, protocol: &Protocol, name: Name) -> Option<Held> {
        let at = protocol.names.iter().position(|known| *known == name)?;
        protocol.machines.handle(&self.handles[at], ToHandle::Look, self.now).1
    }

    pub(super) fn handle(&mut self, protocol: &Protocol, name: Name, step: ToHandle) -> Option<Held> {
        let at = protocol.names.iter().position(|known| *known == name)?;
        let (kept, held) = protocol.machines.handle(&self.handles[at], step, self.now);
        self.handles[at] = kept;
        held
    }

    pub(super) fn ask(&mut self, protocol: &Protocol, who: Person, request: Request) -> Outcome {
        self.account(protocol, who, ToAccount::Ask(request))
    }

    pub(super) fn account(&mut self, protocol: &Protocol, who: Person, step: ToAccount) -> Outcome {
        let account = &mut self.accounts[usize::from(who) - 1];
        let stepped = protocol.machines.account(account, who, step, self.now);
        *account = stepped.account.clone();
        for call in self.calls.iter_mut().filter(|call| call.who == who) {
            if let Waits::Outbox(Some(letter)) = call.waits {
                let at = stepped.letters.iter().position(|known| *known == letter);
                call.waits = Waits::Outbox(at.map(|at| at.try_into().unwrap()));
            }
        }
        stepped.outcome.clone()
    }
}

/// What a journey binds once the name has come to stay.
fn another_name(name: Name, then: Option<Name>) -> Option<Step> {
    Some(Step::Bind { name: then?, alias_of: Some(name), then: None })
}
