//! What those who help people do with cases: see which are open, read one, decide it. Each read and each word is on record.

use super::{
    Failure, Service,
    appeals::CaseView,
    backend_access::Backend,
    sealed::{APPEAL, APPEAL_IMAGE, CASE_REASON, DEVICE_NAME},
};
use crate::{
    kernel::{fault::Fault, id::AccountId, phone::PhoneNumber, seal::open, secret::Secret, time::Timestamp},
    model::{
        account::{AtCase, CaseCaller, CaseStep, Operation},
        audit::{Action, AuditEntry},
        case::{CASE_STANDS, CaseRef, CaseRow, Matter, Vote},
        handle::PHONE,
        refusal::Code,
    },
    ports::World,
};

/// A case of the queue.
#[derive(Debug)]
pub struct Queued {
    /// Its number in the queue.
    pub number: u64,
    /// The text under which it is read and decided.
    pub id: String,
    /// As the queue has it.
    pub row: CaseRow,
}

/// A case, opened for who decides it.
#[derive(Debug)]
pub struct OpenedCase {
    /// The case.
    pub view: CaseView,
    /// Whose account it is about.
    pub account: AccountId,
    /// What was told, as the asker's client wrote it.
    pub told: Option<String>,
    /// What the device is called on which the appeal was made.
    pub device_name: Option<String>,
    /// The number that it is about.
    pub phone: Option<PhoneNumber>,
    /// What was said by those who decide, and why.
    pub votes: Vec<(Vote, String)>,
}

impl<W: World> Service<'_, W> {
    /// The cases of a state behind the one of that number, the oldest first; and behind which there may be more.
    ///
    /// # Errors
    /// [`Fault`]: not known.
    pub async fn queued_cases(
        &self,
        backend: &Backend,
        state: &str,
        after: u64,
        most: u32,
    ) -> Result<(Vec<Queued>, Option<u64>), Failure> {
        let rows = self.world.cases(state, after, most).await?;
        let is_full = rows.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let last = rows.last().map(|(number, _)| *number).filter(|_| is_full);
        let mut queued = Vec::new();
        for (number, row) in rows {
            let CaseRow { account, id, opened_at, .. } = row;
            if self.is_account_within_reach(backend.mode, account).await? {
                let case = CaseRef { account, id, until: opened_at.plus(CASE_STANDS) };
                queued.push(Queued { number, id: case.write(&self.settings.sealing)?, row });
            }
        }
        Ok((queued, last))
    }

    /// Reads a case.
    ///
    /// # Errors
    /// `not_found`; a fault when the record cannot be written, and then nothing is read.
    pub async fn read_case(
        &self,
        id: &str,
        backend: &Backend,
        request_id: &str,
    ) -> Result<OpenedCase, Failure> {
        let case = self.case_in_reach(id, backend, Action::CaseRead, request_id).await?;
        let view = self.at_case(&case, CaseStep::Look).await?;
        let account = case.account;
        let (mut told, mut device_name, mut phone) = (None, None, None);
        match &view.case.matter {
            Matter::Appeal(appeal) => {
                let sign_in = &appeal.waits.sign_in;
                told = Some(self.open_text(account, APPEAL, &appeal.told)?);
                device_name = Some(self.open_text(account, DEVICE_NAME, &sign_in.profile.name)?);
                if sign_in.identifier.handle.kind() == PHONE {
                    phone = Some(self.open_phone(account, &sign_in.identifier.value)?);
                }
            }
            Matter::Objection(objection) => phone = Some(self.open_phone(account, &objection.value)?),
            Matter::Friends(_) => return Err(Code::NotFound.into()),
        }
        let votes = view.case.votes.iter();
        let votes = votes.map(|vote| Ok((vote.clone(), self.open_text(account, CASE_REASON, &vote.reason)?)));
        let votes = votes.collect::<Result<_, Fault>>()?;
        Ok(OpenedCase { view, account, told, device_name, phone, votes })
    }

    /// One of the images of an appeal, counted from 0.
    ///
    /// # Errors
    /// As [`Service::read_case`].
    pub async fn case_image(
        &self,
        id: &str,
        number: usize,
        backend: &Backend,
        request_id: &str,
    ) -> Result<Secret<Vec<u8>>, Failure> {
        let case = self.case_in_reach(id, backend, Action::CaseRead, request_id).await?;
        let view = self.at_case(&case, CaseStep::Look).await?;
        let key = match &view.case.matter {
            Matter::Appeal(appeal) => appeal.images.get(number),
            _ => None,
        };
        let sealed = self.world.image(key.ok_or(Code::NotFound)?).await?.ok_or(Code::NotFound)?;
        let context = super::sealed::context(case.account, APPEAL_IMAGE);
        Ok(open(&self.settings.sealing, &context, &sealed)?)
    }

    /// Decides a case, as far as one can.
    ///
    /// # Errors
    /// As [`Service::read_case`]; `case_conflict` once it was decided otherwise.
    pub async fn decide_case(
        &self,
        id: &str,
        grants: bool,
        reason: &str,
        backend: &Backend,
        request_id: &str,
    ) -> Result<CaseView, Failure> {
        let action = if grants { Action::CaseGrant } else { Action::CaseRefuse };
        let case = self.case_in_reach(id, backend, action, request_id).await?;
        let reason = self.seal_for(case.account, CASE_REASON, reason.as_bytes())?;
        let (by, key) = (backend.actor.clone(), backend.key.clone());
        self.at_case(&case, CaseStep::Decide { by, key, grants, reason }).await
    }

    /// A case that the backend has to do with; what is done with it is on record first.
    async fn case_in_reach(
        &self,
        id: &str,
        backend: &Backend,
        action: Action,
        request_id: &str,
    ) -> Result<CaseRef, Failure> {
        let case = self.read_case_ref(id)?;
        if !self.is_account_within_reach(backend.mode, case.account).await? {
            return Err(Code::NotFound.into());
        }
        let (at, actor): (Timestamp, _) = (self.world.now(), backend.actor.clone());
        let (subject, request) = (case.id.to_string(), request_id.to_owned());
        self.world.audit(AuditEntry { at, actor, action, subject, request }).await?;
        Ok(case)
    }

    async fn at_case(&self, case: &CaseRef, step: CaseStep) -> Result<CaseView, Failure> {
        let (account, rules) = (case.account, self.settings.account_rules());
        let at = AtCase { account, case: case.id, by: CaseCaller::Staff, step, rules };
        let outcome = self.world.account(account, Operation::AtCase(Box::new(at))).await?;
        self.case_of_outcome(account, outcome)
    }
}
