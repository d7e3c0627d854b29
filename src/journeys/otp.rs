//! Sending a code: by SMS, the way in when one-tap cannot work and the proof of a number everywhere else; by e-mail, the
//! proof of an address to whoever is signed in.
//!
//! The journey is the same for numbers and addresses with and without an account, call by call.

use std::time::Duration;

use futures_util::future::{join, join3};

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    budget::{Asker, Scope, Taken},
    claim::Attempt,
    provider::Caller,
    sign_in::{DeviceClaim, again_if_lost},
    sms::{Delivery, Letter},
    vendors::Calls,
};
use crate::{
    kernel::{fault::Fault, id::ChallengeId, secret::Secret, time::Timestamp},
    model::{
        challenge::{Destination, Record, Reference, Subject},
        handle::{self, HandleName},
        language::Language,
        otp::{FindSent, NewCode, Operation, Outcome, Rules, Settled},
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
    },
    ports::World,
    providers::RiskLevel,
};

/// A code is asked for.
#[derive(Debug)]
pub struct OtpSend<'a> {
    /// Where to.
    pub to: &'a Destination,
    /// What for.
    pub purpose: Purpose,
    /// Who may use it: the app, or the session or ticket that asks.
    pub binding: &'a str,
    /// Who asks.
    pub caller: Caller<'a>,
    /// On what.
    pub device: &'a DeviceClaim,
    /// Language of the message.
    pub language: Language,
    /// What the bot check gave the client.
    pub captcha: Option<&'a Secret<String>>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
    /// The message must be on its way by then.
    pub deadline: Timestamp,
}

/// A code is on its way.
#[derive(Debug)]
pub struct Challenged {
    /// For the client; it brings it back with the code.
    pub id: String,
    /// Seconds the code is good for.
    pub expires_in: u64,
    /// Seconds until another may be asked for.
    pub resend_in: u64,
    /// Digits of the code.
    pub code_length: u64,
    /// What is left to do when the client has the answer.
    pub after: Option<AfterSend>,
}

/// What a sent code leaves to do.
#[derive(Debug)]
pub struct AfterSend {
    handle: HandleName,
    settled: Settled,
    calls: Calls,
    /// Whether it arrived is not known, which speaks against the provider and not against whom it was for.
    unmeasured: Taken,
}

/// A code that shall be sent.
struct Order<'a> {
    send: &'a OtpSend<'a>,
    letter: Letter<'a>,
    handle: HandleName,
    asker: &'a Asker,
    operation: String,
    request: String,
}

/// A code that was sent.
struct Dispatched {
    taken: Taken,
    delivery: Delivery,
    /// KV has the record.
    recorded: bool,
}

impl AfterSend {
    /// Nothing was sent.
    fn nothing(handle: HandleName, challenge: ChallengeId) -> Self {
        let settled = Settled { challenge, sent: false, recorded: false, measured: false };
        Self { handle, settled, calls: Calls::default(), unmeasured: Taken::default() }
    }
}

