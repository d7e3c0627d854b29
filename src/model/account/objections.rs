//! The owner objects to losing the number: while somebody waits for it, or within a week after it went.
//!
//! Given back, it is claimed as anything that is bound is. Its handle decides: it goes from the account that got it from
//! here, and from no third one. The case stands as granted until its word has come.

use super::{Account, Candidate, FormerNumber, Identifier, Outcome, Rules, act::Hand};
use crate::{
    kernel::{
        id::{AccountId, CaseId},
        time::Timestamp,
    },
    model::{
        case::{Case, Matter, Objection, Rival, State},
        handle::{HandleName, Parting, Proof},
        login::Method,
        outbox::{Message, Outbox},
        recycling::OBJECTION_AFTER,
    },
};

/// Objections kept; the oldest that is decided gives way.
const OBJECTIONS: usize = 8;

impl Account {
    /// Objects, on a device that can speak for the owner. Said again it is the same case.
    pub(super) fn object(
        &mut self,
        (id, rival): (CaseId, Option<Rival>),
        by: Hand,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        // 1. To what? To nothing twice: what was decided stays so.
        let waits = self.number_claim.as_ref().filter(|claim| now < claim.until);
        let waits = waits.and_then(|claim| {
            let known = self.identifiers.iter().find(|known| known.handle == claim.handle)?;
            Some((claim.id, (claim.handle.clone(), known.value.clone()), claim.requested_at, None))
        });
        let lost = self.lost_number(now);
        let lost = lost.map(|lost| (id, (lost.handle.clone(), lost.value.clone()), lost.until, rival));
        let Some((id, (handle, value), since, rival)) = waits.or(lost) else { return Outcome::NotFound };
        if !self.has_standing(by.device, rules, now) {
            return Outcome::NeedsStanding;
        }
        // But where a third one had it by then, who was not known to those who decided.
        let is_it = |known: &&Case| match &known.matter {
            Matter::Objection(objection) => {
                objection.handle == handle && since <= known.opened_at && known.state != State::Gone
            }
            _ => false,
        };
        if let Some(known) = self.cases.iter().find(is_it) {
            return Outcome::Case(known.clone().into());
        }
        // 2. Room for it.
        let is_objection = |known: &Case| matches!(known.matter, Matter::Objection(_));
        if self.cases.iter().filter(|known| is_objection(known)).count() >= OBJECTIONS {
            let spare = self.cases.iter().position(|known| is_objection(known) && !known.is_open());
            let Some(spare) = spare else { return Outcome::Limited { retry_after: 86_400 } };
            self.cases.remove(spare);
        }
        // 3. Nobody gets the number while people decide.
        if let Some(claim) = self.number_claim.as_mut().filter(|claim| claim.id == id) {
            claim.objected_at = Some(now);
        }
        let matter = Matter::Objection(Objection { account: by.account, handle, value, rival });
        let profile = self.profile(rules);
        let case = Case { id, opened_at: now, state: State::Open, profile, votes: Vec::new(), matter };
        self.open_case(case, by.account, rules, now, outbox)
    }

    /// The number that went to somebody else, while the owner can object.
    fn lost_number(&self, now: Timestamp) -> Option<&FormerNumber> {
        let lost = self.former_numbers.iter().rev().find(|known| known.cause == Parting::Reassigned);
        lost.filter(|lost| now.since(lost.until) < OBJECTION_AFTER && !self.is_led_to_by(&lost.handle))
    }

    /// An objection was refused: what it stopped goes on.
    pub(super) fn overrule(&mut self, id: CaseId) {
        if let Some(claim) = self.number_claim.as_mut().filter(|claim| claim.id == id) {
            claim.objected_at = None;
        }
    }

    /// Objections that were granted, once their time has come: nobody waits for the number any more, or it comes back.
    pub(super) fn carry_out_objections(&mut self, now: Timestamp, outbox: &mut Outbox) {
        let is_due = |known: &&Case| matches!(known.state, State::Granted(from) if from <= now);
        let due: Vec<Case> = self.cases.iter().filter(is_due).cloned().collect();
        for case in due {
            let Matter::Objection(objection) = &case.matter else { continue };
            // The claim itself is carried out no more. One that was all the same has taken the number along.
            self.number_claim.take_if(|claim| claim.id == case.id);
            match self.identifiers.iter().find(|known| known.handle == objection.handle) {
                Some(known) if known.claiming => {}
                Some(_) => self.end_objection(case.id, State::Done, now, outbox),
                None => self.take_number_back(objection, now, outbox),
            }
        }
    }

    /// When the next of them is. What is on its way needs nobody to wake it.
    pub(super) fn objections_due(&self) -> impl Iterator<Item = Timestamp> {
        let is_claiming = |handle: &HandleName| {
            self.identifiers.iter().any(|known| known.handle == *handle && known.claiming)
        };
        self.cases.iter().filter_map(move |known| match (&known.matter, known.state) {
            (Matter::Objection(objection), State::Granted(from)) => {
                (!is_claiming(&objection.handle)).then_some(from)
            }
            _ => None,
        })
    }

    /// The number's handle has decided whether it comes back. Heard again, it changes nothing.
    pub(super) fn settle_return(
        &mut self,
        handle: &HandleName,
        (claim, is_back): (u64, bool),
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let is_it = |known: &Identifier| known.handle == *handle && known.claiming && known.claim == claim;
        if !self.identifiers.iter().any(is_it) {
            return;
        }
        self.settle_claim(handle, (claim, is_back), account, rules, now, outbox);
        let state = if is_back { State::Done } else { State::Gone };
        let is_about = |known: &Case| match &known.matter {
            Matter::Objection(objection) => {
                objection.handle == *handle && matches!(known.state, State::Granted(from) if from <= now)
            }
            _ => false,
        };
        let ended: Vec<CaseId> =
            self.cases.iter().filter(|known| is_about(known)).map(|known| known.id).collect();
        for id in ended {
            self.end_objection(id, state, now, outbox);
        }
    }

    fn end_objection(&mut self, id: CaseId, state: State, now: Timestamp, outbox: &mut Outbox) {
        let Some(case) = self.cases.iter_mut().find(|known| known.id == id) else { return };
        case.state = state;
        let ended = case.clone();
        if let Matter::Objection(Objection { account, .. }) = ended.matter {
            self.show(&ended, account, now, outbox);
        }
    }

    fn take_number_back(&mut self, objection: &Objection, now: Timestamp, outbox: &mut Outbox) {
        let Objection { account, handle, value, rival } = objection.clone();
        let (since, alias_of, claim) = (now, None, 0);
        let identifier =
            Identifier { handle: handle.clone(), value, since, alias_of, claim, claiming: false };
        let candidate = Candidate { identifier, proof: Some(NEVER) };
        if let Outcome::Claiming { claim } = self.begin_claim(&candidate, account, now, outbox) {
            let rival = rival.map(|rival| rival.account);
            outbox.post(Message::TakeBack { handle, account, claim, rival }, now);
        }
    }

    /// Another account has the number back: it goes, if it is the one that was meant.
    pub(super) fn give_back(
        &mut self,
        account: AccountId,
        handle: &HandleName,
        claim: u64,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        if self.identifiers.iter().any(|known| known.handle == *handle && known.claim == claim) {
            self.lose_number(handle, account, rules, now, outbox);
        }
    }
}

/// A proof that says nothing: as of a number that was imported without one.
pub const NEVER: Proof = Proof { at: Timestamp::from_secs(0), method: Method::Imported };
