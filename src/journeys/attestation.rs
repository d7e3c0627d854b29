//! Attestation: an app that can show that it is the operator's own, on a device that nobody has tampered with, is not one
//! that steals the one-tap tokens of its neighbours.

use super::{Service, one_tap::OneTapLogin, settings::OneTapNewDevice};
use crate::{
    kernel::http::{HttpFailure, HttpRequest},
    ports::{ProviderCall, World},
    providers::{Attested, is_genuine},
};

/// Whom the operator's log names.
const VERIFIER: &str = "attestation";

impl<W: World> Service<'_, W> {
    /// Whether the operator's verifier says that what the client brought is genuine and was made for this credential. It
    /// is asked only where its word matters; its silence, like a no, leaves all as it is.
    pub(super) async fn is_attested(&self, login: &OneTapLogin<'_>, credential: &str) -> bool {
        let device = login.purpose.device;
        let waits = self.settings.one_tap_new_device == OneTapNewDevice::StepUp;
        let asked = self.settings.attestation_url.as_ref().zip(device.attestation.as_ref());
        let Some((url, token)) = asked.filter(|_| waits) else { return false };
        let limit = self.settings.limits.attestation_timeout_ms;
        let Some(timeout) = self.time_for(limit, login.deadline) else { return false };
        let attested = Attested { platform: device.platform, token, credential };
        let Some(question) = self.pass_over(attested.question(url)) else { return false };
        let (question, asked_at) = (HttpRequest { timeout, ..question }, self.world.now());
        let reply = self.world.send(question).await;
        let millis = self.world.now().since(asked_at).as_millis();
        let word = reply.as_ref().ok().and_then(is_genuine);
        let (outcome, vendor_code) = match (word, reply) {
            (Some(true), _) => ("ok", None),
            (Some(false), _) => ("rejected", None),
            (None, Err(HttpFailure::TimedOut)) => ("unavailable", Some("timed_out".to_owned())),
            (None, _) => ("unavailable", Some("unreadable".to_owned())),
        };
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let (provider, capability) = (VERIFIER.to_owned(), VERIFIER);
        self.world.provider_called(ProviderCall { provider, capability, outcome, vendor_code, millis });
        word == Some(true)
    }
}
