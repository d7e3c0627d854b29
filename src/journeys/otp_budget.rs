//! What a code costs: the budgets of whoever asks, and of where it goes.
//!
//! Who asks is a device that has signed in before, or else a network address. Where it goes is a prefix of
//! numbers, a country, and the deployment as a whole; the first two have a guard against pumping.

use super::{Failure, Service, UNEXPECTED_OUTCOME, provider::Caller, sign_in::DeviceClaim};
use crate::{
    kernel::{
        address,
        country::{country_code, prefix},
        digest::keyed_name,
        fault::Fault,
        id::AccountId,
        phone::PhoneNumber,
        time::Timestamp,
    },
    model::{
        counter::{Admit, Cap, Operation, Outcome, Spend},
        pumping::{Level, Policy},
        refusal::{Code, Refusal},
    },
    ports::{GuardTurn, World},
};

/// Who asks for a code.
pub(super) enum Asker {
    /// A device that holds a token of ours and has signed in to this account.
    Device { token_digest: String, account: AccountId },
    /// Anybody else, by where they come from.
    Stranger { network: String, address: String },
}

/// Where a code goes.
pub(super) struct Reach<'a> {
    pub(super) phone: &'a PhoneNumber,
    /// The owner's own device asks, or a person who passed a bot check: the guard neither stops nor measures it.
    pub(super) exempt: bool,
}

impl Asker {
    /// The account that the device has signed in to.
    pub(super) const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Device { account, .. } => Some(*account),
            Self::Stranger { .. } => None,
        }
    }
}

