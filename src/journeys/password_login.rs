//! Signing in with a password, by whatever leads to the account, or by a number that did once.
//!
//! Nothing tells whether an identifier leads to an account, or to how many it has led: the calls and the hashes are the same,
//! whoever is behind it.

use futures_util::future::join;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::{Entrance, Proven, Seed},
    password::Right,
    provider::Caller,
    sign_in::{self, Entry},
};
use crate::{
    kernel::{
        digest::{derive, hmac_sha256},
        id::AccountId,
        secret::Secret,
    },
    model::{
        challenge::Destination,
        handle::{self, HandleName, LOOKED_BACK, USERNAME},
        login::Method,
        refusal::Code,
    },
    ports::World,
};

/// A password login.
#[derive(Debug)]
pub struct PasswordLogin<'a> {
    /// Number, address or user name, as it was typed.
    pub identifier: &'a Secret<String>,
    /// As it was typed.
    pub password: &'a Secret<String>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// What the bot check gave the client.
    pub captcha: Option<&'a Secret<String>>,
    /// What for.
    pub purpose: sign_in::Purpose<'a>,
}

impl<W: World> Service<'_, W> {
    /// Signs in with a password.
    ///
    /// # Errors
    /// `invalid_credentials`, whatever is wrong; `rate_limited`, where passing a bot check helps; `bot_check_required` for a token of one that is not good.
    pub async fn password_login(&self, login: &PasswordLogin<'_>) -> Result<Entry, Failure> {
        // 1. To whom does the identifier lead, to whom did it, and who asks?
        let presented = self.presented(login.purpose.device).await?;
        let (handle, value) = self.named(login.identifier.expose());
        let look = self.world.handle(&handle, handle::Operation::LookBack);
        let (holders, asker) = join(look, self.asker(&presented, login.caller.address)).await;
        let handle::Outcome::Holders { now, before } = holders? else {
            return Err(UNEXPECTED_OUTCOME.into());
        };
        let accounts = self.accounts_of(&handle, now, before);
        // 2. A guess is paid for before it is looked at.
        let paid = self.pay_for_guess(login, &handle, &accounts, &asker).await?;
        // 3. So many hashes, whoever they are. Of several the holder has it, then the last one before.
        let right = self.compare_with(&accounts, login.password).await?;
        let right =
            right.into_iter().enumerate().find(|(nth, right)| right.is_some() && paid.counts_at(*nth));
        let Some((nth, Some(right))) = right else { return Err(Code::InvalidCredentials.into()) };
        // 4. They know it: nothing was guessed.
        let account = right.account;
        self.give_back_guess(paid, nth, account).await;
        let set_at = self.keep_current(right, login.password).await;
        let by = Proven { handle, value, method: Method::Password, alias_of: None };
        let entrance = Entrance { password: Some((account, set_at)), ..by.into() };
        self.sign_in(&entrance, &login.purpose, presented, &Seed::new(self.fresh()?)).await
    }

    /// Whom an identifier leads to and has led to: always as many for a number, and one for all else, since only numbers are sold again.
    pub(super) fn accounts_of(
        &self,
        handle: &HandleName,
        now: Option<AccountId>,
        before: Vec<AccountId>,
    ) -> Vec<AccountId> {
        let before =
            before.into_iter().filter(|_| handle.is_phone()).map(Some).chain(std::iter::repeat(None));
        let looked_back = if handle.is_phone() { LOOKED_BACK } else { 0 };
        let accounts = std::iter::once(now).chain(before.take(looked_back));
        accounts.zip(0..).map(|(account, nth)| account.unwrap_or_else(|| self.nobody(handle, nth))).collect()
    }

    /// Of each account whether it is its password.
    async fn compare_with(
        &self,
        accounts: &[AccountId],
        typed: &Secret<String>,
    ) -> Result<Vec<Option<Right>>, Failure> {
        let password = self.password(typed);
        let kept = self.kept_passwords(accounts).await;
        let mut compared = Vec::with_capacity(accounts.len());
        for (account, kept) in accounts.iter().zip(kept) {
            compared.push(self.verify(*account, kept?, &password).await?);
        }
        Ok(compared)
    }

    /// The handle of what somebody typed: a number, an address, or else a name.
    fn named(&self, typed: &str) -> (HandleName, Secret<String>) {
        let ring = &self.settings.digest;
        let text = typed.trim();
        if let Some(to) = Destination::parse(text) {
            return (to.handle(ring), Secret::new(to.as_str().to_owned()));
        }
        let name = text.to_ascii_lowercase();
        (HandleName::of(ring, USERNAME, &name), Secret::new(name))
    }

    /// An account that is nobody's, always the same for an identifier: it is asked in place of one.
    fn nobody(&self, handle: &HandleName, nth: u8) -> AccountId {
        let ours = derive(self.settings.mac.current().bytes.expose(), "onetap nobody");
        let digest = hmac_sha256(&ours, &[handle.as_str().as_bytes(), &[nth]].concat());
        AccountId::from_bytes(digest.first_chunk().copied().unwrap_or_default())
    }
}
