//! What somebody proves whose sign-in waits: by codes to what is the owner's, or by what the owner knows.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    claim::Attempt,
    number_proof::OtpProof,
    otp::{Challenged, OtpSend},
    provider::Caller,
    questions::Sources,
    sealed::{DISPLAY_NAME, ID_NUMBER, VERIFIED_NAME},
    sign_in::{DeviceClaim, Entry},
    spent::Spent,
    step_up::Holder,
};
use crate::{
    kernel::{
        digest::keyed_name, email::EmailAddress, id::TrustedPhoneId, id_number::IdNumber, phone::PhoneNumber,
        secret::Secret, time::Timestamp,
    },
    model::{
        account::{Known, Outcome, Proof, Questions, Step},
        challenge::Destination,
        handle::{EMAIL, HandleName},
        language::Language,
        otp_purpose::Purpose,
        owner_proof::ProofKind,
        refusal::Code,
        ticket::Ticket,
    },
    ports::World,
};

/// A code is asked for, for a sign-in that waits.
#[derive(Debug)]
pub struct CodeAtTicket<'a> {
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

/// Where a code goes that is asked for at a ticket.
#[derive(Debug, Clone, Copy)]
pub enum CodeTo {
    /// To the trusted phone of that id.
    Phone(TrustedPhoneId),
    /// To the account's address.
    Email,
}

impl<W: World> Service<'_, W> {
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

    /// Sends a code for a sign-in that waits.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` once somebody said no; `not_found` for what cannot be asked; `rate_limited`; those of
    /// sending.
    pub async fn send_code_at_ticket(
        &self,
        code: &CodeAtTicket<'_>,
        to: CodeTo,
    ) -> Result<(Entry, Option<Challenged>), Failure> {
        let CodeAtTicket { holder, address, request_id, language, captcha, attempt, deadline } = code;
        let ticket = self.read_ticket(holder)?;
        let step = match to {
            CodeTo::Phone(phone) => Step::AskPhone(phone),
            CodeTo::Email => Step::AskEmail,
        };
        let outcome = self.at_ticket(holder, step, false).await?;
        let asked = match &outcome {
            Outcome::Waits(waiting) => Some((waiting.app.clone(), waiting.platform, waiting.email.clone())),
            _ => None,
        };
        let entry = self.entry(ticket.account, outcome)?;
        let (Some((app, platform, email)), Entry::StepUp(step_up)) = (asked, &entry) else {
            return Ok((entry, None));
        };
        let destination = match (to, email) {
            (CodeTo::Phone(id), _) => {
                let view = step_up.by_phone.iter().find(|view| view.id == id).ok_or(UNEXPECTED_OUTCOME)?;
                Destination::Phone(view.phone.clone())
            }
            (CodeTo::Email, Some(email)) => {
                let address = self.open_text(ticket.account, EMAIL, &email)?;
                Destination::Email(EmailAddress::parse(&address).ok_or(UNEXPECTED_OUTCOME)?)
            }
            (CodeTo::Email, None) => return Err(Code::NotFound.into()),
        };
        // Whoever waits is a stranger to whom it goes.
        let device = DeviceClaim::unknown(platform);
        let challenged = self
            .send_otp(&OtpSend {
                to: &destination,
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

    /// Proves by the code that a trusted phone or the account's address got. Who has proven enough is signed in.
    ///
    /// # Errors
    /// `ticket_invalid`; `otp_incorrect`; `proof_failed` once somebody said no, or when it is the owner's no more.
    pub async fn prove_by_code(
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
        let binding = binding_of_ticket(&ticket);
        let given = if self.is_to_address(proof) {
            Proof::Email(self.prove_address(proof, Purpose::StepUp, &binding).await?.handle)
        } else {
            let proven = self.prove_by_otp(proof, Purpose::StepUp, &binding, spent).await?;
            Proof::Phone(HandleName::of_phone(&self.settings.digest, &proven.phone))
        };
        self.look_at(holder, Step::Prove(given), true).await
    }

    /// Proves by the account's password.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed`; `proofs_exhausted` after too many tries.
    pub async fn prove_by_password(
        &self,
        holder: &Holder<'_>,
        password: &Secret<String>,
    ) -> Result<Entry, Failure> {
        let ticket = self.read_ticket(holder)?;
        // A try is paid for before it is looked at.
        let entry = self.look_at(holder, Step::Try(ProofKind::Password), false).await?;
        if let Entry::SignedIn(_) = entry {
            return Ok(entry);
        }
        let set_at = self.compare(ticket.account, password).await?.ok_or(Code::ProofFailed)?;
        self.look_at(holder, Step::Prove(Proof::Password(set_at)), true).await
    }

    /// Asks about what happened in the account, or finds the round that is asked.
    ///
    /// # Errors
    /// `ticket_invalid`; `not_found` where too little is known; `proofs_exhausted`.
    pub async fn ask_questions(&self, holder: &Holder<'_>, language: Language) -> Result<Entry, Failure> {
        let account = self.read_ticket(holder)?.account;
        let known = match self.at_ticket(holder, Step::BeginQuestions, false).await? {
            Outcome::Known(known) => known,
            outcome => return self.entry(account, outcome),
        };
        let Known { facts, models, display_name, since } = *known;
        let name = display_name.map(|name| self.open_text(account, DISPLAY_NAME, &name)).transpose()?;
        let year: String = since.rfc3339().chars().take(4).collect();
        let told: Vec<String> = name.into_iter().chain([year]).collect();
        let sources = Sources { facts: &facts, models: &models, told: &told };
        let (series, rounds) = self.series(account, sources, language)?.ok_or(Code::NotFound)?;
        self.look_at(holder, Step::AskQuestions(Questions { series, rounds }.into()), true).await
    }

    /// Takes the option chosen in a round, both counted from 0. Nothing is said of it before the last one.
    ///
    /// # Errors
    /// `ticket_invalid`; `proof_failed` after the last round, if too much was wrong.
    pub async fn answer_question(
        &self,
        holder: &Holder<'_>,
        round: usize,
        option: usize,
    ) -> Result<Entry, Failure> {
        self.look_at(holder, Step::AnswerQuestion { round, option }, false).await
    }

    /// Proves by the name and the ID number that the account was verified with.
    ///
    /// # Errors
    /// As [`Service::prove_by_password`]; nobody is told which of both is wrong.
    pub async fn prove_by_name(
        &self,
        holder: &Holder<'_>,
        name: &Secret<String>,
        id_number: &IdNumber,
    ) -> Result<Entry, Failure> {
        let account = self.read_ticket(holder)?.account;
        let outcome = self.at_ticket(holder, Step::Try(ProofKind::NameId), false).await?;
        let verified = match &outcome {
            Outcome::Waits(waiting) => waiting.name.clone(),
            _ => return self.entry(account, outcome),
        };
        let same = |text: &str| self.world.nfkc(text.trim());
        let verified = verified.ok_or(Code::ProofFailed)?;
        let is_name = same(&self.open_text(account, VERIFIED_NAME, &verified)?) == same(name.expose());
        // A wrong name costs the same call: else the time tells which of both is right.
        let id = keyed_name(&self.settings.digest, ID_NUMBER, if is_name { id_number.expose() } else { "" });
        self.look_at(holder, Step::Prove(Proof::NameId(id)), true).await
    }
}

/// What a code is bound to that is sent for a sign-in that waits.
fn binding_of_ticket(ticket: &Ticket) -> String {
    format!("ticket:{}", ticket.id)
}