impl<W: World> Service<'_, W> {
    /// Who asks, as far as this place knows: a device record that cannot be read makes a stranger.
    pub(super) async fn asker(&self, device: &DeviceClaim, from: &str) -> Asker {
        if let Some(token_digest) = self.presented_token(device)
            && let Ok(Some(record)) = self.world.device(&token_digest).await
        {
            return Asker::Device { token_digest, account: record.account };
        }
        let (network, address) = address::network(from);
        Asker::Stranger { network: keyed_name(&self.settings.digest, "network", &network), address }
    }

    /// Takes one code from the budget of whoever asks.
    pub(super) async fn spend(&self, asker: &Asker) -> Result<(), Failure> {
        let limits = &self.settings.limits;
        let spends = match asker {
            Asker::Device { .. } => vec![self.budget(ALL, limits.otp_device_short, limits.otp_device_long)],
            Asker::Stranger { address, .. } => vec![
                self.budget(ALL, limits.otp_network_short, limits.otp_network_long),
                self.budget(address, limits.otp_address_short, limits.otp_address_long),
            ],
        };
        match self.world.counter(&counter_of(asker), Operation::Spend { spends }).await? {
            Outcome::Spent => Ok(()),
            Outcome::Full { retry_after } => Err(Refusal::wait(retry_after).into()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Gives back what was taken then. When that fails the budget is a little smaller for a while.
    pub(super) async fn give_back(&self, asker: &Asker, at: Timestamp) {
        let tallies = match asker {
            Asker::Device { .. } => vec![ALL.to_owned()],
            Asker::Stranger { address, .. } => vec![ALL.to_owned(), address.clone()],
        };
        let _ = self
            .world
            .counter(&counter_of(asker), Operation::Withdraw { tallies, at, measured: false })
            .await;
    }

    /// Takes one code from the budgets of where it goes, if the guard lets it.
    pub(super) async fn enter(&self, reach: &Reach<'_>, caller: &Caller<'_>) -> Result<(), Failure> {
        let at = self.world.now();
        let scopes = self.scopes(reach.phone, self.has_bot_check(caller));
        let admits = scopes.iter().map(|scope| (scope.counter.clone(), self.admit(scope, reach.exempt)));
        let outcomes = self.counters(admits.collect()).await;
        let mut refusal = None;
        let mut entered = Vec::new();
        for (scope, outcome) in scopes.iter().zip(outcomes) {
            match outcome {
                Ok(Outcome::Admitted { turned }) => {
                    self.tell(scope, turned);
                    entered.push(scope);
                }
                Ok(Outcome::Held { retry_after, turned }) => {
                    self.tell(scope, turned);
                    refusal = Some(match self.has_bot_check(caller) {
                        true => Code::BotCheckRequired.into(),
                        false => Refusal::wait(retry_after).into(),
                    });
                }
                Ok(Outcome::Full { retry_after }) => refusal = Some(Refusal::wait(retry_after).into()),
                Ok(_) => refusal = Some(UNEXPECTED_OUTCOME.into()),
                Err(fault) => refusal = Some(fault.into()),
            }
        }
        let Some(refusal) = refusal else { return Ok(()) };
        self.withdraw(entered.into_iter(), at, !reach.exempt).await;
        Err(refusal)
    }

    /// The code that entered was not sent after all.
    pub(super) async fn leave(&self, reach: &Reach<'_>, at: Timestamp) {
        let scopes = self.scopes(reach.phone, false);
        self.withdraw(scopes.iter(), at, !reach.exempt).await;
    }

    /// A code that was sent then was redeemed: the guards of its prefix and country learn it.
    ///
    /// # Errors
    /// [`Fault`]: one of them did not; it then takes one code more for lost.
    pub(super) async fn note_redeemed(&self, phone: &PhoneNumber, sent_at: Timestamp) -> Result<(), Fault> {
        let scopes = self.scopes(phone, false);
        let guarded = scopes.iter().filter(|scope| scope.guard.is_some());
        let notes = guarded.map(|scope| (scope.counter.clone(), Operation::Redeemed { sent_at }));
        self.counters(notes.collect()).await.into_iter().try_for_each(|noted| noted.map(|_| ()))
    }

    fn admit(&self, scope: &Scope, exempt: bool) -> Operation {
        let cap = Cap { window_seconds: self.settings.limits.otp_short_window_seconds, most: scope.most };
        let spends = vec![Spend { tally: ALL.to_owned(), caps: vec![cap] }];
        Operation::Admit(Admit { spends, guard: scope.guard, exempt })
    }

    async fn withdraw(&self, scopes: impl Iterator<Item = &Scope>, at: Timestamp, measured: bool) {
        let withdraw = || Operation::Withdraw { tallies: vec![ALL.to_owned()], at, measured };
        self.counters(scopes.map(|scope| (scope.counter.clone(), withdraw())).collect()).await;
    }

    fn tell(&self, scope: &Scope, turned: Option<Level>) {
        if let Some(level) = turned {
            self.world.guard_turned(GuardTurn { scope: scope.name.clone(), level: level.name() });
        }
    }

    fn budget(&self, tally: &str, short: u64, long: u64) -> Spend {
        let limits = &self.settings.limits;
        let caps = vec![
            Cap { window_seconds: limits.otp_short_window_seconds, most: short },
            Cap { window_seconds: limits.otp_long_window_seconds, most: long },
        ];
        Spend { tally: tally.to_owned(), caps }
    }

    fn scopes(&self, phone: &PhoneNumber, has_bot_check: bool) -> [Scope; 3] {
        let limits = &self.settings.limits;
        let policy = |min_sends, check, stop| Policy {
            min_sends,
            // Without a bot check there is nothing to ask for: a prefix is open until it is stopped.
            check_below_percent: if has_bot_check { check } else { 0 },
            stop_below_percent: stop,
            measure_one_in_check: limits.pumping_check_lets_one_in,
            measure_one_in_stop: limits.pumping_stop_lets_one_in,
            mature_seconds: MATURE_SECONDS,
        };
        let of_prefix = policy(
            limits.pumping_prefix_min_sends,
            limits.pumping_prefix_check_percent,
            limits.pumping_prefix_stop_percent,
        );
        let of_country = policy(
            limits.pumping_country_min_sends,
            limits.pumping_country_check_percent,
            limits.pumping_country_stop_percent,
        );
        let scope = |kind: &str, name: String, most, guard| Scope {
            counter: format!("otp.{kind}.{name}"),
            name,
            most,
            guard,
        };
        [
            scope("prefix", prefix(phone.e164()), limits.otp_prefix_short, Some(of_prefix)),
            scope(
                "country",
                country_code(phone.e164()).to_owned(),
                limits.otp_country_short,
                Some(of_country),
            ),
            scope("deployment", ALL.to_owned(), limits.otp_deployment_short, None),
        ]
    }
}

/// A code that is not redeemed this long after it was sent is probably not going to be.
const MATURE_SECONDS: u64 = 120;

/// The tally of everything a counter stands for.
const ALL: &str = "all";

struct Scope {
    counter: String,
    name: String,
    most: u64,
    guard: Option<Policy>,
}

fn counter_of(asker: &Asker) -> String {
    match asker {
        Asker::Device { token_digest, .. } => format!("otp.device.{token_digest}"),
        Asker::Stranger { network, .. } => format!("otp.network.{network}"),
    }
}
