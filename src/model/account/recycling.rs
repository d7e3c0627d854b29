//! The account's number in other hands: whether who proves it is let in, and how the account parts with it.
//!
//! Who proves the number and says that the account is not theirs gets it: the account keeps everything else. An owner
//! who can be heard is heard first: such a claim waits, and whoever makes it has an account of their own meanwhile.

use serde::{Deserialize, Serialize};

use super::{Account, AtTicket, End, Outcome, Rules, SignIn};
use crate::{
    kernel::{
        id::{AccountId, CaseId, DeviceId},
        time::Timestamp,
    },
    model::{
        case::{CASE_STANDS, State},
        device::Trust,
        evidence::Evidence,
        handle::{HandleName, Parting},
        login::Method,
        login_history::{EventKind, Place},
        notice::NoticeKind,
        outbox::Outbox,
        recycling::{ACTIVE, Facts, OBJECTION_BEFORE, Verdict, decide, word_stops_claim},
        session::Session,
        step_up::{Reason, StepUp},
    },
};

/// What the handle of a number knows of it when somebody proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFacts {
    /// When it was proven before.
    pub last_proof: Timestamp,
    /// What carriers and registers say since then; `None`: they were not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Somebody else has the number now, and waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberClaim {
    /// Its id.
    pub id: CaseId,
    /// The number's handle, which leads here still.
    pub handle: HandleName,
    /// The account that gets it, which waits without a number; `None`: whoever claimed it has an account of their own, and
    /// brings it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heir: Option<AccountId>,
    /// When it was claimed.
    pub requested_at: Timestamp,
    /// From then on whoever proves the number gets it.
    pub effective_at: Timestamp,
    /// It is forgotten then.
    pub until: Timestamp,
    /// The owner has objected: those who help people decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objected_at: Option<Timestamp>,
}

/// Somebody who is signed in to an account of their own has proven the number of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contest {
    /// This one.
    pub account: AccountId,
    /// The number's handle, which leads here.
    pub handle: HandleName,
    /// What it knows of the number.
    pub number: NumberFacts,
    /// Theirs.
    pub theirs: AccountId,
    /// Under what it is kept if the owner is heard first.
    pub case: CaseId,
    /// They have said that this account is not theirs.
    pub not_mine: bool,
    /// Rules in force.
    pub rules: Rules,
}

/// A number that was proven, on a device that the account knows so well.
struct Brought<'a> {
    account: AccountId,
    handle: &'a HandleName,
    number: NumberFacts,
    device: Option<Trust>,
    rules: &'a Rules,
}

impl NumberClaim {
    /// Who waits for it still, and since when.
    pub(super) fn waiting(self, now: Timestamp) -> Option<(AccountId, Timestamp)> {
        self.heir.filter(|_| now < self.until).map(|heir| (heir, self.requested_at))
    }

    fn stands(&self, handle: &HandleName, now: Timestamp) -> bool {
        self.handle == *handle && now < self.until
    }
}

