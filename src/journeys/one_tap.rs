//! One-tap login 一键登录 and its relatives: the number check 本机号码校验 as a login and as an answer, and the
//! exchange for backends that keep their own accounts.

use std::time::Duration;

use futures_util::future::join;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    backend_access::Backend,
    claim::Attempt,
    entrance::{Entrance, Proven, Seed},
    number_proof::binding_of_app,
    otp::{Challenged, OtpSend},
    provider::{Caller, Credential, Question},
    sign_in::{DeviceClaim, Entry, Purpose},
    spent::Spent,
};
use crate::{
    kernel::{phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::{
        api_key::Mode,
        audit::{Action, AuditEntry},
        carrier::Carrier,
        challenge::Destination,
        device::Presented,
        handle::HandleName,
        language::Language,
        login::Method,
        otp_purpose,
        refusal::{Code, Fallback, Refusal},
    },
    ports::World,
    providers::{Answer, Capability, RiskLevel},
};

/// A whole one-tap request takes at most so long.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// A login with a carrier's credential.
#[derive(Debug)]
pub struct OneTapLogin<'a> {
    /// From the SDK.
    pub credential: &'a Credential,
    /// `None`: the carrier names the number. `Some`: it confirms this one.
    pub checked_phone: Option<&'a PhoneNumber>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// For what.
    pub purpose: Purpose<'a>,
    /// What the bot check gave the client.
    pub captcha: Option<&'a Secret<String>>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
    /// A code by SMS in case one-tap fails.
    pub otp_fallback: Option<OtpFallback<'a>>,
    /// The answer must be ready by then.
    pub deadline: Timestamp,
}

/// A code by SMS in case one-tap fails.
#[derive(Debug)]
pub struct OtpFallback<'a> {
    /// To which number.
    pub phone: &'a PhoneNumber,
    /// Language of the message.
    pub language: Language,
}

/// How a login went.
#[derive(Debug)]
pub struct Login {
    /// What to answer.
    pub result: Result<Entry, Failure>,
    /// The code by SMS that is on its way instead.
    pub challenge: Option<Challenged>,
}

/// A full number for a backend.
#[derive(Debug)]
pub struct Exchanged {
    /// The number.
    pub phone: PhoneNumber,
    /// Its carrier, where the credential tells.
    pub carrier: Option<Carrier>,
}

