//! Who asks: a person or a program, and what a risk provider thinks of it.

use std::time::Duration;

use super::{
    Failure, Service,
    provider::{Caller, Tender},
    settings::WhenDown,
};
use crate::{
    kernel::{phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::refusal::Code,
    ports::World,
    providers::{self, Answer, Capability, RiskLevel},
};

/// Less time than this is none: no provider answers so fast.
const LEAST_TIME: Duration = Duration::from_millis(300);

impl<W: World> Service<'_, W> {
    /// Whether the app has a bot check on this platform.
    pub(super) fn has_bot_check(&self, caller: &Caller<'_>) -> bool {
        self.choices(Capability::BotCheck, caller).next().is_some()
    }

    /// Whether the client passed the bot check. A provider that does not answer makes nobody human: who needs the
    /// check has to wait, the others are not asked for it.
    ///
    /// # Errors
    /// `bot_check_required` for a token that is not good.
    pub(super) async fn is_human(
        &self,
        caller: &Caller<'_>,
        captcha: Option<&Secret<String>>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        let (Some(captcha), Some(choice)) = (captcha, self.choices(Capability::BotCheck, caller).next())
        else {
            return Ok(false);
        };
        let credential = providers::bot_check_credential(captcha.expose());
        if !choice.document.credential_problems(Capability::BotCheck, &credential).is_empty() {
            return Err(Code::BotCheckRequired.into());
        }
        let limit = self.settings.limits.bot_check_timeout_ms;
        let Some(timeout) = self.time_for(limit, deadline) else { return Ok(false) };
        let tender = Tender::of(choice, caller, Capability::BotCheck, limit);
        match self.offer(&Tender { credential: &credential, timeout, ..tender }).await? {
            Answer::Human => Ok(true),
            Answer::Rejected { .. } => Err(Code::BotCheckRequired.into()),
            _ => Ok(false),
        }
    }

    /// What the risk provider thinks, if there is one; its silence counts as the operator has decided.
    pub(super) async fn risk(
        &self,
        phone: &PhoneNumber,
        caller: &Caller<'_>,
        deadline: Timestamp,
    ) -> RiskLevel {
        let Some(choice) = self.choices(Capability::Risk, caller).next() else { return RiskLevel::Allow };
        let limit = self.settings.limits.risk_timeout_ms;
        let tender = Tender::of(choice, caller, Capability::Risk, limit);
        if let Some(timeout) = self.time_for(limit, deadline) {
            match self.offer(&Tender { phone: Some(phone), timeout, ..tender }).await {
                Ok(Answer::Risk { level }) => return level,
                // It does not know such numbers, those of another country say.
                Ok(Answer::Rejected { .. }) => return RiskLevel::Allow,
                _ => {}
            }
        }
        match self.settings.risk_when_down {
            WhenDown::Allow => RiskLevel::Allow,
            WhenDown::Deny => RiskLevel::Deny,
        }
    }

    /// How much of its time somebody gets who is asked now; `None`: too little to be worth asking.
    pub(super) fn time_for(&self, limit_ms: u64, deadline: Timestamp) -> Option<Duration> {
        let left = deadline.since(self.world.now());
        (left >= LEAST_TIME).then(|| left.min(Duration::from_millis(limit_ms)))
    }

    /// Acts on it.
    ///
    /// # Errors
    /// `risk_denied`; `bot_check_required` where a passed bot check would help.
    pub(super) fn heed(&self, risk: RiskLevel, human: bool, caller: &Caller<'_>) -> Result<(), Failure> {
        match risk {
            RiskLevel::Allow => Ok(()),
            RiskLevel::Challenge if human => Ok(()),
            RiskLevel::Challenge if self.has_bot_check(caller) => Err(Code::BotCheckRequired.into()),
            RiskLevel::Challenge | RiskLevel::Deny => Err(Code::RiskDenied.into()),
        }
    }
}
