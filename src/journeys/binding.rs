//! Binding and unbinding the identifiers of an account.
//!
//! 1. The account writes down what it intends, if the rule allows it.
//! 2. The handle decides: one object, so of two who bind at once one wins.
//! 3. The account hears what was decided.
//!
//! Whatever breaks after the first step, the account's outbox does the rest.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    budget::{DAY, Scope, cap},
    own_account::{Doer, Here},
    sign_in::again_if_lost,
};
use crate::{
    kernel::{fault::Fault, id::AccountId, time::Timestamp},
    model::{
        account::{Candidate, Deed, Identifier, Operation, Outcome},
        handle::{self, EMAIL, HandleName, Holder, Holding, Parting, Proof, USERNAME},
        login_history::Place,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// Shortest and longest user name, characters.
pub const USERNAME_LENGTH: (usize, usize) = (3, 32);

impl<W: World> Service<'_, W> {
    /// Binds a user name, which need not be proven.
    ///
    /// # Errors
    /// `invalid_request` for no possible name; `identity_in_use`; `reauthentication_required`; `rate_limited`, for names are
    /// tried out.
    pub async fn bind_username(&self, doer: Doer<'_>, name: &str) -> Result<(), Failure> {
        let name = username(name).map_err(|problem| Refusal::field("username", problem))?;
        let here = self.here(doer).await?;
        self.act(here, doer.place, Deed::NeedFreshProof).await?;
        let most = self.settings.limits.username_binds_per_day;
        let counter = format!("username.account.{}", self.counter_of(here.account));
        let tries = Scope::tally(counter, "tries", vec![cap(DAY, most)]);
        let taken = self.take(&[tries]).await?;
        let handle = HandleName::of(&self.settings.digest, USERNAME, &name);
        let value = self.seal_for(here.account, USERNAME, name.as_bytes())?;
        let identifier =
            Identifier { handle, value, since: self.world.now(), alias_of: None, claim: 0, claiming: false };
        let is_news = self.bind(here, doer.place, Candidate { identifier, proof: None }).await?;
        if !is_news {
            self.give_back(taken).await;
        }
        Ok(())
    }

    /// Binds an identifier to the account of who is signed in. Whether it was not bound before.
    pub(super) async fn bind(
        &self,
        here: Here,
        place: &Place,
        candidate: Candidate,
    ) -> Result<bool, Failure> {
        let (handle, proof) = (candidate.identifier.handle.clone(), candidate.proof);
        let in_use = if handle.is_phone() { Code::PhoneInUse } else { Code::IdentityInUse };
        match self.act(here, place, Deed::Bind(Box::new(candidate))).await? {
            Outcome::Done => Ok(false),
            Outcome::Claiming { claim } => {
                match self.claim_and_settle(here.account, &handle, claim, proof).await? {
                    true => Ok(true),
                    false => Err(in_use.into()),
                }
            }
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Asks the handle for an account that intends to bind it, and tells the account. Whether it leads there now.
    pub(super) async fn claim_and_settle(
        &self,
        account: AccountId,
        handle: &HandleName,
        claim: u64,
        proof: Option<Proof>,
    ) -> Result<bool, Fault> {
        let mut holder = self.claim_once(account, handle, claim, proof).await?;
        if holder.account != account && self.free_if_stray(handle, &holder).await? {
            holder = self.claim_once(account, handle, claim, proof).await?;
        }
        let (handle, rules) = (handle.clone(), self.settings.account_rules());
        let is_won = holder.account == account;
        let settle = Operation::SettleClaim { account, handle, claim, is_won, rules };
        again_if_lost(async || self.world.account(account, settle.clone()).await).await?;
        Ok(is_won)
    }

    /// Frees a handle that leads to an account that knows nothing of it: a call of its came so late that all was over. Whether
    /// it was such a one. A first sign-in may be under way for an account that is not there yet, but not by what never makes
    /// one.
    pub(super) async fn free_if_stray(&self, handle: &HandleName, holder: &Holder) -> Result<bool, Fault> {
        let look = Operation::LookAtIdentifier { handle: handle.clone() };
        let is_nobodys = holder.last_proof.is_some() || matches!(handle.kind(), EMAIL | USERNAME);
        let cause = match self.world.account(holder.account, look).await? {
            Outcome::NotMine { cause, .. } => Some(cause),
            Outcome::NotFound => is_nobodys.then_some(Parting::Unbound),
            _ => None,
        };
        if let Some(cause) = cause {
            let held = Holding::seen(holder.since, holder.claim);
            let release = handle::Operation::Release { account: holder.account, held, cause, heir: None };
            self.world.handle(handle, release).await?;
        }
        Ok(cause.is_some())
    }

    /// Claims an identifier: who holds it then.
    pub(super) async fn claim_once(
        &self,
        account: AccountId,
        handle: &HandleName,
        claim: u64,
        proof: Option<Proof>,
    ) -> Result<Holder, Fault> {
        let claim = handle::Operation::Claim { account, claim, proof };
        match again_if_lost(async || self.world.handle(handle, claim.clone()).await).await? {
            handle::Outcome::Held(holder) => Ok(holder),
            _ => Err(UNEXPECTED_OUTCOME),
        }
    }

    /// Takes an identifier of that kind away; `id` says which where there are several.
    ///
    /// # Errors
    /// `not_found`; `last_identity`; `reauthentication_required`; `invalid_request` where it does not say which.
    pub async fn unbind(&self, doer: Doer<'_>, kind: &str, id: Option<&str>) -> Result<(), Failure> {
        let here = self.here(doer).await?;
        let own = self.own_profile_of(here, doer.place).await?;
        let is_it = |known: &&Identifier| {
            known.handle.kind() == kind && id.is_none_or(|id| id == identity_id(&known.handle))
        };
        let mut found = own.identifiers.iter().filter(is_it);
        let Some(first) = found.next() else { return Err(Code::NotFound.into()) };
        if found.next().is_some() {
            return Err(Refusal::field("id", "is missing, and there are several of this kind").into());
        }
        self.act(here, doer.place, Deed::Unbind(first.handle.clone())).await.map(|_| ())
    }

    /// What the owner of an account sees of its identifiers.
    ///
    /// # Errors
    /// `unauthenticated`, by the account's own word.
    pub async fn identities(&self, doer: Doer<'_>) -> Result<Vec<IdentifierView>, Failure> {
        let here = self.here(doer).await?;
        let own = self.own_profile_of(here, doer.place).await?;
        let identities = own.identifiers.iter().map(|known| self.identity(here.account, known));
        Ok(identities.collect::<Result<_, Fault>>()?)
    }

    pub(super) fn identity(&self, account: AccountId, known: &Identifier) -> Result<IdentifierView, Fault> {
        let Identifier { handle, value, since, alias_of, .. } = known;
        Ok(IdentifierView {
            id: identity_id(handle),
            kind: handle.kind().to_owned(),
            value: self.open_text(account, handle.kind(), value)?,
            since: *since,
            alias_of: alias_of.as_ref().map(identity_id),
        })
    }
}

/// An identifier as its owner sees it.
#[derive(Debug)]
pub struct IdentifierView {
    /// Tells those of one kind apart.
    pub id: String,
    /// Which kind.
    pub kind: String,
    /// In its canonical form.
    pub value: String,
    /// Since when.
    pub since: Timestamp,
    /// It is another name of that one.
    pub alias_of: Option<String>,
}

/// A name for an identifier that says nothing of it.
fn identity_id(handle: &HandleName) -> String {
    let digest = crate::kernel::digest::sha256(handle.as_str().as_bytes());
    let half: Vec<u8> = digest.iter().copied().take(12).collect();
    crate::kernel::encoding::base64url(&half)
}

/// The canonical form of a user name: no two that look like the same to people who type them. None can be taken for a
/// number or an address, which lead to other accounts.
///
/// # Errors
/// What is wrong with it.
pub fn username(name: &str) -> Result<String, &'static str> {
    let name = name.to_ascii_lowercase();
    let (least, most) = USERNAME_LENGTH;
    if !(least..=most).contains(&name.chars().count()) {
        return Err("must have 3 to 32 characters");
    }
    let is_letter = |c: char| c.is_ascii_lowercase() || matches!(c, '\u{4e00}'..='\u{9fff}');
    let begins_well = name.chars().next().is_some_and(is_letter);
    if !begins_well || !name.chars().all(|c| is_letter(c) || c.is_ascii_digit() || "._-".contains(c)) {
        return Err("must begin with a letter and hold letters, Chinese characters, digits, and . _ - only");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_neither_numbers_nor_addresses() {
        for (name, canonical) in [("Xiao.Ming", "xiao.ming"), ("小明同学", "小明同学"), ("a-1_b", "a-1_b")]
        {
            assert_eq!(username(name).as_deref(), Ok(canonical));
        }
        let long = "a".repeat(33);
        for name in ["ab", &long, "13800138000", "+8613800138000", "a@example.com", "a b c", "éclair", ""] {
            assert!(username(name).is_err(), "{name}");
        }
    }
}
