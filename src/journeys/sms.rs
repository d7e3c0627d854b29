//! Getting a message to a number: which provider first, and when to try the next.
//!
//! A provider that says clearly that it did not take the message gives way to the next one. One that may have
//! taken it does not: nobody gets two messages, and the code of the first is good.

use std::time::Duration;

use super::{
    Failure, Service,
    otp::OtpSend,
    provider::{Choice, Tender},
    settings::ReviewNumber,
};
use crate::{
    kernel::{country::country_code, fault::Fault, secret::Secret},
    model::{
        challenge,
        counter::{Operation, Outcome},
        refusal::{Code, Refusal},
    },
    ports::{ProviderCall, World},
    providers::{Answer, Capability, Sms},
    rules::{
        message::Recipient,
        routing::{self, Candidate},
    },
};

/// How a code reaches its number.
pub(super) enum Letter<'a> {
    /// It does not: the number is one for reviewers, with a code of its own.
    Review(&'a ReviewNumber),
    /// It is shown on the developer's console.
    Console,
    /// One of these providers takes it.
    Providers(Vec<Choice<'a>>),
}

/// Whether a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It is.
    Sure,
    /// It may be: the provider broke off, or did not answer in time.
    Doubtful,
}

/// How calls of providers went, for their health: provider and whether it did its work.
pub(super) type Calls = Vec<(String, bool)>;

impl Letter<'_> {
    pub(super) const fn is_review(&self) -> bool {
        matches!(self, Self::Review(_))
    }
}

