//! Which device a request comes from, by what it brings: a token we issued, or a proof of a key.

use super::{Failure, Service, sign_in::DeviceClaim};
use crate::{
    kernel::{
        device_proof::{DeviceProof, Verdict},
        secret::Secret,
        token::DeviceToken,
    },
    model::{
        device::Presented,
        device_key::ProvenKey,
        refusal::{Code, FieldProblem, Refusal},
    },
    ports::World,
};

/// A proof as a request brings it, and the request that it must be for.
#[derive(Debug, Clone)]
pub struct GivenDeviceProof {
    /// The header `DPoP`.
    pub text: Secret<String>,
    /// Method of the request.
    pub method: String,
    /// Path of the request.
    pub path: String,
}

impl<W: World> Service<'_, W> {
    /// What a client shows of its device.
    ///
    /// # Errors
    /// `invalid_request` for a key without a proof of it, or with another's; `unauthenticated` for a proof that is
    /// not good, or not for this request and this moment.
    pub(super) async fn presented(&self, device: &DeviceClaim) -> Result<Presented, Failure> {
        let token = device.token.as_ref().and_then(|token| self.token_digest(token));
        let proven = match (&device.key, &device.proof) {
            (None, None) => None,
            (Some(_), None) => return Err(Refusal::field(HEADER, "must prove device.key").into()),
            (key, Some(given)) => {
                let proven = self.prove(given).await?;
                if key.as_ref().is_some_and(|key| key.thumbprint() != proven.thumbprint) {
                    return Err(Refusal::field("device.key", "is not the key of the DPoP proof").into());
                }
                Some(proven)
            }
        };
        Ok(Presented { token, key: proven })
    }

    /// Digest of a device token, if it is one of ours.
    pub(super) fn token_digest(&self, token: &Secret<String>) -> Option<String> {
        Some(DeviceToken::read(&self.settings.mac, token.expose())?.digest())
    }

    /// Whose key it is that signed a proof. That it was not taken before, the account says.
    ///
    /// # Errors
    /// As [`Service::presented`].
    pub(super) async fn prove(&self, given: &GivenDeviceProof) -> Result<ProvenKey, Failure> {
        let proof = DeviceProof::read(given.text.expose()).ok_or_else(|| refused("is no DPoP proof"))?;
        if !proof.is_for(&given.method, &self.settings.issuer, &given.path) {
            return Err(refused("is for another method or URL"));
        }
        let now = self.world.now();
        let until = proof.issued_at.plus(self.settings.proof_window());
        if now >= until || proof.issued_at > now.plus(self.settings.proof_window()) {
            return Err(refused("is not of this moment; the header Date tells our time"));
        }
        let is_good = match proof.verify() {
            Verdict::Known(is_good) => is_good,
            Verdict::AskP256 { key, signed, signature } => {
                self.world.verify_p256(key, signed, signature).await?
            }
        };
        match is_good {
            true => Ok(ProvenKey { thumbprint: proof.key.thumbprint(), proof: proof.id, until }),
            false => Err(refused("is not signed by its key")),
        }
    }
}

/// A device with a key came without a proof that is good and fresh.
pub(super) fn needs_key() -> Failure {
    refused("must be a fresh proof by the key of the device")
}

fn refused(problem: &str) -> Failure {
    let field = FieldProblem { name: HEADER.to_owned(), problem: problem.to_owned() };
    Refusal { fields: vec![field], ..Refusal::new(Code::Unauthenticated) }.into()
}

const HEADER: &str = "DPoP";
