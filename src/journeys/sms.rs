//! Getting a message to a number or an address: which provider first, and when to try the next.
//!
//! A provider that says clearly that it did not take the message gives way to the next one. One that may have
//! taken it does not: nobody gets two messages, and the code of the first is good.

use std::time::Duration;

use super::{
    Failure, Service,
    otp::OtpSend,
    provider::{Caller, Choice, Tender},
    settings::ReviewNumber,
    vendors::{Calls, health_counter},
};
use crate::{
    kernel::{country::country_code, fault::Fault, secret::Secret, time::Timestamp},
    model::{
        challenge::{self, Destination},
        language::Language,
        refusal::{Code, Refusal},
    },
    ports::{ProviderCall, World},
    providers::{Answer, Capability, Mail, Message, NOTICE},
    rules::message::Recipient,
};

/// How a message reaches whom it is for.
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
    /// It is, for all that can be told from here.
    Sure,
    /// It may be: the provider broke off, or did not answer in time.
    Doubtful,
}

impl Letter<'_> {
    pub(super) const fn is_review(&self) -> bool {
        matches!(self, Self::Review(_))
    }
}

/// To whom a message goes, what for, and until when.
pub(super) struct Parcel<'a> {
    pub(super) to: &'a Destination,
    /// Name of a purpose of codes, or [`NOTICE`].
    pub(super) purpose: &'a str,
    pub(super) language: Language,
    pub(super) caller: &'a Caller<'a>,
    pub(super) deadline: Timestamp,
}

/// What a message says: as text, and the values of which vendors of templates make it.
pub(super) struct Text {
    /// E-mail only.
    pub(super) subject: String,
    pub(super) text: Secret<String>,
    pub(super) values: Vec<(&'static str, String)>,
}

impl OtpSend<'_> {
    pub(super) fn parcel(&self) -> Parcel<'_> {
        let Self { to, purpose, caller, language, deadline, .. } = self;
        Parcel { to, purpose: purpose.name(), language: *language, caller, deadline: *deadline }
    }
}

impl Parcel<'_> {
    const fn capability(&self) -> Capability {
        match self.to {
            Destination::Phone(_) => Capability::Sms,
            Destination::Email(_) => Capability::Email,
        }
    }

    fn undeliverable(&self) -> Refusal {
        match self.to {
            Destination::Phone(_) => Refusal::to_one_tap(Code::SmsUnavailable),
            Destination::Email(_) => Refusal::new(Code::EmailUnavailable),
        }
    }
}

