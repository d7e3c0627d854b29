//! Appeals: somebody who waits and cannot prove enough tells what they know, and comes in when that was granted.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::{GivenDeviceProof, needs_key},
    number_proof::{NumberProof, binding_of_app},
    own_account::Doer,
    own_profile::AccountView,
    provider::Caller,
    sealed::{APPEAL, APPEAL_IMAGE, DEVICE_NAME},
    sign_in::Entry,
    spent::Spent,
    step_up::Holder,
};
use crate::{
    kernel::{encoding::base64url, fault::Fault, id::AccountId, phone::PhoneNumber, secret::Secret},
    model::{
        account::{AtCase, CaseCaller, CaseStep, Operation, Outcome, Plea, Step},
        case::{Appeal, Case, CaseRef, Matter, State},
        handle::{self, HandleName},
        otp_purpose::Purpose,
        refusal::{Code, Refusal},
        step_up::Reason,
    },
    ports::World,
};

/// What somebody tells.
#[derive(Debug)]
pub struct Told {
    /// All of it, as it is kept for those who read it.
    pub all: Secret<String>,
    /// Numbers that they say the account had.
    pub numbers: Vec<PhoneNumber>,
    /// The month (UTC) in which they say it was created, such as `2025-03`.
    pub month: Option<String>,
    /// Models of devices that they say were used.
    pub models: Vec<String>,
}

/// A case, and the text that its clients hold.
#[derive(Debug)]
pub struct CaseView {
    /// The text.
    pub id: String,
    /// As it is kept.
    pub case: Case,
}

/// Who comes with an appeal.
#[derive(Debug)]
pub struct Appealing<'a> {
    /// The text of the case.
    pub id: &'a str,
    /// The token of their device.
    pub device_token: &'a Secret<String>,
    /// What proves the device's key.
    pub proof: Option<&'a GivenDeviceProof>,
}

/// A device from which somebody appeals or asks friends, as the owner may see it.
#[derive(Debug)]
pub struct AppealView {
    /// The case.
    pub case: CaseView,
    /// What the device is called.
    pub device_name: String,
}

