//! Fresh proof: who is signed in proves once more that it is still them, before something that could cost the account.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::Proven,
    identity_login::IdentityCode,
    number_proof::{Accepted, AfterRedeem, NumberProof},
    own_account::{Doer, Here},
    provider::Caller,
};
use crate::{
    kernel::secret::Secret,
    model::{
        account::{Deed, Given, Outcome, OwnProfile},
        login_history::Place,
        otp_purpose::Purpose,
    },
    ports::World,
};

/// A proof, as a client brings it.
#[derive(Debug)]
pub enum FreshProof<'a> {
    /// Of a number of the account, or by a code of its address.
    Number(NumberProof<'a>),
    /// Its password.
    Password(&'a Secret<String>),
    /// A third party's word.
    Identity(IdentityCode<'a>),
}

/// From where a proof is brought.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// Whose.
    pub doer: Doer<'a>,
    /// Their address.
    pub address: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
}

impl<W: World> Service<'_, W> {
    /// Proves it, for all that is done in the session in the minutes that follow.
    ///
    /// # Errors
    /// `unauthenticated`; `proof_failed` for what is not the account's; those of the proof.
    pub async fn prove_anew(
        &self,
        from: &From<'_>,
        proof: &FreshProof<'_>,
    ) -> Result<Option<AfterRedeem>, Failure> {
        let here = self.here(from.doer).await?;
        let (given, after) = self.given(here, from, proof).await?;
        self.act_with(here, from.doer.place, Deed::Prove, Some(given)).await?;
        Ok(after)
    }

    /// What a proof proves.
    pub(super) async fn given(
        &self,
        here: Here,
        from: &From<'_>,
        proof: &FreshProof<'_>,
    ) -> Result<(Given, Option<AfterRedeem>), Failure> {
        match proof {
            FreshProof::Number(NumberProof::Otp(proof)) if self.is_to_address(proof) => {
                let proven = self.prove_address(proof, Purpose::StepUp, &binding_of_session(here)).await?;
                Ok((Given::Identifier(proven.handle), None))
            }
            FreshProof::Number(proof) => {
                let binding = binding_of_session(here);
                let accepted = [(Purpose::StepUp, binding.as_str()), (Purpose::ChangePhone, &binding)];
                let (proven, after) = self.prove_in_session(here, from, proof, &accepted).await?;
                Ok((Given::Identifier(proven.handle), after))
            }
            FreshProof::Identity(code) => Ok((self.given_identity(here, from, code).await?, None)),
            FreshProof::Password(password) => {
                Ok((Given::Password(self.check_own_password(here, password).await?), None))
            }
        }
    }

    /// Proves a number to whoever is signed in, by a code that was sent for one of these purposes.
    pub(super) async fn prove_in_session(
        &self,
        here: Here,
        from: &From<'_>,
        proof: &NumberProof<'_>,
        accepted: &Accepted<'_>,
    ) -> Result<(Proven, Option<AfterRedeem>), Failure> {
        // Which of our accounts with the carriers counts depends on app and platform, which the account knows. Nothing
        // is spent on a session that is over.
        let own = self.own_profile_of(here, from.doer.place).await?;
        let (address, request_id) = (from.address, from.request_id);
        let caller = Caller { app: &own.app, platform: own.platform, address, request_id };
        self.prove_number(proof, accepted, &caller).await
    }

    /// The account of a session, by its own word.
    pub(super) async fn own_profile_of(&self, here: Here, place: &Place) -> Result<OwnProfile, Failure> {
        match self.act(here, place, Deed::LookAtProfile).await? {
            Outcome::Profile(own) => Ok(*own),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }
}

/// What a code is bound to that somebody asks for in a session.
pub(super) fn binding_of_session(here: Here) -> String {
    format!("session:{}", here.session)
}