impl Account {
    /// Why who proved the number must wait, if they must; the error: they are not let in by it at all.
    pub(super) fn number_says(
        &mut self,
        sign_in: &SignIn,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Result<Option<Reason>, Box<Outcome>> {
        let (Some(number), Some(_)) = (sign_in.number, &self.created) else { return Ok(None) };
        let handle = &sign_in.identifier.handle;
        let device = self.devices.iter().find(|known| known.is(&sign_in.presented)).map(|known| known.id);
        // Who shows a key with the token of a device that has none may have copied the token.
        let device = device.filter(|_| !self.adds_key(&sign_in.presented));
        let (account, rules) = (sign_in.account, &sign_in.rules);
        let device = device.map(|device| self.trust_of(device, rules, now));
        self.weigh(&Brought { account, handle, number, device, rules }, now, outbox)
    }

    /// Who is signed in elsewhere has proven the number: it goes to them by the same rule, and they never come in here.
    pub(super) fn contest(&mut self, contest: &Contest, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Contest { account, handle, number, theirs, case, not_mine, rules } = contest;
        if self.created.is_none() {
            return Outcome::Full;
        }
        if !self.is_led_to_by(handle) {
            return self.not_mine(handle);
        }
        let brought = Brought { account: *account, handle, number: *number, device: None, rules };
        match self.weigh(&brought, now, outbox) {
            Err(outcome) => *outcome,
            Ok(None) => Outcome::Full,
            // It went just now.
            Ok(Some(Reason::NumberRecycled)) => self.not_mine(handle),
            // Who waits for it has said so before.
            Ok(Some(_))
                if !not_mine
                    && self.claim_of(handle, now).is_none_or(|claim| claim.heir != Some(*theirs)) =>
            {
                Outcome::MayBeRecycled
            }
            Ok(Some(_)) => match self.give_up_number((*account, handle, rules), (*case, None), now, outbox) {
                None => self.not_mine(handle),
                Some(claim) => Outcome::NumberClaimed(claim.into()),
            },
        }
    }

    fn weigh(
        &mut self,
        brought: &Brought<'_>,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Result<Option<Reason>, Box<Outcome>> {
        let Brought { account, handle, number, device, rules } = *brought;
        let facts = self.facts_of(handle, number, device, rules, now);
        let verdict = decide(&facts);
        // A claim that nobody objected to in time is carried out by whoever brings a fresh proof of the number, unless the
        // carrier, asked once more, says that it was not sold. So is one that the carrier's word bears out, or whose
        // owner has left.
        let claim = self.claim_of(handle, now).filter(|claim| claim.objected_at.is_none());
        let is_due = |claim: &NumberClaim| match verdict {
            Verdict::Owner | Verdict::AskCarrier => false,
            Verdict::AskPerson if self.closing.is_some() => true,
            Verdict::AskPerson => claim.effective_at <= now && !word_stops_claim(&facts),
            Verdict::Recycled => true,
        };
        if claim.is_some_and(is_due) {
            self.lose_number(handle, account, rules, now, outbox);
            return Err(self.not_mine(handle).into());
        }
        match verdict {
            Verdict::Owner => Ok(None),
            Verdict::AskCarrier => {
                let name = self.verified.as_ref().map(|verified| verified.name.clone());
                Err(Outcome::NeedsEvidence { name }.into())
            }
            Verdict::AskPerson => Ok(Some(Reason::NumberMayBeRecycled)),
            Verdict::Recycled => {
                self.lose_number(handle, account, rules, now, outbox);
                Ok(Some(Reason::NumberRecycled))
            }
        }
    }

    /// Whether a number that was just proven on a device of the account speaks for its owner.
    pub(super) fn number_speaks(
        &self,
        handle: &HandleName,
        number: NumberFacts,
        device: DeviceId,
        rules: &Rules,
        now: Timestamp,
    ) -> bool {
        let trust = self.trust_of(device, rules, now);
        decide(&self.facts_of(handle, number, Some(trust), rules, now)) == Verdict::Owner
    }

    fn facts_of(
        &self,
        handle: &HandleName,
        number: NumberFacts,
        device: Option<Trust>,
        rules: &Rules,
        now: Timestamp,
    ) -> Facts {
        Facts {
            last_proof: Some(now.since(self.last_proof_of(handle, number.last_proof))),
            device,
            evidence: number.evidence,
            profile: self.profile(rules),
            is_claimed: self.claim_of(handle, now).is_some(),
        }
    }

    /// Who proved the number says that the account is not theirs: it goes at once, or after the owner could object.
    fn give_up_number(
        &mut self,
        (account, handle, rules): (AccountId, &HandleName, &Rules),
        (id, heir): (CaseId, Option<AccountId>),
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Option<NumberClaim> {
        if !self.is_led_to_by(handle) {
            self.awaits.take_if(|awaited| awaited == handle);
            return None;
        }
        // Claimed again it neither waits anew nor is told anew.
        if let Some(claim) = self.number_claim.as_mut().filter(|claim| claim.stands(handle, now)) {
            claim.heir = claim.heir.or(heir);
            return Some(claim.clone());
        }
        if !self.was_active(rules, now) {
            self.lose_number(handle, account, rules, now, outbox);
            return None;
        }
        let claim = NumberClaim {
            id,
            handle: handle.clone(),
            heir,
            requested_at: now,
            effective_at: now.plus(OBJECTION_BEFORE),
            until: now.plus(CASE_STANDS),
            objected_at: None,
        };
        self.number_claim = Some(claim.clone());
        self.tell(NoticeKind::NumberClaimed, account, None, rules, now, outbox);
        Some(claim)
    }

    /// Whoever waits says whether the account is theirs; `None`: it is, and must be proven.
    pub(super) fn choose(
        &mut self,
        at: &AtTicket,
        mine: bool,
        (case, heir): (CaseId, AccountId),
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Option<Outcome> {
        let step_up = self.step_ups.find(at.ticket, now)?;
        let is_open = step_up.approved().is_none();
        match (mine, step_up.reason) {
            (true, Reason::NumberMayBeRecycled) if !step_up.not_mine => return None,
            (false, reason) if reason.is_of_number() && (is_open || step_up.not_mine) => {}
            _ => return Some(Outcome::NotOffered),
        }
        step_up.carried_out = true;
        let is_repeat = std::mem::replace(&mut step_up.not_mine, true);
        let sign_in = SignIn { rules: at.rules, ..step_up.sign_in.clone() };
        let handle = &sign_in.identifier.handle;
        // The owner has come with it meanwhile.
        if is_repeat && self.is_led_to_by(handle) && self.claim_of(handle, now).is_none() {
            return Some(Outcome::TicketInvalid);
        }
        let claim =
            self.give_up_number((sign_in.account, handle, &at.rules), (case, Some(heir)), now, outbox);
        Some(Outcome::GivenUp { sign_in: sign_in.into(), claim })
    }

    /// The owner has the number after all: nobody waits for it any more, nor is anybody asked about it.
    pub(super) fn keep_number(&mut self, handle: &HandleName) {
        self.number_claim.take_if(|claim| claim.handle == *handle);
        let is_of_it =
            |step_up: &StepUp| step_up.reason.is_of_number() && step_up.sign_in.identifier.handle == *handle;
        self.step_ups.drop_those(&is_of_it);
        self.end_asking(State::Refused, &is_of_it);
    }

    /// When the number was last proven: its handle may not have heard of the last sign-in yet.
    fn last_proof_of(&self, handle: &HandleName, known: Timestamp) -> Timestamp {
        let since = self.identifiers.iter().find(|known| known.handle == *handle).map(|known| known.since);
        let by_number =
            |session: &&Session| matches!(session.method, Method::OneTap | Method::NumberCheck | Method::Otp);
        let proven = self.sessions.iter().filter(by_number).map(|session| session.created_at);
        proven.filter(|at| since.is_some_and(|since| since <= *at)).fold(known, Timestamp::max)
    }

    /// Whether somebody has proven the account's number of whom nobody knows if they are the owner: who claims it, or appeals
    /// because of it. What is sent to it then may be read by anybody.
    pub(super) fn number_is_in_doubt(&self, now: Timestamp) -> bool {
        let Some(phone) = self.phone() else { return false };
        let is_since = |at: Timestamp| self.last_proof_of(&phone.handle, at) <= at;
        let by_case =
            self.cases.iter().filter(|known| known.state != State::Done && is_since(known.opened_at));
        let by_case =
            by_case.filter_map(|known| known.matter.waits()).any(|(waits, _)| waits.reason.is_of_number());
        by_case || self.claim_of(&phone.handle, now).is_some_and(|claim| is_since(claim.requested_at))
    }

    fn claim_of(&self, handle: &HandleName, now: Timestamp) -> Option<&NumberClaim> {
        self.number_claim.as_ref().filter(|claim| claim.stands(handle, now))
    }

    /// Whether its owner was there lately, on a device that is known to be theirs, and has not left.
    fn was_active(&self, rules: &Rules, now: Timestamp) -> bool {
        self.closing.is_none()
            && self.devices.iter().any(|known| {
                let last = Timestamp::from_secs(known.usage.last_day.saturating_mul(86_400));
                self.trust_of(known.id, rules, now) != Trust::New && now.since(last) <= ACTIVE
            })
    }

    /// The number goes, and with it everybody who may have come in by it alone.
    pub(super) fn lose_number(
        &mut self,
        handle: &HandleName,
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        self.tell(NoticeKind::NumberReassigned, account, None, rules, now, outbox);
        self.part_with(handle, Parting::Reassigned, account, now, outbox);
        self.keep_number(handle);
        self.awaits.take_if(|awaited| awaited == handle);
        let strange: Vec<_> = self.devices.iter().map(|known| known.id).collect();
        let strange: Vec<_> =
            strange.into_iter().filter(|device| !self.has_standing(*device, rules, now)).collect();
        let end = End { kind: EventKind::Ended, place: &Place::default(), rules, now };
        self.end_sessions(&end, outbox, &|known| strange.contains(&known.device));
        // What was proven by the number is proven no more.
        self.forget_proofs();
    }
}
