//! Fresh proof: who is signed in proves once more that it is still them, before something that could cost the account.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::Proven,
    identity_exchange::IdentityCode,
    number_proof::{Accepted, NumberProof},
    own_account::{Doer, Here},
    provider::Caller,
    spent::Spent,
};
use crate::{
    kernel::secret::Secret,
    model::{
        account::{Deed, NEVER, NumberFacts, Outcome, OwnProfile, ProvenInSession},
        handle,
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

/// Who brings a proof, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
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
        from: &Requester<'_>,
        proof: &FreshProof<'_>,
        spent: &mut Spent,
    ) -> Result<(), Failure> {
        let here = self.here(from.doer).await?;
        let given = self.given(here, from, proof, spent).await;
        let given = given.map_err(|failure| failure.within("proof"))?;
        self.act_with(here, from.doer.place, Deed::Prove, Some(given)).await.map(|_| ())
    }

    /// What a proof proves.
    pub(super) async fn given(
        &self,
        here: Here,
        from: &Requester<'_>,
        proof: &FreshProof<'_>,
        spent: &mut Spent,
    ) -> Result<ProvenInSession, Failure> {
        match proof {
            FreshProof::Number(NumberProof::Otp(proof)) if self.is_to_address(proof) => {
                let proven = self.prove_address(proof, Purpose::StepUp, &binding_of_session(here)).await?;
                Ok(ProvenInSession::Identifier(proven.handle))
            }
            FreshProof::Number(proof) => {
                let binding = binding_of_session(here);
                let accepted = [(Purpose::StepUp, binding.as_str()), (Purpose::ChangePhone, &binding)];
                let handle = self.prove_in_session(here, from, proof, &accepted, spent).await?.handle;
                // What was long not proven may be somebody else's by now: the account looks at what its handle knows.
                let (mut last_proof, mut evidence) = (NEVER.at, None);
                if let handle::Outcome::Held(holder) =
                    self.world.handle(&handle, handle::Operation::Look).await?
                    && holder.account == here.account
                {
                    last_proof = holder.proven_at();
                    evidence = holder.evidence.filter(|known| known.counts(self.world.now()));
                }
                Ok(ProvenInSession::Number(handle, NumberFacts { last_proof, evidence }))
            }
            FreshProof::Identity(code) => self.given_identity(here, from, code, spent).await,
            FreshProof::Password(password) => {
                let set_at = self.check_own_password(here, from.doer.place, password).await?;
                Ok(ProvenInSession::Password(set_at))
            }
        }
    }

    /// Proves a number to whoever is signed in, by a code that was sent for one of these purposes.
    pub(super) async fn prove_in_session(
        &self,
        here: Here,
        from: &Requester<'_>,
        proof: &NumberProof<'_>,
        accepted: &Accepted<'_>,
        spent: &mut Spent,
    ) -> Result<Proven, Failure> {
        // Which of our accounts with the carriers counts depends on app and platform, which the account knows. Nothing
        // is spent on a session that is over.
        let own = self.own_profile_of(here, from.doer.place).await?;
        let (address, request_id) = (from.address, from.request_id);
        let caller = Caller { app: &own.app, platform: own.platform, address, request_id };
        self.prove_number(proof, accepted, &caller, spent).await.map(|(proven, _)| proven)
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
