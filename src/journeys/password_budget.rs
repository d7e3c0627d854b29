//! What a guess at a password costs.
//!
//! Strangers share the budget of an identifier, and each network address has its own; a device that has signed in to
//! the account has a budget apart from both, so that nobody can lock its owner out.

use super::{
    Service,
    budget::{Asker, Scope, cap},
};
use crate::{
    kernel::{address::Origin, id::AccountId},
    model::counter::Budget,
    ports::World,
};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
const MONTH: u64 = 30 * DAY;

impl<W: World> Service<'_, W> {
    /// What a guess takes from: at the password behind `identifier`, which leads to `account`, by `asker`; `None`:
    /// somebody who is signed in.
    pub(super) fn scopes_of_guess(
        &self,
        identifier: &str,
        account: AccountId,
        asker: Option<&Asker>,
    ) -> Vec<Scope> {
        let limits = &self.settings.limits;
        let of_identifier = vec![
            cap(HOUR, limits.password_tries_hour),
            cap(DAY, limits.password_tries_day),
            cap(MONTH, limits.password_tries_month),
        ];
        let scope = |counter, tally: &str, caps| Scope {
            counter,
            name: String::new(),
            budgets: vec![Budget { tally: tally.to_owned(), caps }],
            attempts: Vec::new(),
            guard: None,
        };
        let Some(Asker { site, origin: Origin { address, .. }, device }) = asker else {
            return vec![scope(format!("password.session.{identifier}"), ALL, of_identifier)];
        };
        if let Some((digest, _)) = device.as_ref().filter(|(_, record)| record.account == account) {
            return vec![scope(format!("password.device.{digest}"), ALL, of_identifier)];
        }
        let of_address = vec![cap(HOUR, limits.password_address_hour), cap(DAY, limits.password_address_day)];
        vec![
            scope(format!("password.identifier.{identifier}"), ALL, of_identifier),
            scope(format!("password.network.{site}"), address, of_address),
        ]
    }
}

/// The tally of everything a counter stands for.
const ALL: &str = "all";
