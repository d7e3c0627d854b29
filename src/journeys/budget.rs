//! Budgets: what whoever asks uses up, exact under parallel calls, and given back when nothing comes of it.

use super::{Failure, Service, UNEXPECTED_OUTCOME};
use crate::{
    kernel::{address::Origin, digest::keyed_name, id::AccountId, time::Timestamp},
    model::{
        counter::{Budget, Cap, Operation, Outcome, Spend},
        device::{DeviceRecord, Presented},
        pumping::{Guard, Level},
        refusal::{Code, Refusal},
    },
    ports::{GuardTurn, World},
};

/// Who asks, as far as this place knows.
pub(super) struct Asker {
    /// Keyed digest of its site.
    pub(super) site: String,
    pub(super) origin: Origin,
    /// Digest of the token of a device that has signed in before, and what is known of it.
    pub(super) device: Option<(String, DeviceRecord)>,
}

/// Something that is used up.
pub(super) struct Scope {
    pub(super) counter: String,
    /// For the operator.
    pub(super) name: String,
    /// Given back when nothing comes of it.
    pub(super) budgets: Vec<Budget>,
    /// Not given back: it costs us something to be asked in vain.
    pub(super) attempts: Vec<Budget>,
    /// Against pumping, where there is one.
    pub(super) guard: Option<Guard>,
}

/// What was taken, and can be given back.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) at: Timestamp,
    /// Counter, tallies, and whether the guard counted it.
    pub(super) from: Vec<(String, Vec<String>, bool)>,
}

impl Scope {
    /// One tally of a counter, and no guard.
    pub(super) fn tally(counter: String, tally: &str, caps: Vec<Cap>) -> Self {
        Self::of(counter, vec![Budget { tally: tally.to_owned(), caps }])
    }

    /// Tallies of a counter, and no guard.
    pub(super) const fn of(counter: String, budgets: Vec<Budget>) -> Self {
        Self { counter, name: String::new(), budgets, attempts: Vec::new(), guard: None }
    }
}

impl Asker {
    /// The tallies of its address, and of the networks that it lies in, in the counter of its site; with what each may
    /// use up.
    pub(super) fn tallies<T>(&self, address: T, network: T, ipv6_site: T) -> Vec<(&str, T)> {
        match &self.origin.network {
            None => vec![(&self.origin.address, address), (ALL, network)],
            Some(within) => vec![(&self.origin.address, address), (within, network), (ALL, ipv6_site)],
        }
    }

    /// The account that the device has signed in to.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.device.as_ref().map(|(_, record)| record.account)
    }
}

impl Taken {
    /// Both. What was never taken was taken at no time.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.at = self.at.max(other.at);
        self.from.extend(other.from);
        self
    }

    fn add(&mut self, scope: &Scope) {
        let tallies = scope.budgets.iter().map(|budget| budget.tally.clone()).collect();
        self.from.push((scope.counter.clone(), tallies, scope.guard.is_some()));
    }

    /// A guard counts it.
    pub(super) fn is_measured(&self) -> bool {
        self.from.iter().any(|(_, _, measured)| *measured)
    }
}