impl<W: World> Service<'_, W> {
    /// Sends a code.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait, `bot_check_required`, `risk_denied`, `sms_unavailable`,
    /// `email_unavailable`, `invalid_phone` for a country that is not served, `try_again` and `idempotency_conflict` for repeats.
    pub async fn send_otp(&self, send: &OtpSend<'_>) -> Result<Challenged, Failure> {
        // 1. What the client got wrong, and what we could not deliver anyway.
        let letter = self.letter(&send.parcel())?;
        let handle = send.to.handle(&self.settings.digest);
        let presented = self.presented(send.device).await?;
        let asker = self.asker(&presented, send.caller.address).await;
        let (operation, request) = self.names_of(&send.attempt)?;
        let order = Order { send, letter, handle, asker: &asker, operation, request };
        // 2. A repeat is answered, whatever it would cost by now. Others learn whether it is their own.
        let own_device = match self.find_sent(&order).await? {
            Outcome::NotSent { own_device } => own_device,
            outcome => return self.not_sending(outcome, send),
        };
        // 3. Whoever asks has a budget of their own, before anything is spent on them.
        let brings_bot_check = send.captcha.is_some() && self.has_bot_check(&send.caller);
        let taken = self.take(&self.scopes_of_asker(&asker, own_device, brings_bot_check)).await?;
        let sent = self.screen_and_send(order).await;
        if !matches!(sent, Ok(Challenged { after: Some(_), .. })) {
            self.give_back(taken).await;
        }
        sent
    }

    /// Does what a sent code left to do.
    ///
    /// # Errors
    /// [`Fault`]: the code counts as sent all the same.
    pub async fn after_send(&self, after: AfterSend) -> Result<(), Fault> {
        let AfterSend { handle, settled, calls, unmeasured } = after;
        let settle = again_if_lost(async || self.otp(&handle, Operation::Settle(settled.clone())).await);
        let (settled, (), ()) = join3(settle, self.note_calls(calls), self.unmeasure(unmeasured)).await;
        settled.map(|_| ())
    }

    /// Only who brings a key can repeat, and only a device can be the holder's: nobody else is worth the call.
    async fn find_sent(&self, order: &Order<'_>) -> Result<Outcome, Fault> {
        let Order { operation, request, asker, .. } = order;
        let device_of = asker.account();
        if order.send.attempt.key.is_none() && device_of.is_none() {
            return Ok(Outcome::NotSent { own_device: false });
        }
        let find = FindSent {
            operation: operation.clone(),
            request: request.clone(),
            device_of,
            resend: self.otp_rules().resend,
        };
        again_if_lost(async || self.otp(&order.handle, Operation::FindSent(find.clone())).await).await
    }

    async fn screen_and_send(&self, order: Order<'_>) -> Result<Challenged, Failure> {
        let Order { send, letter, handle, asker, operation, request } = order;
        // 4. Bot check and risk, where there are any.
        let risk = async {
            // A store's reviewer may sit anywhere, behind anything; and of addresses nobody has an opinion.
            match send.to {
                Destination::Phone(phone) if !letter.is_review() => {
                    self.risk(phone, &send.caller, send.deadline).await
                }
                _ => RiskLevel::Allow,
            }
        };
        let (human, risk) = join(self.is_human(&send.caller, send.captcha, send.deadline), risk).await;
        let human = human?;
        self.heed(risk, human, &send.caller)?;
        // 5. The handle's own word: cooldown, sends, failures in a row. From here on this code is the newest.
        let id = ChallengeId::from_bytes(self.fresh()?);
        let code = self.code_for(&letter)?;
        let lifetime = Duration::from_secs(self.settings.limits.otp_lifetime_seconds);
        let expires = self.world.now().plus(lifetime);
        let subject = Subject { id, purpose: send.purpose, binding: send.binding, handle: &handle };
        let record = subject.record(&self.settings.mac, code.expose(), expires);
        let new = Box::new(NewCode {
            challenge: id,
            operation,
            request,
            expires,
            mac: record.mac.clone(),
            device_of: asker.account(),
            bot_check_passed: human,
            rules: self.otp_rules(),
        });
        let nothing_sent = AfterSend::nothing(handle.clone(), id);
        let sending = again_if_lost(async || self.otp(&handle, Operation::Send(new.clone())).await).await;
        let own_device = match sending {
            Ok(Outcome::Sending { own_device }) => own_device,
            Ok(outcome) => return self.not_sending(outcome, send),
            Err(fault) => {
                // It may have been taken in all the same.
                self.pass_over(self.after_send(nothing_sent).await);
                return Err(fault.into());
            }
        };
        // 6. Prefix, country, deployment and the guard against pumping; then the message, and beside it the record.
        let scopes = match letter.is_review() {
            true => Vec::new(),
            false => {
                let standing = self.standing(asker, own_device, human);
                self.scopes_of_destination(send.to, &send.caller, standing)
            }
        };
        let (dispatched, calls) = self.dispatch(&scopes, &letter, &code, (id, &record), send).await;
        match dispatched {
            Ok(Dispatched { taken, delivery, recorded }) => {
                let resend_at = self.world.now().plus(self.otp_rules().resend);
                let is_sure = delivery == Delivery::Sure;
                let measured = is_sure && taken.is_measured();
                let settled = Settled { challenge: id, sent: true, recorded, measured };
                let unmeasured = if is_sure { Taken::default() } else { taken };
                let after = AfterSend { handle, settled, calls, unmeasured };
                Ok(Challenged { after: Some(after), ..self.challenged(id, send, expires, resend_at)? })
            }
            // 7. Nothing was sent: it is as if nobody had asked.
            Err(failure) => {
                self.pass_over(self.after_send(AfterSend { calls, ..nothing_sent }).await);
                Err(failure)
            }
        }
    }

    async fn dispatch(
        &self,
        scopes: &[Scope],
        letter: &Letter<'_>,
        code: &Secret<String>,
        (id, record): (ChallengeId, &Record),
        send: &OtpSend<'_>,
    ) -> (Result<Dispatched, Failure>, Calls) {
        let taken = match self.take(scopes).await {
            Ok(taken) => taken,
            Err(refused) => return (Err(refused), Calls::default()),
        };
        let recorded = self.world.record_challenge(id, record);
        let (text, parcel) = (self.text_with(code, send), send.parcel());
        let sent = self.send_letter(letter, &text, &parcel);
        let (recorded, (delivery, calls)) = join(recorded, sent).await;
        let recorded = self.pass_over(recorded).is_some();
        let dispatched = match delivery {
            Ok(delivery) => Ok(Dispatched { taken, delivery, recorded }),
            Err(failure) => {
                self.give_back(taken).await;
                Err(failure)
            }
        };
        (dispatched, calls)
    }

    fn not_sending(&self, outcome: Outcome, send: &OtpSend<'_>) -> Result<Challenged, Failure> {
        Err(match outcome {
            Outcome::SentBefore { challenge, expires, resend_at } => {
                return self.challenged(challenge, send, expires, resend_at);
            }
            Outcome::Running => Refusal { retry_after: Some(1), ..Refusal::new(Code::TryAgain) }.into(),
            Outcome::Conflict => Code::IdempotencyConflict.into(),
            Outcome::TooSoon { if_checked: 0, .. } | Outcome::Stopped { bot_check_helps: true, .. }
                if self.has_bot_check(&send.caller) =>
            {
                Code::BotCheckRequired.into()
            }
            Outcome::TooSoon { if_checked, .. } if self.has_bot_check(&send.caller) => {
                Refusal::wait(if_checked).into()
            }
            Outcome::TooSoon { retry_after, .. } => Refusal::wait(retry_after).into(),
            Outcome::Stopped { retry_after, .. } => Refusal::wait(retry_after).into(),
            _ => UNEXPECTED_OUTCOME.into(),
        })
    }

    fn challenged(
        &self,
        id: ChallengeId,
        send: &OtpSend<'_>,
        expires: Timestamp,
        resend_at: Timestamp,
    ) -> Result<Challenged, Failure> {
        let reference = Reference { id, purpose: send.purpose, expires, to: send.to.clone() };
        let now = self.world.now();
        Ok(Challenged {
            id: reference.write(&self.settings.sealing)?,
            expires_in: whole_seconds(expires.since(now)),
            resend_in: whole_seconds(resend_at.since(now)),
            code_length: self.settings.limits.otp_code_digits,
            after: None,
        })
    }

    /// Limits of the codes of one number or address.
    pub(super) fn otp_rules(&self) -> Rules {
        self.settings.otp_rules()
    }

    /// One operation on the codes of a number or address.
    pub(super) async fn otp(&self, handle: &HandleName, operation: Operation) -> Result<Outcome, Fault> {
        match self.world.handle(handle, handle::Operation::Otp(operation)).await? {
            handle::Outcome::Otp(outcome) => Ok(outcome),
            _ => Err(UNEXPECTED_OUTCOME),
        }
    }
}

/// Seconds begun: what is left of a code's life a moment after it was sent is all of it, to people.
fn whole_seconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