impl<W: World> Service<'_, W> {
    /// How a code would reach the number.
    pub(super) fn letter(&self, send: &OtpSend<'_>) -> Result<Letter<'_>, Failure> {
        let settings = self.settings;
        let (phone, caller) = (send.phone, &send.caller);
        if !settings.apps.iter().any(|app| app == caller.app) {
            return Err(Refusal::field("app", "is not an app of this service").into());
        }
        if let Some(review) = settings.review_numbers.iter().find(|review| review.phone == *phone) {
            return Ok(Letter::Review(review));
        }
        let country = country_code(phone.e164());
        if !settings.sms_countries.iter().any(|served| served == country) {
            let fields = Refusal::field("phone", "is of a country that is not served").fields;
            return Err(Refusal { fields, ..Refusal::new(Code::InvalidPhone) }.into());
        }
        if settings.sms_console {
            return Ok(Letter::Console);
        }
        let choices: Vec<Choice<'_>> =
            self.choices(Capability::Sms, caller).filter(|choice| choice.serves_country(country)).collect();
        match choices.is_empty() {
            true => Err(Refusal::to_one_tap(Code::SmsUnavailable).into()),
            false => Ok(Letter::Providers(choices)),
        }
    }

    /// A fresh code, or the fixed one of a review number.
    pub(super) fn code_for(&self, letter: &Letter<'_>) -> Result<Secret<String>, Fault> {
        if let Letter::Review(review) = letter {
            return Ok(review.code.clone());
        }
        let digits = u32::try_from(self.settings.limits.otp_code_digits).unwrap_or(u32::MAX);
        challenge::code(digits, &self.fresh()?).map(Secret::new).ok_or(Fault::new("no_code_drawn"))
    }

    /// Sends the message with the code.
    pub(super) async fn send_letter(
        &self,
        letter: &Letter<'_>,
        code: &Secret<String>,
        send: &OtpSend<'_>,
    ) -> (Result<Delivery, Failure>, Calls) {
        let minutes = self.settings.limits.otp_lifetime_seconds.div_ceil(60);
        let text = || {
            let to = Recipient {
                app: send.caller.app,
                language: send.language,
                purpose: send.purpose,
                platform: send.caller.platform,
                signed: send.phone.chinese_national().is_some(),
            };
            Secret::new(self.settings.messages.compose(&to, code.expose(), minutes))
        };
        match letter {
            Letter::Review(_) => {
                self.world.provider_called(ProviderCall::unsent("review"));
                (Ok(Delivery::Sure), Calls::new())
            }
            Letter::Console => {
                self.world.show_message(text().expose());
                (Ok(Delivery::Sure), Calls::new())
            }
            Letter::Providers(choices) => {
                let name = self.settings.messages.name(send.caller.app, send.language).to_owned();
                let values =
                    [("code", code.expose().clone()), ("minutes", minutes.to_string()), ("app", name)];
                self.try_in_turn(choices, &text(), &values, send).await
            }
        }
    }

    async fn try_in_turn(
        &self,
        choices: &[Choice<'_>],
        text: &Secret<String>,
        values: &[(&str, String)],
        send: &OtpSend<'_>,
    ) -> (Result<Delivery, Failure>, Calls) {
        let mut calls = Calls::new();
        for at in self.order(choices).await {
            let Some(choice) = choices.get(at) else { continue };
            let left = send.deadline.since(self.world.now());
            if left < LEAST_TIME {
                break;
            }
            let limit = self.settings.limits.sms_timeout_ms;
            let template = choice.account.template(send.purpose.name(), send.language.name());
            let params = choice.params(values);
            let code = values.first().map_or("", |(_, code)| code.as_str());
            let sms = Sms { text: text.expose(), code, template, params: &params };
            let tender = Tender::of(*choice, &send.caller, Capability::Sms, limit);
            let timeout = tender.timeout.min(left);
            let answer =
                self.offer(&Tender { timeout, phone: Some(send.phone), sms: Some(sms), ..tender }).await;
            let provider = choice.document.id().to_owned();
            match answer {
                Ok(Answer::Accepted { .. }) => {
                    calls.push((provider, true));
                    return (Ok(Delivery::Sure), calls);
                }
                // It may have taken it: another would be one too many.
                Ok(Answer::Unavailable { definite: false, .. }) => {
                    calls.push((provider, false));
                    return (Ok(Delivery::Doubtful), calls);
                }
                // This number gets no message from anybody.
                Ok(Answer::Rejected { .. }) => break,
                Ok(_) => calls.push((provider, false)),
                Err(fault) => return (Err(fault.into()), calls),
            }
        }
        (Err(Refusal::to_one_tap(Code::SmsUnavailable).into()), calls)
    }

    /// In which order providers are tried: by health, then by weight.
    async fn order(&self, choices: &[Choice<'_>]) -> Vec<usize> {
        // Nobody is asked how the only one is. What is not known speaks neither for nor against a provider.
        let asked = choices.iter().filter(|_| choices.len() > 1);
        let looks = asked.map(|choice| (health_counter(choice.document.id()), Operation::LookAtHealth));
        let health = self.counters(looks.collect()).await.into_iter().map(|outcome| match outcome {
            Ok(Outcome::Health { health }) => Some(health),
            _ => None,
        });
        let health = health.chain(std::iter::repeat(None));
        let candidates: Vec<Candidate> = choices
            .iter()
            .zip(health)
            .map(|(choice, health)| Candidate { weight: choice.account.weight(), health })
            .collect();
        let random = self.fresh().map(u64::from_be_bytes).unwrap_or_default();
        routing::order(&candidates, random)
    }

    /// Books how calls went. What is lost here is only health.
    pub(super) async fn note_calls(&self, calls: Calls) {
        let notes =
            calls.into_iter().map(|(provider, ok)| (health_counter(&provider), Operation::NoteCall { ok }));
        for noted in self.counters(notes.collect()).await {
            self.pass_over(noted);
        }
    }

    /// Books the receipts that a provider pushed. A push that is repeated is booked again: what it weighs in a half
    /// hour's health is not worth remembering every message.
    ///
    /// # Errors
    /// [`Fault`]: not booked; the provider may push again.
    pub(super) async fn note_receipts(
        &self,
        provider: &str,
        delivered: u64,
        undelivered: u64,
    ) -> Result<(), Fault> {
        let operation = Operation::NoteReceipts { delivered, undelivered };
        self.world.counter(&health_counter(provider), operation).await.map(|_| ())
    }
}

/// Less time than this is none: no provider answers so fast.
const LEAST_TIME: Duration = Duration::from_millis(300);

fn health_counter(provider: &str) -> String {
    format!("sms.health.{provider}")
}