impl<W: World> Service<'_, W> {
    /// Who asks, as far as this place knows: a device record that cannot be read makes a stranger.
    pub(super) async fn asker(&self, presented: &Presented, from: &str) -> Asker {
        let origin = Origin::of(from);
        let site = keyed_name(&self.settings.digest, "network", &origin.site);
        let mut asker = Asker { site, origin, device: None };
        if let Some(token_digest) = &presented.token
            && let Ok(Some(record)) = self.world.device(token_digest).await
            && presented.holds(record.key.as_deref())
        {
            asker.device = Some((token_digest.clone(), record));
        }
        asker
    }

    /// A name for the counters of an account, which outlive it for a while and must not tell that it was there.
    pub(super) fn counter_of(&self, account: AccountId) -> String {
        keyed_name(&self.settings.digest, "account", &account.to_string())
    }

    /// Takes one from each of them, or from none.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait; `bot_check_required` where a guard holds it back and that would help.
    pub(super) async fn take(&self, scopes: &[Scope]) -> Result<Taken, Failure> {
        let at = self.world.now();
        let spends = scopes.iter().map(|scope| {
            let budgets = scope.budgets.iter().chain(&scope.attempts).cloned().collect();
            (scope.counter.clone(), Operation::Spend(Spend { budgets, guard: scope.guard }))
        });
        let outcomes = self.counters(spends.collect()).await;
        // Of several refusals the one counts that nothing but time or an operator can mend.
        let (mut fault, mut wait, mut held) = (None, None, None);
        let mut taken = Taken { at, from: Vec::new() };
        for (scope, outcome) in scopes.iter().zip(outcomes) {
            match outcome {
                Ok(Outcome::Spent { turned }) => {
                    self.tell(scope, turned);
                    taken.add(scope);
                }
                Ok(Outcome::Held { retry_after, turned }) => {
                    self.tell(scope, turned);
                    match scope.guard.is_some_and(|guard| guard.has_bot_check) {
                        true => held = Some(Code::BotCheckRequired),
                        false => wait = wait.max(Some(retry_after)),
                    }
                }
                Ok(Outcome::Full { retry_after }) => wait = wait.max(Some(retry_after)),
                Ok(_) => fault = Some(UNEXPECTED_OUTCOME),
                Err(unreachable) => fault = Some(unreachable),
            }
        }
        let refusal = fault.map(Failure::from).or(wait.map(|wait| Refusal::wait(wait).into()));
        let Some(refusal) = refusal.or(held.map(Failure::from)) else { return Ok(taken) };
        self.give_back(taken).await;
        Err(refusal)
    }

    /// Takes one from each that has one left, and from none where there is no scope. `None`: it has none.
    pub(super) async fn take_each(&self, scopes: Vec<Option<Scope>>) -> Result<Vec<Option<Taken>>, Failure> {
        let at = self.world.now();
        let spends = scopes.iter().flatten().map(|scope| {
            let spend = Spend { budgets: scope.budgets.clone(), guard: None };
            (scope.counter.clone(), Operation::Spend(spend))
        });
        let mut outcomes = self.counters(spends.collect()).await.into_iter();
        let mut each = Vec::with_capacity(scopes.len());
        for scope in &scopes {
            each.push(match (scope, scope.as_ref().and_then(|_| outcomes.next()).transpose()?) {
                (Some(scope), Some(Outcome::Spent { .. })) => {
                    let mut taken = Taken { at, from: Vec::new() };
                    taken.add(scope);
                    Some(taken)
                }
                (None, _) | (_, Some(Outcome::Full { .. })) => None,
                _ => return Err(UNEXPECTED_OUTCOME.into()),
            });
        }
        Ok(each)
    }

    /// Nothing came of it. Where it cannot be given back the budget is a little smaller for a while.
    pub(super) async fn give_back(&self, taken: Taken) {
        let Taken { at, from } = taken;
        self.withdraw(
            from.into_iter()
                .map(|(counter, tallies, measured)| (counter, Operation::Withdraw { tallies, at, measured })),
        )
        .await;
    }

    pub(super) async fn withdraw(&self, operations: impl Iterator<Item = (String, Operation)>) {
        for outcome in self.counters(operations.collect()).await {
            self.pass_over(outcome);
        }
    }

    fn tell(&self, scope: &Scope, turned: Option<Level>) {
        if let Some(level) = turned {
            self.world.guard_turned(GuardTurn { scope: scope.name.clone(), level: level.name() });
        }
    }
}

pub(super) const HOUR: u64 = 3600;
pub(super) const DAY: u64 = 86_400;
pub(super) const MONTH: u64 = 30 * DAY;

/// The tally of everything a counter stands for.
pub(super) const ALL: &str = "all";

/// At most so many in a window of so many seconds.
pub(super) const fn cap(window_seconds: u64, most: u64) -> Cap {
    Cap { window_seconds, most }
}
