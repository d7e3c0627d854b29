//! The proof of a number by the code that was sent to it, and signing in with it.

use std::time::Duration;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    claim::Attempt,
    entrance::{Proven, Seed},
    provider::{Caller, Credential},
    sign_in::{self, Entry, again_if_lost},
    spent::{Spent, SpentCode},
};
use crate::{
    kernel::{
        digest::{derive, hmac_sha256, is_equal},
        fault::Fault,
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        challenge::{Destination, Record, Reference, Subject},
        login::Method,
        otp::{Evidence, Operation, Outcome, REPEAT_KEPT, Redeem},
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
    },
    ports::World,
    providers::{Answer, Capability},
};

/// A code with its challenge, as a client brings them.
#[derive(Debug)]
pub struct OtpProof<'a> {
    /// What otp/send answered.
    pub challenge: &'a str,
    /// What was typed.
    pub code: &'a Secret<String>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
}

/// A proof of a number, as a client brings it.
#[derive(Debug)]
pub enum NumberProof<'a> {
    /// The code that was sent to it.
    Otp(OtpProof<'a>),
    /// A carrier's word.
    Carrier(CarrierProof<'a>),
}

/// A carrier's credential, and the number that it is to confirm; `None`: it names the number.
#[derive(Debug)]
pub struct CarrierProof<'a> {
    /// From the SDK.
    pub credential: &'a Credential,
    /// The number.
    pub phone: Option<&'a PhoneNumber>,
    /// To recognise a repeat.
    pub attempt: Attempt<'a>,
}

/// For what a code may have been sent, and to whom.
pub(super) type Accepted<'a> = [(Purpose, &'a str)];

/// A number that was proven by its code.
#[derive(Debug)]
pub struct ProvenByOtp {
    /// The number.
    pub phone: PhoneNumber,
    challenge: Reference,
}

