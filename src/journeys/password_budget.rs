//! What a guess at a password costs.
//!
//! Of an identifier strangers share one tally; who passed a bot check has another, so that strangers cannot lock an owner
//! out who is nobody to us; who is signed in has one for the session; and a device that has signed in to the account has a
//! counter of its own. Over a month an account bears no more under all its identifiers and in all its sessions. Wherever
//! strangers are, their addresses and networks pay too.
//!
//! A guess by a number is one at each account that it led to. Those that had it once bear it in a tally apart: what is tried at
//! a number that is another's by now takes nothing from what their owners have.

use std::time::Duration;

use super::{
    Failure, Service,
    budget::{ALL, Asker, DAY, HOUR, MONTH, Scope, Taken, cap},
    own_account::Here,
    password_login::PasswordLogin,
};
use crate::{
    kernel::id::AccountId,
    model::{
        counter::{Budget, Cap},
        handle::HandleName,
    },
    ports::World,
};

/// Who guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guesser {
    /// Nobody known.
    Stranger,
    /// Nobody known, who passed a bot check.
    Human,
}

impl Guesser {
    const fn tally(self) -> &'static str {
        match self {
            Self::Stranger => "strangers",
            Self::Human => "people",
        }
    }
}

/// What a guess has cost.
pub(super) struct Paid {
    /// On a device that has signed in to one of the accounts.
    device: Taken,
    /// From where it came, and by the identifier.
    name: Taken,
    /// At each account; `None`: it counts nothing there.
    accounts: Vec<Option<Taken>>,
}

impl Paid {
    /// Whether it counts at that one of the accounts.
    pub(super) fn counts_at(&self, nth: usize) -> bool {
        self.accounts.get(nth).is_some_and(Option::is_some)
    }
}

