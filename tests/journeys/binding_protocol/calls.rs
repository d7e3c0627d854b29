//! What is under way, step by step, as the journeys and the delivery of letters take them.

use onetap::{kernel::time::Timestamp, model::account::Outcome};

use super::{
    Deed, Protocol, State,
    machines::{Held, ToAccount, ToHandle},
    requests::{Name, Person, Request, number_of},
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
    Resolve { by: Name, other: Option<Name> },
    SignIn { by: Name, held: Held, binds: Option<Name>, other: Option<Name> },
    GiveBack { by: Name, held: Held, other: Option<Name> },
    Bind { name: Name, alias_of: Option<Name>, then: Option<Name> },
    Claim { name: Name, then: Option<Name> },
    Settle { name: Name, is_won: bool, then: Option<Name> },
    Release(Name),
    Acknowledge,
}

impl Call {
    /// Whether it may be carried out again after its caller has given it up.
    pub(super) const fn may_be_repeated(&self) -> bool {
        let is_once = matches!(self.step, Step::Acknowledge | Step::Resolve { .. } | Step::SignIn { .. });
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
            (Waits::Outbox(_), Step::Release(_)) => Some((who, Step::Acknowledge)),
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
                let request = Request::SignIn { by, creates: !held.is_proven, binds, other };
                match self.ask(protocol, held.by, request) {
                    Outcome::SignedIn { .. } => {
                        self.handle(protocol, by, ToHandle::RenewProof(held.by));
                        return binds.or(other).map(|name| (held.by, Step::Claim { name, then: None }));
                    }
                    Outcome::NotMine if binds.is_none() => Step::GiveBack { by, held, other },
                    _ => return None,
                }
            }
            Step::GiveBack { by, held, other } => {
                self.handle(protocol, by, ToHandle::Release(held.by, Some(held.since)));
                Step::Resolve { by, other }
            }
            Step::Bind { name, alias_of, then } => {
                let request = match name.starts_with("phone.") {
                    true => Request::ChangePhone(name),
                    false => Request::Bind { name, alias_of },
                };
                match self.ask(protocol, who, request) {
                    Outcome::Claiming => Step::Claim { name, then },
                    Outcome::Done => another_name(name, then)?,
                    _ => return None,
                }
            }
            Step::Claim { name, then } => {
                let held = self.handle(protocol, name, ToHandle::Claim(who))?;
                Step::Settle { name, is_won: held.by == who, then }
            }
            Step::Settle { name, is_won, then } => {
                self.ask(protocol, who, Request::Settle { name, is_won });
                another_name(name, then.filter(|_| is_won))?
            }
            Step::Release(name) => {
                self.handle(protocol, name, ToHandle::Release(who, None));
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
        let mut found: Option<(usize, Held)> = None;
        let mut leads_elsewhere = false;
        for (at, name) in protocol.names.iter().enumerate().rev() {
            let Some(held) = self.handle(protocol, name, ToHandle::Look) else { continue };
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
                let held = Held { by: who, since: Timestamp::from_secs(0), is_proven: true };
                Some(Step::SignIn { by: number_of(who), held, binds: Some(by), other })
            }
            (Deed::Bind, None) => Some(Step::Bind { name: by, alias_of: None, then: other }),
            (Deed::Bind, Some((_, held))) if held.by == who && !leads_elsewhere => {
                Some(Step::Bind { name: by, alias_of: None, then: other })
            }
            _ => None,
        }
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
