//! Sending a code by SMS: the way in when one-tap cannot work, and the proof of a number everywhere else.
//!
//! The journey is the same for numbers with and without an account, call by call.

use std::time::Duration;

use futures_util::future::join;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    claim::Attempt,
    otp_budget::Reach,
    provider::Caller,
    sign_in::DeviceClaim,
    sms::{Calls, Letter},
};
use crate::{
    kernel::{fault::Fault, id::ChallengeId, phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::{
        challenge::{Record, Reference, Subject},
        handle::{self, HandleName},
        language::Language,
        otp::{FindSent, NewCode, Operation, Outcome, Rules, Settled},
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
    },
    ports::World,
};

/// A code is asked for.
#[derive(Debug)]
pub struct OtpSend<'a> {
    /// To which number.
    pub phone: &'a PhoneNumber,
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
}

impl<W: World> Service<'_, W> {
    /// Sends a code.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait, `bot_check_required`, `risk_denied`, `sms_unavailable`,
    /// `invalid_phone` for a country that is not served, `try_again` and `idempotency_conflict` for repeats.
    pub async fn send_otp(&self, send: &OtpSend<'_>) -> Result<Challenged, Failure> {
        // 1. What the client got wrong, and what we could not deliver anyway.
        let letter = self.letter(send)?;
        let handle = HandleName::of_phone(&self.settings.digest, send.phone);
        let (operation, request) = self.names_of(&send.attempt)?;
        // A passed bot check counts once: a repeat must not be asked for another.
        if send.captcha.is_some() && send.attempt.key.is_some() {
            let (operation, request, resend) = (operation.clone(), request.clone(), self.otp_rules().resend);
            let find = Operation::FindSent(FindSent { operation, request, resend });
            match self.otp(&handle, find).await? {
                Outcome::Settled => {}
                outcome => return self.not_sending(outcome, send),
            }
        }
        // 2. Whoever asks has a budget of their own, before anything is spent on them.
        let asker = self.asker(send.device, send.caller.address).await;
        let asked_at = self.world.now();
        self.spend(&asker).await?;
        // 3. Bot check and risk, where there are any.
        let (human, risk) =
            join(self.is_human(&send.caller, send.captcha), self.risk(send.phone, &send.caller)).await;
        let human = human?;
        self.heed(risk, human, &send.caller)?;
        // 4. The number's own word: cooldown, sends, failures in a row. From here on this code is the newest.
        let id = ChallengeId::from_bytes(self.fresh()?);
        let code = self.code_for(&letter)?;
        let lifetime = Duration::from_secs(self.settings.limits.otp_lifetime_seconds);
        let expires = self.world.now().plus(lifetime);
        let subject = Subject { id, purpose: send.purpose, binding: send.binding, handle: &handle };
        let record = subject.record(&self.settings.mac, code.expose(), expires);
        let new = NewCode {
            challenge: id,
            operation,
            request,
            expires,
            mac: record.mac.clone(),
            device_of: asker.account(),
            bot_check_passed: human,
            rules: self.otp_rules(),
        };
        let own_device = match self.otp(&handle, Operation::Send(Box::new(new))).await? {
            Outcome::Sending { own_device } => own_device,
            outcome => {
                self.give_back(&asker, asked_at).await;
                return self.not_sending(outcome, send);
            }
        };
        // 5. Prefix, country, deployment and the guard against pumping; then the message, and beside it the record.
        let reach = (!letter.is_review()).then_some(Reach { phone: send.phone, exempt: own_device || human });
        let (sent, calls) = self.enter_and_send(reach.as_ref(), &letter, &code, (id, &record), send).await;
        let measured = reach.as_ref().is_some_and(|reach| !reach.exempt);
        let settled = |sent, recorded| Settled { challenge: id, sent, recorded, measured };
        match sent {
            Ok(recorded) => {
                let resend_at = self.world.now().plus(self.otp_rules().resend);
                let after = AfterSend { handle, settled: settled(true, recorded), calls };
                Ok(Challenged { after: Some(after), ..self.challenged(id, send, expires, resend_at)? })
            }
            // 6. Nothing was sent: it is as if nobody had asked.
            Err(failure) => {
                let after = AfterSend { handle, settled: settled(false, false), calls };
                let (settled, ()) = join(self.after_send(after), self.give_back(&asker, asked_at)).await;
                settled.map_err(Failure::from).and(Err(failure))
            }
        }
    }

    /// Does what a sent code left to do.
    ///
    /// # Errors
    /// [`Fault`]: the code counts as sent all the same.
    pub async fn after_send(&self, after: AfterSend) -> Result<(), Fault> {
        let AfterSend { handle, settled, calls } = after;
        let (settled, ()) = join(self.otp(&handle, Operation::Settle(settled)), self.note_calls(calls)).await;
        settled.map(|_| ())
    }

    async fn enter_and_send(
        &self,
        reach: Option<&Reach<'_>>,
        letter: &Letter<'_>,
        code: &Secret<String>,
        (id, record): (ChallengeId, &Record),
        send: &OtpSend<'_>,
    ) -> (Result<bool, Failure>, Calls) {
        let entered_at = self.world.now();
        if let Some(reach) = reach
            && let Err(refused) = self.enter(reach, &send.caller).await
        {
            return (Err(refused), Calls::default());
        }
        let recorded = self.world.record_challenge(id, record);
        let (recorded, (taken, calls)) = join(recorded, self.send_letter(letter, code, send)).await;
        if let (Err(_), Some(reach)) = (&taken, reach) {
            self.leave(reach, entered_at).await;
        }
        (taken.map(|()| recorded.is_ok()), calls)
    }

    fn not_sending(&self, outcome: Outcome, send: &OtpSend<'_>) -> Result<Challenged, Failure> {
        Err(match outcome {
            Outcome::SentBefore { challenge, expires, resend_at } => {
                return self.challenged(challenge, send, expires, resend_at);
            }
            Outcome::Running => Refusal { retry_after: Some(1), ..Refusal::new(Code::TryAgain) }.into(),
            Outcome::Conflict => Code::IdempotencyConflict.into(),
            Outcome::TooSoon { retry_after } => Refusal::wait(retry_after).into(),
            Outcome::Stopped { bot_check_helps: true, .. } if self.has_bot_check(&send.caller) => {
                Code::BotCheckRequired.into()
            }
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
        let reference = Reference { id, purpose: send.purpose, expires, phone: send.phone.clone() };
        let now = self.world.now();
        Ok(Challenged {
            id: reference.write(&self.settings.sealing)?,
            expires_in: whole_seconds(expires.since(now)),
            resend_in: whole_seconds(resend_at.since(now)),
            code_length: self.settings.limits.otp_code_digits,
            after: None,
        })
    }

    /// Limits of the codes of one number.
    pub(super) fn otp_rules(&self) -> Rules {
        self.settings.otp_rules()
    }

    /// One operation on the codes of a number.
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