impl<W: World> Service<'_, W> {
    /// Appeals for a sign-in that waits. Made again it is the same appeal, whatever is told then.
    ///
    /// # Errors
    /// `ticket_invalid`, also where nothing waits any more; `rate_limited`.
    pub async fn appeal(&self, holder: &Holder<'_>, told: &Told) -> Result<CaseView, Failure> {
        let ticket = self.read_ticket(holder)?;
        let numbers = told.numbers.iter();
        let plea = Plea {
            case: self.case_of(&ticket),
            told: self.seal_for(ticket.account, APPEAL, told.all.expose().as_bytes())?,
            numbers: numbers.map(|phone| HandleName::of_phone(&self.settings.digest, phone)).collect(),
            month: told.month.clone(),
            models: told.models.clone(),
        };
        match self.at_ticket(holder, Step::Appeal(Box::new(plea)), false).await? {
            Outcome::Case(case) => Ok(self.case_view(ticket.account, *case)?),
            Outcome::SignedIn { .. } | Outcome::Waits(_) => Err(Code::TicketInvalid.into()),
            outcome => match self.entry(ticket.account, outcome) {
                Ok(_) => Err(UNEXPECTED_OUTCOME.into()),
                Err(failure) => Err(failure),
            },
        }
    }

    /// How far a case is, for the device on which it was made.
    ///
    /// # Errors
    /// `not_found`, whatever is wrong.
    pub async fn look_at_appeal(&self, from: &Appealing<'_>) -> Result<CaseView, Failure> {
        let (account, outcome) = self.at_appeal(from, CaseStep::Look, false).await?;
        self.case_of_outcome(account, outcome)
    }

    /// The same for whoever is signed in to the account that it is about.
    ///
    /// # Errors
    /// As [`Service::look_at_appeal`].
    pub async fn look_at_own_case(&self, doer: Doer<'_>, id: &str) -> Result<CaseView, Failure> {
        let case = self.read_case_ref(id)?;
        let here = self.here(doer).await?;
        let own = self.own_profile_of(here, doer.place).await?;
        let cases = if case.account == here.account { own.cases } else { Vec::new() };
        let found = cases.into_iter().find(|known| known.id == case.id);
        Ok(self.case_view(case.account, found.ok_or(Code::NotFound)?)?)
    }

    /// Who appeals for the own account, or asks friends, the newest first.
    ///
    /// # Errors
    /// [`Fault`] for what does not open.
    pub fn appeals(&self, account: &AccountView) -> Result<Vec<AppealView>, Fault> {
        let mut views = Vec::new();
        for case in account.own.cases.iter().rev() {
            let Some((waits, _)) = case.matter.waits() else { continue };
            let name = &waits.sign_in.profile.name;
            let device_name = self.open_text(account.id, DEVICE_NAME, name)?;
            views.push(AppealView { case: self.case_view(account.id, case.clone())?, device_name });
        }
        Ok(views)
    }

    /// Keeps an image for those who decide.
    ///
    /// # Errors
    /// `not_found`; `case_conflict` once it was decided, or where there are enough.
    pub async fn add_image(&self, from: &Appealing<'_>, image: &[u8]) -> Result<(), Failure> {
        let key = base64url(&self.fresh::<16>()?);
        let (account, outcome) = self.at_appeal(from, CaseStep::AddImage(key.clone()), true).await?;
        let case = self.case_of_outcome(account, outcome)?.case;
        let sealed = self.seal_for(account, APPEAL_IMAGE, image)?;
        Ok(self.world.put_image(&key, &sealed, case.until()).await?)
    }

    /// Signs in who was granted it: by a fresh proof of the number they came by, or of one that becomes the account's.
    ///
    /// # Errors
    /// `not_found`; `case_conflict` while it is not granted; `proof_failed` where what they came by leads there no more;
    /// `phone_in_use`; those of the proof.
    pub async fn complete_appeal(
        &self,
        from: &Appealing<'_>,
        number: Option<&NumberProof<'_>>,
        caller: &Caller<'_>,
        spent: &mut Spent,
    ) -> Result<Entry, Failure> {
        // 1. Before anything is spent.
        let view = self.look_at_appeal(from).await?;
        let Matter::Appeal(appeal) = &view.case.matter else { return Err(Code::NotFound.into()) };
        let is_done = view.case.state == State::Done;
        if !is_done && view.case.state_name(self.world.now()) != "granted" {
            return Err(conflict());
        }
        // 2. The number. A repeat has proven it already.
        let account = self.read_case_ref(from.id)?.account;
        let (mut proven, mut binds) = (None, Vec::new());
        if !is_done && needs_number(appeal) {
            let number = number.ok_or_else(|| Refusal::field("numberProof", "is missing"))?;
            let sign_in = &appeal.waits.sign_in;
            let caller = Caller { app: &sign_in.app, platform: sign_in.profile.platform, ..caller.clone() };
            let binding = binding_of_app(&sign_in.app);
            let accepted = [(Purpose::Login, binding.as_str())];
            let given = self.prove_number(number, &accepted, &caller, spent).await;
            let (given, _) = given.map_err(|failure| failure.within("numberProof"))?;
            if is_of_history(appeal) {
                let held = self.world.handle(&given.handle, handle::Operation::Look).await?;
                if matches!(held, handle::Outcome::Held(holder) if holder.account != account) {
                    return Err(Code::PhoneInUse.into());
                }
                binds.push(self.candidate(account, &given)?);
            }
            proven = Some(given.handle);
        }
        // 3. One call to the account.
        let bound = binds.first().map(|bound| (bound.identifier.handle.clone(), bound.proof));
        let (_, outcome) = self.at_appeal(from, CaseStep::Complete { proven, binds }, true).await?;
        if let (Outcome::SignedIn { claim: Some(claim), .. }, Some((handle, proof))) = (&outcome, bound) {
            let claimed = self.claim_and_settle(account, &handle, *claim, proof).await;
            self.pass_over(claimed);
        }
        match outcome {
            outcome @ Outcome::SignedIn { .. } => self.signed_in(account, outcome, None),
            Outcome::ProofFailed => Err(Code::ProofFailed.into()),
            Outcome::Frozen => Err(Code::AccountFrozen.into()),
            outcome => self.case_of_outcome(account, outcome).and(Err(UNEXPECTED_OUTCOME.into())),
        }
    }

    /// A text of ours that is not over. Forged and expired ones die here.
    pub(super) fn read_case_ref(&self, id: &str) -> Result<CaseRef, Failure> {
        let case = CaseRef::read(&self.settings.sealing, id);
        case.filter(|case| self.world.now() < case.until).ok_or_else(|| Code::NotFound.into())
    }

    pub(super) fn case_view(&self, account: AccountId, case: Case) -> Result<CaseView, Fault> {
        let id = CaseRef { account, id: case.id, until: case.until() }.write(&self.settings.sealing)?;
        Ok(CaseView { id, case })
    }

    pub(super) fn case_of_outcome(&self, account: AccountId, outcome: Outcome) -> Result<CaseView, Failure> {
        match outcome {
            Outcome::Case(case) => Ok(self.case_view(account, *case)?),
            Outcome::NotFound => Err(Code::NotFound.into()),
            Outcome::CaseDecided | Outcome::Full => Err(conflict()),
            Outcome::NeedsKey => Err(needs_key()),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    async fn at_appeal(
        &self,
        from: &Appealing<'_>,
        step: CaseStep,
        proves: bool,
    ) -> Result<(AccountId, Outcome), Failure> {
        let CaseRef { account, id: case, .. } = self.read_case_ref(from.id)?;
        let token = self.token_digest(from.device_token).ok_or(Code::NotFound)?;
        let key = match from.proof.filter(|_| proves) {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        let rules = self.settings.account_rules();
        let at = AtCase { account, case, by: CaseCaller::Device { token, key }, step, rules };
        Ok((account, self.world.account(account, Operation::AtCase(Box::new(at))).await?))
    }
}

/// Whether who appeals must prove a number at the end.
fn needs_number(appeal: &Appeal) -> bool {
    is_of_history(appeal) || appeal.waits.sign_in.number.is_some()
}

/// Whether they came by a number that the account has no more.
fn is_of_history(appeal: &Appeal) -> bool {
    appeal.waits.reason == Reason::HistoricalNumber
}

/// The case does not stand so.
pub(super) fn conflict() -> Failure {
    Code::CaseConflict.into()
}