impl<W: World> Service<'_, W> {
    /// Redeems a code that was sent to a number for this purpose, for whoever `binding` names.
    ///
    /// # Errors
    /// `otp_incorrect`, whatever is wrong; `idempotency_conflict` for a repeat that is none.
    pub async fn prove_by_otp(
        &self,
        proof: &OtpProof<'_>,
        purpose: Purpose,
        binding: &str,
        spent: &mut Spent,
    ) -> Result<ProvenByOtp, Failure> {
        let challenge = self.challenge_of(proof)?;
        let Destination::Phone(phone) = &challenge.to else { return Err(Code::OtpIncorrect.into()) };
        let measured = self.redeem_code(&challenge, proof, purpose, binding).await?;
        let phone = phone.clone();
        spent.codes.extend(measured.map(|sent_at| SpentCode { phone: phone.clone(), sent_at }));
        Ok(ProvenByOtp { phone, challenge })
    }

    /// What a client brings with a code; forged ones die here.
    pub(super) fn challenge_of(&self, proof: &OtpProof<'_>) -> Result<Reference, Failure> {
        Reference::read(&self.settings.sealing, proof.challenge).ok_or(Code::OtpIncorrect.into())
    }

    /// Redeems a code. When it was sent, if that counts in the guards against pumping.
    pub(super) async fn redeem_code(
        &self,
        reference: &Reference,
        proof: &OtpProof<'_>,
        purpose: Purpose,
        binding: &str,
    ) -> Result<Option<Timestamp>, Failure> {
        // 1. Expired and misused ones die here, before anybody is asked.
        // A repeat may come a little late; only the handle can tell it from a first attempt.
        let late = if proof.attempt.key.is_some() { REPEAT_KEPT } else { Duration::ZERO };
        if reference.purpose != purpose || self.world.now() >= reference.expires.plus(late) {
            return Err(Code::OtpIncorrect.into());
        }
        // 2. The record, as this place sees it.
        let handle = reference.to.handle(&self.settings.digest);
        let subject = Subject { id: reference.id, purpose, binding, handle: &handle };
        let record = self.world.challenge(reference.id).await;
        let evidence = self.compare_code(&subject, proof.code, record.as_ref().ok().and_then(Option::as_ref));
        // 3. The handle counts the try, and consumes the code if it is the right one.
        let (operation, request) = self.names_of(&proof.attempt)?;
        let rules = self.otp_rules();
        let redeem = Redeem { challenge: reference.id, operation, request, evidence, rules };
        let redeem = Operation::Redeem(redeem.into());
        let outcome = again_if_lost(async || self.otp(&handle, redeem.clone()).await).await?;
        match outcome {
            Outcome::Redeemed { measured } => Ok(measured),
            Outcome::Incorrect => Err(Code::OtpIncorrect.into()),
            Outcome::Conflict => Err(Code::IdempotencyConflict.into()),
            // Not known to be wrong when the store is out of reach: nothing was counted.
            Outcome::NoRecord => Err(record.map_or_else(Failure::from, |_| Code::OtpIncorrect.into())),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Proves a number in one of the ways, by a code that was sent for one of these purposes; with the seed of a sign-in
    /// by it, the same for a repeat.
    ///
    /// # Errors
    /// As [`Service::prove_by_otp`] and [`Service::one_tap_login`].
    pub(super) async fn prove_number(
        &self,
        proof: &NumberProof<'_>,
        accepted: &Accepted<'_>,
        caller: &Caller<'_>,
        spent: &mut Spent,
    ) -> Result<(Proven, Seed), Failure> {
        match proof {
            NumberProof::Otp(proof) => {
                let reference = Reference::read(&self.settings.sealing, proof.challenge);
                let purpose = reference.map(|reference| reference.purpose);
                let (purpose, binding) =
                    accepted.iter().find(|(known, _)| Some(*known) == purpose).ok_or(Code::OtpIncorrect)?;
                let proven = self.prove_by_otp(proof, *purpose, binding, spent).await?;
                let seed = self.seed(proof, &proven.challenge)?;
                Ok((Proven::number(self.settings, &proven.phone, Method::Otp), seed))
            }
            NumberProof::Carrier(proof) => {
                let (phone, method) = self.prove_by_carrier(proof, caller, spent).await?;
                Ok((Proven::number(self.settings, &phone, method), Seed::new(self.fresh()?)))
            }
        }
    }

    /// The number that a proof is of, where that is known before it is proven.
    pub(super) fn number_claimed(&self, proof: &NumberProof<'_>) -> Option<PhoneNumber> {
        match proof {
            NumberProof::Otp(proof) => self.challenge_of(proof).ok()?.to.phone().cloned(),
            NumberProof::Carrier(proof) => proof.phone.cloned(),
        }
    }

    /// Proves a number by the carrier's word.
    pub(super) async fn prove_by_carrier(
        &self,
        CarrierProof { credential, phone, attempt }: &CarrierProof<'_>,
        caller: &Caller<'_>,
        spent: &mut Spent,
    ) -> Result<(PhoneNumber, Method), Failure> {
        let capability = if phone.is_none() { Capability::OneTap } else { Capability::NumberCheck };
        let question = self.question(capability, credential, *phone, caller)?;
        spent.claims.push(self.claim(question.subject(), attempt).await?);
        match (self.ask(question).await?, *phone) {
            (Answer::Number { phone, .. }, None) => Ok((phone, Method::OneTap)),
            (Answer::Checked { matches: true, .. }, Some(phone)) => Ok((phone.clone(), Method::NumberCheck)),
            (Answer::Checked { matches: false, .. }, Some(_)) => {
                Err(Refusal::to_otp(Code::OneTapRejected).into())
            }
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    /// Signs in with a code. A repeat with the same key ends in the same session, wherever the first one broke.
    ///
    /// # Errors
    /// As [`Service::prove_by_otp`].
    pub async fn otp_login(
        &self,
        proof: &OtpProof<'_>,
        purpose: &sign_in::Purpose<'_>,
        spent: &mut Spent,
    ) -> Result<Entry, Failure> {
        // Before the code is spent.
        let presented = self.presented(purpose.device).await?;
        let binding = binding_of_app(purpose.caller.app);
        let proven = self.prove_by_otp(proof, Purpose::Login, &binding, spent).await?;
        let seed = self.seed(proof, &proven.challenge)?;
        let entrance = Proven::number(self.settings, &proven.phone, Method::Otp).into();
        self.sign_in(&entrance, purpose, presented, &seed).await
    }

    fn compare_code(
        &self,
        subject: &Subject<'_>,
        code: &Secret<String>,
        record: Option<&Record>,
    ) -> Evidence {
        let ring = &self.settings.mac;
        match record.and_then(|record| Some((record, ring.find(&record.key)?))) {
            Some((record, key)) => {
                Evidence::Compared(is_equal(&subject.mac(key, code.expose()), &record.mac))
            }
            None => Evidence::Macs(ring.all().map(|key| subject.mac(key, code.expose())).collect()),
        }
    }

    fn seed(&self, proof: &OtpProof<'_>, challenge: &Reference) -> Result<Seed, Fault> {
        let Some(key) = proof.attempt.key else { return Ok(Seed::new(self.fresh()?)) };
        let ours = derive(self.settings.mac.current().bytes.expose(), "onetap sign-in seed");
        Ok(Seed::new(hmac_sha256(&ours, &[key.seed().as_slice(), challenge.id.bytes()].concat())))
    }
}

/// What a code is bound to when no session or ticket asks for it.
pub fn binding_of_app(app: &str) -> String {
    format!("app:{app}")
}