impl<W: World> Service<'_, W> {
    /// Pays for a guess. Over the month an account bears no more guesses than one identifier: that is not said, since it would
    /// tell which identifiers are one person's.
    ///
    /// # Errors
    /// `rate_limited`; `bot_check_required` for a token that is not good.
    pub(super) async fn pay_for_guess(
        &self,
        login: &PasswordLogin<'_>,
        handle: &HandleName,
        accounts: &[AccountId],
        asker: &Asker,
    ) -> Result<Paid, Failure> {
        // 1. The device of one of them pays for that one.
        let own = asker.device.as_ref().filter(|(_, record)| accounts.contains(&record.account));
        let own_account = own.map(|(_, record)| record.account);
        let device = match own {
            Some((digest, _)) => self.take(&[self.scope_of_guess_on(digest)]).await?,
            None => Taken::default(),
        };
        // 2. Who is not the holder pays as a stranger does. Where they cannot, that closes nothing of their own.
        let by_name = match own_account.is_some() && own_account == accounts.first().copied() {
            true => Ok((Taken::default(), Guesser::Stranger)),
            false => self.pay_by_name(login, handle, asker).await,
        };
        let (name, guesser) = match by_name {
            Ok((taken, guesser)) => (taken, Some(guesser)),
            Err(Failure::Refusal(_)) if own.is_some() => (Taken::default(), None),
            Err(failure) => return Err(failure),
        };
        // 3. The accounts, each for itself.
        let scope = |(account, once): (&AccountId, bool)| {
            let guesser = guesser.filter(|_| own_account != Some(*account))?;
            Some(self.scope_of_guess_at(*account, guesser, once))
        };
        let scopes: Vec<_> = accounts.iter().zip((0..).map(|nth| nth > 0)).map(scope).collect();
        let mut at = self.take_each(scopes).await?;
        for (account, taken) in accounts.iter().zip(&mut at) {
            if own_account == Some(*account) {
                *taken = Some(Taken::default());
            }
        }
        Ok(Paid { device, name, accounts: at })
    }

    async fn pay_by_name(
        &self,
        login: &PasswordLogin<'_>,
        handle: &HandleName,
        asker: &Asker,
    ) -> Result<(Taken, Guesser), Failure> {
        // An address pays also for what comes to nothing: the bot check costs us something.
        let brings_bot_check = login.captcha.is_some() && self.has_bot_check(&login.caller);
        let from = self.take(&[self.scope_of_guess_from(asker, brings_bot_check)]).await?;
        let deadline =
            self.world.now().plus(Duration::from_millis(self.settings.limits.bot_check_timeout_ms));
        let guesser = match self.is_human(&login.caller, login.captcha, deadline).await? {
            true => Guesser::Human,
            false => Guesser::Stranger,
        };
        Ok((from.and(self.take(&[self.scope_of_guess_by(handle, guesser)]).await?), guesser))
    }

    /// Gives back what was paid for a guess that was right for that one of the accounts.
    ///
    /// Who comes back by a number has guessed at its holder all the same, and could do so again and again with new passwords
    /// of their own. So many times that costs the holder nothing; then it does.
    pub(super) async fn give_back_guess(&self, paid: Paid, nth: usize, account: AccountId) {
        let Paid { device, name, mut accounts } = paid;
        let own = accounts.get_mut(nth).and_then(Option::take).unwrap_or_default();
        let others = accounts.into_iter().flatten().fold(name, Taken::and);
        let is_free = nth == 0 || self.take(&[self.scope_of_return(account)]).await.is_ok();
        let back = device.and(own);
        self.give_back(if is_free { back.and(others) } else { back }).await;
    }

    /// What a guess takes from the address and the networks of who asks.
    /// Who brings the token of a bot check has tallies apart, as with codes.
    fn scope_of_guess_from(&self, asker: &Asker, brings_bot_check: bool) -> Scope {
        let apart = if brings_bot_check { "checked." } else { "" };
        let limits = &self.settings.limits;
        let tallies = asker.tallies(
            (limits.password_address_hour, limits.password_address_day),
            (limits.password_network_hour, limits.password_network_day),
            (limits.password_ipv6_site_hour, limits.password_ipv6_site_day),
        );
        let budgets = tallies.into_iter().map(|(tally, (hour, day))| Budget {
            tally: format!("{apart}{tally}"),
            caps: vec![cap(HOUR, hour), cap(DAY, day)],
        });
        Scope::of(format!("password.network.{}", asker.site), budgets.collect())
    }

    /// What a guess by an identifier takes from.
    fn scope_of_guess_by(&self, handle: &HandleName, guesser: Guesser) -> Scope {
        Scope::tally(
            format!("password.identifier.{}", handle.as_str()),
            guesser.tally(),
            self.caps_of_guesses(),
        )
    }

    /// What it takes from the account, whichever identifier it was; `once`: one that leads elsewhere now.
    fn scope_of_guess_at(&self, account: AccountId, guesser: Guesser, once: bool) -> Scope {
        let tally = format!("{}{}", guesser.tally(), if once { ".once" } else { "" });
        Scope::tally(self.counter_of_guesses(account), &tally, vec![self.cap_of_month()])
    }

    /// What the account takes from when its owner comes back by a number that is another's.
    fn scope_of_return(&self, account: AccountId) -> Scope {
        Scope::tally(self.counter_of_guesses(account), "returns", self.caps_of_guesses())
    }

    fn counter_of_guesses(&self, account: AccountId) -> String {
        format!("password.account.{}", self.counter_of(account))
    }

    /// What a guess takes from on a device that has signed in to the account, by the digest of its token.
    fn scope_of_guess_on(&self, device: &str) -> Scope {
        Scope::tally(format!("password.device.{device}"), ALL, self.caps_of_guesses())
    }

    /// What a guess takes from in a session.
    pub(super) fn scope_of_guess_in(&self, here: Here) -> Scope {
        let of_session = Budget { tally: here.session.to_string(), caps: self.caps_of_guesses() };
        let of_all = Budget { tally: "sessions".to_owned(), caps: vec![self.cap_of_month()] };
        Scope::of(self.counter_of_guesses(here.account), vec![of_session, of_all])
    }

    fn caps_of_guesses(&self) -> Vec<Cap> {
        let limits = &self.settings.limits;
        vec![cap(HOUR, limits.password_tries_hour), cap(DAY, limits.password_tries_day), self.cap_of_month()]
    }

    const fn cap_of_month(&self) -> Cap {
        cap(MONTH, self.settings.limits.password_tries_month)
    }
}
