//! Passwords: one for the account, whichever identifier it is used with. They are set, reset and compared here.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    claim::Attempt,
    entrance::Entrance,
    fresh_proof::{FreshProof, Requester},
    number_proof::NumberProof,
    own_account::Here,
    provider::Caller,
    sealed::PASSWORD,
    side_by_side::{self, Asking},
    sign_in::{self, Entry},
    spent::Spent,
};
use crate::{
    kernel::{
        fault::Fault,
        id::AccountId,
        password::{Password, PasswordHash},
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{self, Deed, Operation, Outcome},
        language::Language,
        login_history::Place,
        otp_purpose,
        refusal::{Code, Refusal},
    },
    ports::World,
    rules::password::{MOST_CHARACTERS, Weakness, check},
};

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

/// A password that is the account's.
pub(super) struct Right {
    pub(super) account: AccountId,
    set_at: Timestamp,
    hash: PasswordHash,
}

impl<W: World> Service<'_, W> {
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
        let kept = kept_in(self.world.account(account, Operation::LookAtPassword).await?)?;
        match self.verify(account, kept, &self.password(typed)).await? {
            Some(right) => Ok(Some(self.keep_current(right, typed).await)),
            None => Ok(None),
        }
    }

    /// The passwords of accounts, side by side.
    pub(super) async fn kept_passwords(
        &self,
        accounts: &[AccountId],
    ) -> Vec<Result<Option<account::Password>, Fault>> {
        let mut kept = vec![Err(UNEXPECTED_OUTCOME); accounts.len()];
        let looks = accounts.iter().zip(&mut kept).map(|(account, kept)| -> Asking<'_> {
            let look = self.world.account(*account, Operation::LookAtPassword);
            Box::pin(async move { *kept = look.await.and_then(kept_in) })
        });
        side_by_side::all(looks.collect()).await;
        kept
    }

    /// Whether it is the one that is kept. Without one the work is done all the same.
    pub(super) async fn verify(
        &self,
        account: AccountId,
        kept: Option<account::Password>,
        password: &Password,
    ) -> Result<Option<Right>, Failure> {
        let hash = match &kept {
            Some(kept) => Some(PasswordHash::kept(self.open_text(account, PASSWORD, &kept.hash)?)),
            None => None,
        };
        let is_right = self.world.verify_password(hash.as_ref(), password).await?;
        let right = kept.zip(hash).filter(|_| is_right);
        Ok(right.map(|(kept, hash)| Right { account, set_at: kept.set_at, hash }))
    }

    /// Hashes it anew where that is due. When it was set.
    pub(super) async fn keep_current(&self, right: Right, typed: &Secret<String>) -> Timestamp {
        let Right { account, set_at, hash } = right;
        if !self.world.is_current(&hash) {
            let upgraded = self.upgrade(account, &self.password(typed), set_at).await;
            self.pass_over(upgraded);
        }
        set_at
    }

    async fn upgrade(&self, account: AccountId, password: &Password, set_at: Timestamp) -> Result<(), Fault> {
        let hash = self.world.hash_password(password, self.fresh()?).await?;
        let hash = self.seal_for(account, PASSWORD, hash.text().expose().as_bytes())?;
        self.world.account(account, Operation::UpgradePassword { hash, set_at }).await.map(|_| ())
    }

    pub(super) fn password(&self, typed: &Secret<String>) -> Password {
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
}

fn kept_in(outcome: Outcome) -> Result<Option<account::Password>, Fault> {
    match outcome {
        Outcome::Password { password } => Ok(password),
        _ => Err(UNEXPECTED_OUTCOME),
    }
}
