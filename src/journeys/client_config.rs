//! What apps follow without a release: the ways in, in order, and what their pages show.

use super::{Service, provider::Caller};
use crate::{
    model::{network::Network, platform::Platform},
    ports::World,
    providers::Capability,
    rules::client_config::{BotCheck, ClientConfig, Facts, Otp, Query},
};

impl<W: World> Service<'_, W> {
    /// The configuration for an app, as far as the client says what it is.
    pub fn client_config(
        &self,
        app: &str,
        platform: Option<Platform>,
        model: Option<&str>,
        network: Network,
    ) -> ClientConfig {
        let on = |platform| Caller { app, platform, address: "", request_id: "" };
        // A client that does not say gets what is offered somewhere.
        let platforms: Vec<Platform> = platform.map_or_else(|| Platform::ALL.to_vec(), |one| vec![one]);
        let offered = |capability| {
            let choices =
                platforms.iter().flat_map(move |one| self.choices(capability, &on(*one)).collect::<Vec<_>>());
            choices.collect::<Vec<_>>()
        };
        let mut one_tap: Vec<String> = Vec::new();
        for choice in offered(Capability::OneTap) {
            if !one_tap.iter().any(|known| known == choice.document.id()) {
                one_tap.push(choice.document.id().to_owned());
            }
        }
        let bot_check = offered(Capability::BotCheck).first().map(|choice| BotCheck {
            provider: choice.document.id().to_owned(),
            site_key: choice.site_key().unwrap_or_default().to_owned(),
        });
        let limits = &self.settings.limits;
        let otp = Otp {
            code_length: limits.otp_code_digits,
            resend_seconds: limits.otp_resend_seconds,
            expires_seconds: limits.otp_lifetime_seconds,
        };
        let facts = Facts { one_tap: &one_tap, otp, bot_check };
        self.settings.client_config.select(&Query { app, platform, model, network }, facts)
    }
}
