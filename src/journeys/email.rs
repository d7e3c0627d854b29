//! E-mail addresses: proven by the code that was sent to them, and bound. By itself an address lets nobody in.

use super::{
    Failure, Service,
    entrance::Proven,
    fresh_proof::{Requester, binding_of_session},
    number_proof::OtpProof,
};
use crate::{
    kernel::secret::Secret,
    model::{account::Deed, challenge::Destination, login::Method, otp_purpose::Purpose, refusal::Code},
    ports::World,
};

impl<W: World> Service<'_, W> {
    /// Binds an address to the account of who is signed in.
    ///
    /// # Errors
    /// `reauthentication_required`; `otp_incorrect`, whatever is wrong; `identity_in_use`.
    pub async fn bind_email(&self, from: &Requester<'_>, proof: &OtpProof<'_>) -> Result<(), Failure> {
        // Before the code is spent.
        let here = self.here(from.doer).await?;
        self.act(here, from.doer.place, Deed::NeedFreshProof).await?;
        let proven = self.prove_address(proof, Purpose::Bind, &binding_of_session(here)).await?;
        let candidate = self.candidate(here.account, &proven)?;
        self.bind(here, from.doer.place, candidate).await.map(|_| ())
    }

    /// Proves an address by the code that was sent to it for this purpose, for whoever `binding` names.
    pub(super) async fn prove_address(
        &self,
        proof: &OtpProof<'_>,
        purpose: Purpose,
        binding: &str,
    ) -> Result<Proven, Failure> {
        let challenge = self.challenge_of(proof)?;
        let Destination::Email(address) = &challenge.to else { return Err(Code::OtpIncorrect.into()) };
        // No guard measures what goes by mail.
        self.redeem_code(&challenge, proof, purpose, binding).await?;
        let handle = challenge.to.handle(&self.settings.digest);
        let value = Secret::new(address.as_str().to_owned());
        Ok(Proven { handle, value, method: Method::Email, alias_of: None })
    }

    /// Whether a code was sent to an address.
    pub(super) fn is_to_address(&self, proof: &OtpProof<'_>) -> bool {
        self.challenge_of(proof).is_ok_and(|challenge| challenge.to.phone().is_none())
    }
}
