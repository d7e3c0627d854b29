//! Trusted phones: named and removed by their owner, and asked for a sign-in that waits.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    claim::Attempt,
    entrance::Proven,
    number_proof::OtpProof,
    otp::{Challenged, OtpSend},
    own_account::{Doer, Here},
    provider::Caller,
    sign_in::{DeviceClaim, Entry, TRUSTED_PHONE, TRUSTED_PHONE_LABEL},
    spent::Spent,
    step_up::Holder,
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, TrustedPhoneId},
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{Deed, Outcome, Step, TrustedPhone},
        challenge::Destination,
        handle::HandleName,
        language::Language,
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
        ticket::Ticket,
    },
    ports::World,
};

/// A trusted phone, opened for the owner of the account.
#[derive(Debug)]
pub struct TrustedPhoneView {
    /// Its id.
    pub id: TrustedPhoneId,
    /// Its number.
    pub phone: PhoneNumber,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was last proven.
    pub proven_at: Timestamp,
}

/// A code to a trusted phone is asked for.
#[derive(Debug)]
pub struct CodeToPhone<'a> {
    /// Who waits.
    pub holder: Holder<'a>,
    /// Where they are.
    pub address: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
    /// Language of the message.
    pub language: Language,
    /// What the bot check gave the client.
    pub captcha: Option<&'a Secret<String>>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
    /// The message must be on its way by then.
    pub deadline: Timestamp,
}

impl<W: World> Service<'_, W> {
    /// Trusts a phone that was proven, or notes that it was proven again.
    pub(super) async fn trust_phone(
        &self,
        here: Here,
        doer: Doer<'_>,
        proven: &Proven,
        label: Option<&str>,
    ) -> Result<TrustedPhoneView, Failure> {
        let account = here.account;
        let label =
            label.map(|label| self.seal_for(account, TRUSTED_PHONE_LABEL, label.as_bytes())).transpose()?;
        let phone = TrustedPhone {
            id: TrustedPhoneId::from_bytes(self.fresh()?),
            name: proven.handle.clone(),
            value: self.seal_for(account, TRUSTED_PHONE, proven.value.expose().as_bytes())?,
            label,
            proven_at: self.world.now(),
        };
        let of_number = |problem| Err(Refusal::field("numberProof", problem).into());
        match self.act(here, doer.place, Deed::TrustPhone(Box::new(phone))).await? {
            Outcome::PhoneTrusted(phone) => Ok(self.trusted_phone_view(account, &phone)?),
            Outcome::OwnNumber => of_number(OWN_NUMBER),
            Outcome::TooManyPhones => of_number(TOO_MANY),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Trusts a phone no more.
    ///
    /// # Errors
    /// `not_found`; `reauthentication_required`.
    pub async fn distrust_phone(&self, doer: Doer<'_>, phone: TrustedPhoneId) -> Result<(), Failure> {
        self.carry_out(doer, Deed::DistrustPhone(phone)).await
    }

    pub(super) fn trusted_phone_views(
        &self,
        account: AccountId,
        phones: &[TrustedPhone],
    ) -> Result<Vec<TrustedPhoneView>, Fault> {
        phones.iter().map(|phone| self.trusted_phone_view(account, phone)).collect()
    }

    fn trusted_phone_view(
        &self,
        account: AccountId,
        phone: &TrustedPhone,
    ) -> Result<TrustedPhoneView, Fault> {
        let label = phone.label.as_ref();
        Ok(TrustedPhoneView {
            id: phone.id,
            phone: self.open_number(account, TRUSTED_PHONE, &phone.value)?,
            label: label.map(|label| self.open_text(account, TRUSTED_PHONE_LABEL, label)).transpose()?,
            proven_at: phone.proven_at,
        })
    }

    /// What a code is bound to that is sent to this number for a sign-in that waits, if the phone is trusted. Of one that
    /// is not nothing is said.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` once somebody said no; `rate_limited`.
    pub async fn ticket_for(&self, holder: &Holder<'_>, phone: &PhoneNumber) -> Result<String, Failure> {
        let step = Step::AskNumber(HandleName::of_phone(&self.settings.digest, phone));
        match self.at_ticket(holder, step, false).await? {
            Outcome::Waits(_) => Ok(binding_of_ticket(&self.read_ticket(holder)?)),
            // Also where it is decided already: the ticket takes no code any more.
            Outcome::NotFound | Outcome::SignedIn { .. } => Err(Code::TicketInvalid.into()),
            outcome => self.entry(self.read_ticket(holder)?.account, outcome).map(|_| String::new()),
        }
    }

    /// Sends a code to the trusted phone of that id, for a sign-in that waits.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` once somebody said no; `not_found` for no phone that can be asked;
    /// `rate_limited`; those of sending.
    pub async fn ask_trusted_phone(
        &self,
        code: &CodeToPhone<'_>,
        phone: TrustedPhoneId,
    ) -> Result<(Entry, Option<Challenged>), Failure> {
        let CodeToPhone { holder, address, request_id, language, captcha, attempt, deadline } = code;
        let ticket = self.read_ticket(holder)?;
        let outcome = self.at_ticket(holder, Step::AskPhone(phone), false).await?;
        let asked = match &outcome {
            Outcome::Waits(waiting) => Some((waiting.app.clone(), waiting.platform)),
            _ => None,
        };
        let entry = self.entry(ticket.account, outcome)?;
        let (Some((app, platform)), Entry::StepUp(step_up)) = (asked, &entry) else {
            return Ok((entry, None));
        };
        let view = step_up.by_phone.iter().find(|view| view.id == phone).ok_or(UNEXPECTED_OUTCOME)?;
        // Whoever waits is a stranger to that number.
        let device = DeviceClaim::unknown(platform);
        let challenged = self
            .send_otp(&OtpSend {
                to: &Destination::Phone(view.phone.clone()),
                purpose: Purpose::StepUp,
                binding: &binding_of_ticket(&ticket),
                caller: Caller { app: &app, platform, address, request_id },
                device: &device,
                language: *language,
                captcha: *captcha,
                attempt: *attempt,
                deadline: *deadline,
            })
            .await?;
        Ok((entry, Some(challenged)))
    }

    /// Confirms a sign-in that waits by the code that a trusted phone got. Who was confirmed is signed in.
    ///
    /// # Errors
    /// `ticket_invalid`; `otp_incorrect`; `proof_failed` once somebody said no, or when the phone is trusted no more.
    pub async fn confirm_by_phone(
        &self,
        holder: &Holder<'_>,
        proof: &OtpProof<'_>,
        spent: &mut Spent,
    ) -> Result<Entry, Failure> {
        let ticket = self.read_ticket(holder)?;
        // Before the code is spent; and when it was, by the same request, somebody is in already.
        let entry = self.look_at(holder, Step::Look, false).await?;
        if let Entry::SignedIn(_) = entry {
            return Ok(entry);
        }
        let proven = self.prove_by_otp(proof, Purpose::StepUp, &binding_of_ticket(&ticket), spent).await?;
        let name = HandleName::of_phone(&self.settings.digest, &proven.phone);
        self.look_at(holder, Step::Confirm(name), true).await
    }
}

/// What a code is bound to that is sent for a sign-in that waits.
fn binding_of_ticket(ticket: &Ticket) -> String {
    format!("ticket:{}", ticket.id)
}

const OWN_NUMBER: &str = "is of the account's own number: whoever has that could confirm themselves";

const TOO_MANY: &str = "is of one phone too many: another must be removed first";