impl<W: World> Service<'_, W> {
    /// How a message would reach whom it is for.
    pub(super) fn letter(&self, parcel: &Parcel<'_>) -> Result<Letter<'_>, Failure> {
        let settings = self.settings;
        let Parcel { to, caller, .. } = *parcel;
        if !settings.apps.iter().any(|app| app == caller.app) {
            return Err(Refusal::field("app", "is not an app of this service").into());
        }
        if let Some(phone) = to.phone() {
            if let Some(review) = settings.review_numbers.iter().find(|review| review.phone == *phone) {
                return Ok(Letter::Review(review));
            }
            if !settings.sms_countries.serve(phone) {
                let fields = Refusal::field("phone", "is of a country that is not served").fields;
                return Err(Refusal { fields, ..Refusal::new(Code::InvalidPhone) }.into());
            }
        }
        if settings.sms_console {
            return Ok(Letter::Console);
        }
        // A template that is made for codes says nothing without one.
        let can_say = |choice: &Choice<'_>| {
            parcel.purpose != NOTICE || !choice.document.is_template() || choice.template(parcel).is_some()
        };
        let country = to.phone().map(|phone| country_code(phone.e164()));
        let reaches = |choice: &Choice<'_>| {
            country.is_none_or(|country| choice.serves_country(Capability::Sms, country))
        };
        let choices = self.choices(parcel.capability(), caller);
        let choices: Vec<Choice<'_>> = choices.filter(|choice| reaches(choice) && can_say(choice)).collect();
        match choices.is_empty() {
            true => Err(parcel.undeliverable().into()),
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

    /// What the message with a code says.
    pub(super) fn text_with(&self, code: &Secret<String>, send: &OtpSend<'_>) -> Text {
        let minutes = self.settings.limits.otp_lifetime_seconds.div_ceil(60);
        let to = Recipient {
            app: send.caller.app,
            language: send.language,
            purpose: send.purpose,
            platform: send.caller.platform,
            signed: send.to.phone().is_some_and(|phone| phone.chinese_national().is_some()),
        };
        let messages = &self.settings.messages;
        let name = messages.name(send.caller.app, send.language).to_owned();
        let (subject, text) = match send.to {
            Destination::Phone(_) => (String::new(), messages.compose(&to, code.expose(), minutes)),
            Destination::Email(_) => messages.compose_email(&to, code.expose(), minutes),
        };
        Text {
            subject,
            text: Secret::new(text),
            values: vec![("code", code.expose().clone()), ("minutes", minutes.to_string()), ("app", name)],
        }
    }

    /// Sends a message.
    pub(super) async fn send_letter(
        &self,
        letter: &Letter<'_>,
        text: &Text,
        parcel: &Parcel<'_>,
    ) -> (Result<Delivery, Failure>, Calls) {
        match letter {
            Letter::Review(_) => {
                self.world.provider_called(ProviderCall::unsent("review"));
                (Ok(Delivery::Sure), Calls::new())
            }
            Letter::Console => {
                self.world.show_message(text.text.expose());
                (Ok(Delivery::Sure), Calls::new())
            }
            Letter::Providers(choices) => self.try_in_turn(choices, text, parcel).await,
        }
    }

    async fn try_in_turn(
        &self,
        choices: &[Choice<'_>],
        text: &Text,
        parcel: &Parcel<'_>,
    ) -> (Result<Delivery, Failure>, Calls) {
        let mut calls = Calls::new();
        let code = text.values.iter().find(|(name, _)| *name == "code").map_or("", |(_, code)| code.as_str());
        for at in self.order(choices).await {
            let Some(choice) = choices.get(at) else { continue };
            let limit = self.settings.limits.sms_timeout_ms;
            let Some(timeout) = self.time_for(limit, parcel.deadline) else { break };
            // What it could not do in less than its time says nothing about it.
            let is_cut_short = timeout < Duration::from_millis(limit);
            let params = choice.params(&text.values);
            let mail = match parcel.to {
                Destination::Phone(_) => None,
                Destination::Email(to) => Some(Mail { to, subject: &text.subject }),
            };
            let (text, template) = (text.text.expose(), choice.template(parcel));
            let message = Some(Message { text, code, template, params: &params, mail });
            let tender = Tender::of(*choice, parcel.caller, parcel.capability(), limit);
            let answer = self.offer(&Tender { timeout, phone: parcel.to.phone(), message, ..tender }).await;
            let health = health_counter(choice.document.id(), parcel.caller.app);
            match answer {
                Ok(Answer::Accepted { .. }) => {
                    calls.push((health, true));
                    return (Ok(Delivery::Sure), calls);
                }
                // It may have taken it: another would be one too many.
                Ok(Answer::Unavailable { definite: false, .. }) if is_cut_short => {
                    return (Ok(Delivery::Sure), calls);
                }
                Ok(Answer::Unavailable { definite: false, .. }) => {
                    calls.push((health, false));
                    return (Ok(Delivery::Doubtful), calls);
                }
                // This number or address gets no message from anybody.
                Ok(Answer::Rejected { .. }) => break,
                // Enough for it, by this vendor's count. It is well.
                Ok(Answer::Limited { .. }) => {}
                Ok(_) => calls.push((health, false)),
                Err(fault) => return (Err(fault.into()), calls),
            }
        }
        (Err(parcel.undeliverable().into()), calls)
    }
}

impl<'a> Choice<'a> {
    fn template(&self, parcel: &Parcel<'_>) -> Option<&'a str> {
        self.account.template(parcel.purpose, parcel.language.name())
    }
}
