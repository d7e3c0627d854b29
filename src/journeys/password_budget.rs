//! What a guess at a password costs.
//!
//! Of an identifier strangers share one tally; who passed a bot check has another, so that strangers cannot lock an owner
//! out who is nobody to us; who is signed in has one for the session; and a device that has signed in to the account has a
//! counter of its own. Over a month an account bears no more under all its identifiers and in all its sessions. Wherever
//! strangers are, their addresses and networks pay too.

use super::{
    Service,
    budget::{ALL, Asker, DAY, HOUR, MONTH, Scope, cap},
    own_account::Here,
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

impl<W: World> Service<'_, W> {
    /// What a guess takes from the address and the networks of who asks.
    /// Who brings the token of a bot check has tallies apart, as with codes.
    pub(super) fn scope_of_guess_from(&self, asker: &Asker, brings_bot_check: bool) -> Scope {
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
    pub(super) fn scope_of_guess_by(&self, handle: &HandleName, guesser: Guesser) -> Scope {
        Scope::tally(
            format!("password.identifier.{}", handle.as_str()),
            guesser.tally(),
            self.caps_of_guesses(),
        )
    }

    /// What it takes from the account, whichever identifier it was.
    pub(super) fn scope_of_guess_at(&self, account: AccountId, guesser: Guesser) -> Scope {
        Scope::tally(
            format!("password.account.{}", self.counter_of(account)),
            guesser.tally(),
            vec![self.cap_of_month()],
        )
    }

    /// What a guess takes from on a device that has signed in to the account, by the digest of its token.
    pub(super) fn scope_of_guess_on(&self, device: &str) -> Scope {
        Scope::tally(format!("password.device.{device}"), ALL, self.caps_of_guesses())
    }

    /// What a guess takes from in a session.
    pub(super) fn scope_of_guess_in(&self, here: Here) -> Scope {
        let of_session = Budget { tally: here.session.to_string(), caps: self.caps_of_guesses() };
        let of_all = Budget { tally: "sessions".to_owned(), caps: vec![self.cap_of_month()] };
        Scope::of(format!("password.account.{}", self.counter_of(here.account)), vec![of_session, of_all])
    }

    fn caps_of_guesses(&self) -> Vec<Cap> {
        let limits = &self.settings.limits;
        vec![cap(HOUR, limits.password_tries_hour), cap(DAY, limits.password_tries_day), self.cap_of_month()]
    }

    const fn cap_of_month(&self) -> Cap {
        cap(MONTH, self.settings.limits.password_tries_month)
    }
}
