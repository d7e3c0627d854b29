//! What a guess at a password costs.
//!
//! Of an account, under whichever identifier: strangers share one tally; who passed a bot check has another, so that
//! strangers cannot lock an owner out who is nobody to us; who is signed in has one for the session; and a device that has
//! signed in to the account has a counter of its own. Wherever strangers are, their addresses and networks pay too.

use super::{
    Service,
    budget::{ALL, Asker, DAY, HOUR, MONTH, Scope, cap},
    own_account::Here,
};
use crate::{
    kernel::id::AccountId,
    model::counter::{Budget, Cap},
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

impl<W: World> Service<'_, W> {
    /// What a guess takes from the address and the networks of who asks.
    pub(super) fn scope_of_guess_from(&self, asker: &Asker) -> Scope {
        let limits = &self.settings.limits;
        let tallies = asker.tallies(
            (limits.password_address_hour, limits.password_address_day),
            (limits.password_network_hour, limits.password_network_day),
            (limits.password_ipv6_site_hour, limits.password_ipv6_site_day),
        );
        let budgets = tallies.into_iter().map(|(tally, (hour, day))| Budget {
            tally: tally.to_owned(),
            caps: vec![cap(HOUR, hour), cap(DAY, day)],
        });
        Scope::of(format!("password.network.{}", asker.site), budgets.collect())
    }

    /// What a guess at an account's password takes from.
    pub(super) fn scope_of_guess_at(&self, account: AccountId, guesser: Guesser) -> Scope {
        let tally = match guesser {
            Guesser::Stranger => "strangers",
            Guesser::Human => "people",
        };
        Scope::tally(format!("password.account.{account}"), tally, self.caps_of_guesses())
    }

    /// The same on a device that has signed in to it, by the digest of its token.
    pub(super) fn scope_of_guess_on(&self, device: &str) -> Scope {
        Scope::tally(format!("password.device.{device}"), ALL, self.caps_of_guesses())
    }

    /// The same in a session of it.
    pub(super) fn scope_of_guess_in(&self, here: Here) -> Scope {
        let tally = here.session.to_string();
        Scope::tally(format!("password.account.{}", here.account), &tally, self.caps_of_guesses())
    }

    fn caps_of_guesses(&self) -> Vec<Cap> {
        let limits = &self.settings.limits;
        vec![
            cap(HOUR, limits.password_tries_hour),
            cap(DAY, limits.password_tries_day),
            cap(MONTH, limits.password_tries_month),
        ]
    }
}