impl<W: World> Service<'_, W> {
    /// One-tap login. When it fails and a fallback was asked for, the code by SMS is on its way with the answer.
    pub async fn one_tap_login(&self, login: &OneTapLogin<'_>, spent: &mut Spent) -> Login {
        let result = self.log_in(login, spent).await;
        let challenge = match (&result, &login.otp_fallback) {
            (Err(failure), Some(fallback)) if leads_to_otp(failure) => {
                let Purpose { device, .. } = login.purpose;
                let (attempt, deadline) = (login.attempt, login.deadline);
                self.fall_back(fallback, &login.caller, device, login.captcha, attempt, deadline).await
            }
            _ => None,
        };
        Login { result, challenge }
    }

    /// Sends a code because one-tap failed. Whatever keeps it from being sent, the failure is answered all the same.
    pub async fn fall_back(
        &self,
        fallback: &OtpFallback<'_>,
        caller: &Caller<'_>,
        device: &DeviceClaim,
        captcha: Option<&Secret<String>>,
        attempt: Attempt<'_>,
        deadline: Timestamp,
    ) -> Option<Challenged> {
        let send = OtpSend {
            to: &Destination::Phone(fallback.phone.clone()),
            purpose: otp_purpose::Purpose::Login,
            binding: &binding_of_app(caller.app),
            caller: caller.clone(),
            device,
            language: fallback.language,
            captcha,
            attempt,
            deadline,
        };
        match self.send_otp(&send).await {
            Ok(challenged) => Some(challenged),
            Err(failure) => {
                if let Failure::Fault(fault) = failure {
                    self.world.fault_passed_over(fault);
                }
                None
            }
        }
    }

    async fn log_in(&self, login: &OneTapLogin<'_>, spent: &mut Spent) -> Result<Entry, Failure> {
        let capability = match login.checked_phone {
            None => Capability::OneTap,
            Some(_) => Capability::NumberCheck,
        };
        // 1. The one provider for this credential, app and platform, and the request to it.
        let question = self.question(capability, login.credential, login.checked_phone, &login.caller)?;
        let presented = self.presented(login.purpose.device).await?;
        // 2. The credential is claimed; a repeat ends here.
        spent.claims.push(self.claim(question.subject(), &login.attempt).await?);
        // 3. Ask the carrier, then sign in. Whatever comes of it is the reply to every repeat.
        self.ask_and_sign_in(question, login, presented).await
    }

    /// Whether a credential belongs to a number.
    ///
    /// # Errors
    /// `one_tap_rejected` for a credential that was used before, and what the provider leads to.
    pub async fn number_check(
        &self,
        credential: &Credential,
        phone: &PhoneNumber,
        caller: &Caller<'_>,
    ) -> Result<bool, Failure> {
        match self.ask_once(Capability::NumberCheck, credential, Some(phone), caller).await? {
            Answer::Checked { matches, .. } => Ok(matches),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Exchanges a credential for the full number, on record. In test mode no provider is asked.
    ///
    /// # Errors
    /// As [`Service::number_check`]; a fault when the record cannot be written, and then no number leaves.
    pub async fn exchange(
        &self,
        credential: &Credential,
        caller: &Caller<'_>,
        backend: &Backend,
    ) -> Result<Exchanged, Failure> {
        if !backend.serves(caller.app) {
            return Err(Code::Forbidden.into());
        }
        let (phone, carrier) = match backend.mode {
            Mode::Test => (self.test_number(credential, caller)?, None),
            Mode::Live => match self.ask_once(Capability::OneTap, credential, None, caller).await? {
                Answer::Number { phone, carrier, .. } => (phone, carrier),
                _ => return Err(UNEXPECTED_OUTCOME.into()),
            },
        };
        let entry = AuditEntry {
            at: self.world.now(),
            actor: backend.actor.clone(),
            action: Action::OneTapExchange,
            subject: HandleName::of_phone(&self.settings.digest, &phone).as_str().to_owned(),
            request: caller.request_id.to_owned(),
        };
        self.world.audit(entry).await?;
        Ok(Exchanged { phone, carrier })
    }

    async fn ask_and_sign_in(
        &self,
        question: Question<'_>,
        login: &OneTapLogin<'_>,
        presented: Presented,
    ) -> Result<Entry, Failure> {
        let credential = question.subject().to_owned();
        let ask = async {
            Ok::<_, Failure>(match login.checked_phone {
                Some(phone) => {
                    let (answer, risk) =
                        join(self.ask(question), self.risk(phone, &login.caller, login.deadline)).await;
                    (answer?, Some(risk))
                }
                None => (self.ask(question).await?, None),
            })
        };
        let (asked, is_attested) = join(ask, self.is_attested(login, &credential)).await;
        let (answer, risk) = asked?;
        let (phone, method) = match (answer, login.checked_phone) {
            (Answer::Number { phone, .. }, None) => (phone, Method::OneTap),
            (Answer::Checked { matches: true, .. }, Some(phone)) => (phone.clone(), Method::NumberCheck),
            (Answer::Checked { matches: false, .. }, Some(_)) => {
                return Err(Refusal::to_otp(Code::OneTapRejected).into());
            }
            _ => return Err(UNEXPECTED_OUTCOME.into()),
        };
        let risk = match risk {
            Some(risk) => risk,
            None => self.risk(&phone, &login.caller, login.deadline).await,
        };
        let human = risk == RiskLevel::Challenge
            && self.is_human(&login.caller, login.captcha, login.deadline).await?;
        self.heed(risk, human, &login.caller)?;
        let entrance = Entrance { is_attested, ..Proven::number(self.settings, &phone, method).into() };
        self.sign_in(&entrance, &login.purpose, presented, &Seed::new(self.fresh()?)).await
    }

    async fn ask_once(
        &self,
        capability: Capability,
        credential: &Credential,
        phone: Option<&PhoneNumber>,
        caller: &Caller<'_>,
    ) -> Result<Answer, Failure> {
        let question = self.question(capability, credential, phone, caller)?;
        self.claim(question.subject(), &Attempt::ONCE).await?;
        self.ask(question).await
    }
}

/// Whether a failure of one-tap is one that a code by SMS helps over.
fn leads_to_otp(failure: &Failure) -> bool {
    match failure {
        Failure::Refusal(refusal) => refusal.fallback == Some(Fallback::Otp),
        Failure::Upstream(_) | Failure::Fault(_) => true,
        Failure::Answered(_) => false,
    }
}
