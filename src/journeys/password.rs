//! Passwords: one for the account, whichever identifier it is used with.
//!
//! Nothing tells whether an identifier leads to an account: who is unknown takes the same calls and the same hash.

use std::time::Duration;

use futures_util::future::join;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    budget::{Asker, Taken},
    claim::Attempt,
    entrance::{Entrance, Proven, Seed},
    fresh_proof::{FreshProof, Requester},
    number_proof::NumberProof,
    own_account::Here,
    password_budget::Guesser,
    provider::Caller,
    sealed::PASSWORD,
    sign_in::{self, Entry},
    spent::Spent,
};
use crate::{
    kernel::{
        digest::derive,
        fault::Fault,
        id::AccountId,
        password::{Password, PasswordHash},
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{Deed, Operation, Outcome},
        challenge::Destination,
        handle::{self, HandleName, USERNAME},
        language::Language,
        login::Method,
        login_history::Place,
        otp_purpose,
        refusal::{Code, Refusal},
    },
    ports::World,
    rules::password::{MOST_CHARACTERS, Weakness, check},
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

/// A new password by proof of a number.
#[derive(Debug)]
pub struct PasswordReset<'a> {
    /// The proof.
    pub proof: &'a NumberProof<'a>,
    /// As it was typed.
    pub new_password: &'a Secret<String>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// What for.
    pub purpose: sign_in::Purpose<'a>,
}

/// A new password by who is signed in.
#[derive(Debug)]
pub struct PasswordChange<'a> {
    /// As it was typed.
    pub new_password: &'a Secret<String>,
    /// A proof, where that of the session is not fresh.
    pub proof: Option<FreshProof<'a>>,
    /// All other sessions end.
    pub end_others: bool,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
}

impl<W: World> Service<'_, W> {
    /// Signs in with a password.
    ///
    /// # Errors
    /// `invalid_credentials`, whatever is wrong; `rate_limited`, where passing a bot check helps; `bot_check_required` for a token of one that is not good.
    pub async fn password_login(&self, login: &PasswordLogin<'_>) -> Result<Entry, Failure> {
        // 1. To whom does the identifier lead, and who asks?
        let presented = self.presented(login.purpose.device).await?;
        let (handle, value) = self.named(login.identifier.expose());
        let look = self.world.handle(&handle, handle::Operation::Look);
        let (held, asker) = join(look, self.asker(&presented, login.caller.address)).await;
        let account = match held? {
            handle::Outcome::Held(holder) => holder.account,
            handle::Outcome::Free => self.nobody(&handle),
            handle::Outcome::Otp(_) => return Err(UNEXPECTED_OUTCOME.into()),
        };
        // 2. A guess is paid for before it is looked at.
        let (taken, counts) = self.pay_for_guess(login, &handle, account, &asker).await?;
        // 3. One hash, whoever it is.
        let Some(set_at) = self.compare(account, login.password).await?.filter(|_| counts) else {
            return Err(Code::InvalidCredentials.into());
        };
        // 4. They know it: nothing was guessed.
        self.give_back(taken).await;
        let by = Proven { handle, value, method: Method::Password, alias_of: None };
        let entrance = Entrance { password: Some((account, set_at)), ..by.into() };
        self.sign_in(&entrance, &login.purpose, presented, &Seed::new(self.fresh()?)).await
    }

    /// Whether the guess is paid for, and with what. Over the month an account bears no more guesses than one identifier: that
    /// is not said, since it would tell which identifiers are one person's.
    async fn pay_for_guess(
        &self,
        login: &PasswordLogin<'_>,
        handle: &HandleName,
        account: AccountId,
        asker: &Asker,
    ) -> Result<(Taken, bool), Failure> {
        if let Some((digest, _)) = asker.device.as_ref().filter(|(_, record)| record.account == account) {
            return Ok((self.take(&[self.scope_of_guess_on(digest)]).await?, true));
        }
        // An address pays also for what comes to nothing: the bot check costs us something.
        let brings_bot_check = login.captcha.is_some() && self.has_bot_check(&login.caller);
        let from = self.take(&[self.scope_of_guess_from(asker, brings_bot_check)]).await?;
        let deadline =
            self.world.now().plus(Duration::from_millis(self.settings.limits.bot_check_timeout_ms));
        let guesser = match self.is_human(&login.caller, login.captcha, deadline).await? {
            true => Guesser::Human,
            false => Guesser::Stranger,
        };
        let is_full = |failure: &Failure| matches!(failure, Failure::Refusal(refusal) if refusal.code == Code::RateLimited);
        let by_name = from.and(self.take(&[self.scope_of_guess_by(handle, guesser)]).await?);
        match self.take(&[self.scope_of_guess_at(account, guesser)]).await {
            Ok(taken) => Ok((by_name.and(taken), true)),
            Err(failure) if is_full(&failure) => Ok((by_name, false)),
            Err(failure) => Err(failure),
        }
    }

    /// Sets a new password by proof of the number, and signs in: who proves the number could do so anyway. All other
    /// sessions end.
    ///
    /// # Errors
    /// Those of the proof; `invalid_request` for a password that cannot be set.
    pub async fn reset_password(
        &self,
        reset: &PasswordReset<'_>,
        spent: &mut Spent,
    ) -> Result<Entry, Failure> {
        // 1. Before the proof is spent.
        let presented = self.presented(reset.purpose.device).await?;
        let password = self.password(reset.new_password);
        let known = self.number_claimed(reset.proof);
        let mut about: Vec<&str> = known.iter().map(PhoneNumber::e164).collect();
        about.extend(self.names_of_app(reset.purpose.caller.app));
        self.check_password(&password, &about)?;
        // 2. The number.
        let binding = super::number_proof::binding_of_app(reset.purpose.caller.app);
        let accepted = [(otp_purpose::Purpose::ResetPassword, binding.as_str())];
        let proven = self.prove_number(reset.proof, &accepted, &reset.caller, spent).await;
        let (proven, seed) = proven.map_err(|failure| failure.within("numberProof"))?;
        // 3. Signs in, and the password is set with it.
        self.check_password(&password, &[proven.value.expose().as_str()])?;
        let hash = self.world.hash_password(&password, self.fresh()?).await?;
        let entrance = Entrance { new_password: Some(hash.text().clone()), ..proven.into() };
        self.sign_in(&entrance, &reset.purpose, presented, &seed).await
    }

    /// Sets the password of the account of who is signed in.
    ///
    /// # Errors
    /// `unauthenticated`; `reauthentication_required`; `proof_failed`; `invalid_request` for one that cannot be set.
    pub async fn set_password(
        &self,
        from: &Requester<'_>,
        change: &PasswordChange<'_>,
        spent: &mut Spent,
    ) -> Result<(), Failure> {
        // 1. A repeat ends here: by what was proven then may be the old password.
        let here = self.here(from.doer).await?;
        let own = self.own_profile_of(here, from.doer.place).await?;
        let (attempt, request) = self.names_of(&change.attempt)?;
        let attempt = change.attempt.key.map(|_| format!("{attempt}.{request}"));
        if attempt.is_some() && attempt == own.password_attempt {
            return Ok(());
        }
        // 2. It must not be what others know of the person.
        let identities = own.identifiers.iter().map(|known| self.identity(here.account, known));
        let identities = identities.collect::<Result<Vec<_>, Fault>>()?;
        let mut about: Vec<&str> = identities.iter().map(|identity| identity.value.as_str()).collect();
        about.extend(self.names_of_app(&own.app));
        let password = self.password(change.new_password);
        self.check_password(&password, &about)?;
        // 3. The proof, then the hash: nobody makes us hash for nothing.
        let given = match &change.proof {
            Some(proof) => {
                let given = self.given(here, from, proof, spent).await;
                Some(given.map_err(|failure| failure.within("numberProof"))?)
            }
            None => {
                self.act(here, from.doer.place, Deed::NeedFreshProof).await?;
                None
            }
        };
        let hash = self.world.hash_password(&password, self.fresh()?).await?;
        let hash = self.seal_for(here.account, PASSWORD, hash.text().expose().as_bytes())?;
        let deed = Deed::SetPassword { hash, attempt, end_others: change.end_others };
        self.act_with(here, from.doer.place, deed, given).await.map(|_| ())
    }

    /// When the password was set that who is signed in knows.
    pub(super) async fn check_own_password(
        &self,
        here: Here,
        place: &Place,
        password: &Secret<String>,
    ) -> Result<Timestamp, Failure> {
        // Who was signed out guesses no more, however good the access token still is.
        self.own_profile_of(here, place).await?;
        let taken = self.take(&[self.scope_of_guess_in(here)]).await?;
        let set_at = self.compare(here.account, password).await?.ok_or(Code::ProofFailed)?;
        self.give_back(taken).await;
        Ok(set_at)
    }

    /// Compares a password with that of an account, and hashes it anew where that is due. `None`: it is another, or
    /// there is none.
    pub(super) async fn compare(
        &self,
        account: AccountId,
        typed: &Secret<String>,
    ) -> Result<Option<Timestamp>, Failure> {
        let Outcome::Password { password: kept } =
            self.world.account(account, Operation::LookAtPassword).await?
        else {
            return Err(UNEXPECTED_OUTCOME.into());
        };
        let hash = match &kept {
            Some(kept) => Some(PasswordHash::kept(self.open_text(account, PASSWORD, &kept.hash)?)),
            None => None,
        };
        let password = self.password(typed);
        let is_right = self.world.verify_password(hash.as_ref(), &password).await?;
        let (Some(kept), Some(hash)) = (kept.filter(|_| is_right), hash) else { return Ok(None) };
        if !self.world.is_current(&hash) {
            let upgraded = self.upgrade(account, &password, kept.set_at).await;
            self.pass_over(upgraded);
        }
        Ok(Some(kept.set_at))
    }

    async fn upgrade(&self, account: AccountId, password: &Password, set_at: Timestamp) -> Result<(), Fault> {
        let hash = self.world.hash_password(password, self.fresh()?).await?;
        let hash = self.seal_for(account, PASSWORD, hash.text().expose().as_bytes())?;
        self.world.account(account, Operation::UpgradePassword { hash, set_at }).await.map(|_| ())
    }

    fn password(&self, typed: &Secret<String>) -> Password {
        Password::new(typed.clone(), Secret::new(self.world.nfkc(typed.expose())))
    }

    fn names_of_app(&self, app: &str) -> [&str; 2] {
        [Language::ZhCn, Language::En].map(|language| self.settings.messages.name(app, language))
    }

    fn check_password(&self, password: &Password, about: &[&str]) -> Result<(), Refusal> {
        let least = usize::try_from(self.settings.limits.password_min_characters).unwrap_or(usize::MAX);
        check(password, least, about).map_err(|weakness| {
            let problem = match weakness {
                Weakness::TooShort => format!("must have at least {least} characters"),
                Weakness::TooLong => format!("must have at most {MOST_CHARACTERS} characters"),
                Weakness::Common => "is one that many people have".to_owned(),
                Weakness::Personal => {
                    "must not be your number, name or address, or this app's name, or nearly".to_owned()
                }
            };
            Refusal::field("newPassword", problem)
        })
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
    fn nobody(&self, handle: &HandleName) -> AccountId {
        let ours = derive(self.settings.mac.current().bytes.expose(), "onetap nobody");
        let digest = crate::kernel::digest::hmac_sha256(&ours, handle.as_str().as_bytes());
        AccountId::from_bytes(digest.first_chunk().copied().unwrap_or_default())
    }
}
