//! Somebody who waits and cannot prove enough appeals: what they tell is weighed by a rule, then by people. The owner hears
//! of it at once and can refuse it from any device of standing, until whoever made it has come in.

use serde::{Deserialize, Serialize};

use super::{Account, AtCase, AtTicket, Candidate, Outcome, Rules, SignIn, act::Hand, sign_in::Way};
use crate::{
    kernel::{id::CaseId, seal::Sealed, time::Timestamp},
    model::{
        case::{Appeal, CASE_STANDS, Case, Grounds, Matter, State, judge},
        handle::HandleName,
        notice::NoticeKind,
        outbox::Outbox,
        session::Session,
        step_up::{Reason, StepUp},
    },
};

/// What somebody who waits tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plea {
    /// Under what it is kept.
    pub case: CaseId,
    /// All of it, sealed for the account.
    pub told: Sealed,
    /// Numbers that they say the account had.
    pub numbers: Vec<HandleName>,
    /// The month (UTC) in which they say it was created, such as `2025-03`.
    pub month: Option<String>,
    /// Models of devices that they say were used.
    pub models: Vec<String>,
}

impl Account {
    /// Opens a case for a sign-in that waits; `None`: its device may come in as it is.
    pub(super) fn appeal(
        &mut self,
        at: &AtTicket,
        plea: &Plea,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Option<Outcome> {
        // 1. Made again, its answer was lost.
        if let Some(known) = self.cases.iter().find(|known| known.id == plea.case) {
            return Some(Outcome::Case(known.clone().into()));
        }
        let waits =
            self.step_ups.find(at.ticket, now).filter(|known| known.approved() != Some(true))?.clone();
        // Who is signed in has nothing to appeal for.
        if waits.action.is_some() {
            return Some(Outcome::TicketInvalid);
        }
        // 2. Room for it. Strangers take none from the owner's devices, nor from who has proven what they cannot.
        let on_own_device = self.waits_on_own_device(&waits, &at.rules, now);
        if let Some(retry_after) = self.cases_are_full("appeal", (&waits, on_own_device), &at.rules, now) {
            return Some(Outcome::Limited { retry_after });
        }
        // 3. The rule.
        let profile = self.profile(&at.rules);
        let evidence = waits.sign_in.number.and_then(|number| number.evidence);
        let verdict = judge(&Grounds {
            proven: &waits.proven,
            need: waits.need,
            tells_truth: self.tells_truth(plea, &waits.sign_in),
            was_denied: waits.approved() == Some(false),
            carrier: match waits.reason {
                Reason::NumberRecycled => Some(crate::model::evidence::Reassignment::Reassigned),
                _ => evidence.map(|evidence| evidence.reassignment),
            },
            profile,
            is_guarded: self.protection_holds(&at.rules, now) || !waits.reason.doubts_the_person(),
        });
        let state = match verdict {
            None => State::Open,
            Some(true) => State::Granted(now),
            Some(false) => State::Refused,
        };
        let told = plea.told.clone();
        let matter = Matter::Appeal(Box::new(Appeal { waits, told, on_own_device, images: Vec::new() }));
        let case = Case { id: plea.case, opened_at: now, state, profile, votes: Vec::new(), matter };
        Some(self.open_case(case, at.account, &at.rules, now, outbox))
    }

    /// Whether it is what the account knows: a number before this one, and beside it a device or the month of its creation.
    fn tells_truth(&self, plea: &Plea, sign_in: &SignIn) -> bool {
        let had = |handle: &HandleName| {
            *handle != sign_in.identifier.handle
                && self.former_numbers.iter().any(|known| known.handle == *handle)
        };
        let created = self.created.map(|created| created.at.rfc3339()).unwrap_or_default();
        let knows_month = plea.month.as_ref().is_some_and(|month| created.starts_with(month.as_str()));
        let devices = self.devices.iter().filter(|known| !known.is(&sign_in.presented));
        let models: Vec<&String> = devices.filter_map(|known| known.profile.model.as_ref()).collect();
        let knows_model =
            plea.models.iter().any(|told| models.iter().any(|model| model.eq_ignore_ascii_case(told)));
        plea.numbers.iter().any(had) && (knows_month || knows_model)
    }

    /// Seconds until there is room for one more case of that kind; `None`: there is.
    pub(super) fn cases_are_full(
        &self,
        kind: &str,
        (waits, on_own_device): (&StepUp, bool),
        rules: &Rules,
        now: Timestamp,
    ) -> Option<u32> {
        let lane = |waits: &StepUp, is_own: bool| if is_own { 2 } else { u8::from(waits.stands_out()) };
        let (mut by_asker, mut by_all, mut is_asking, mut first) = (0_usize, 0_usize, false, now);
        for known in &self.cases {
            let Some((other, is_own)) = known.matter.waits() else { continue };
            if known.kind() != kind || lane(other, is_own) != lane(waits, on_own_device) {
                continue;
            }
            first = if by_all == 0 { known.opened_at } else { first };
            by_all = by_all.saturating_add(1);
            if other.sign_in.asker == waits.sign_in.asker {
                by_asker = by_asker.saturating_add(1);
                is_asking |= known.stands(now);
            }
        }
        let limits = rules.appeals;
        let is_full = is_asking || by_asker >= limits.by_asker || by_all >= limits.by_all;
        let wait = first.plus(CASE_STANDS).since(now).as_secs().max(1);
        is_full.then(|| u32::try_from(wait).unwrap_or(u32::MAX))
    }

    /// The owner refuses an appeal, or what friends say, on a device that can speak for them.
    pub(super) fn refuse_appeal(
        &mut self,
        id: CaseId,
        by: Hand,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        let may = self.has_standing(by.device, rules, now);
        let is_it = |known: &&mut Case| known.id == id && known.matter.waits().is_some();
        let Some(known) = self.cases.iter_mut().find(is_it) else { return Outcome::NotFound };
        match known.state {
            _ if !may => Outcome::NeedsStanding,
            State::Refused => Outcome::Done,
            State::Done | State::Gone => Outcome::CaseDecided,
            _ => {
                known.state = State::Refused;
                let refused = known.clone();
                // Friends were asked in vain: nobody decided anything but the owner.
                if matches!(refused.matter, Matter::Friends(_)) {
                    return Outcome::Done;
                }
                self.announce(&refused, by.account, NoticeKind::AppealDecided, rules, now, outbox);
                Outcome::Done
            }
        }
    }

    /// An appeal was granted, and whoever made it comes with what it takes: by the number they came by, proven anew, or by
    /// another one that becomes the account's.
    pub(super) fn complete_appeal(
        &mut self,
        at: &AtCase,
        proven: Option<&HandleName>,
        binds: &[Candidate],
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        // It may have come to hold money since it was granted.
        let profile = self.profile(&at.rules);
        let Some(known) = self.cases.iter_mut().find(|known| known.id == at.case) else {
            return Outcome::NotFound;
        };
        let before = known.state;
        known.weigh(profile);
        let known = known.clone();
        let Case { state, matter: Matter::Appeal(appeal), .. } = &known else { return Outcome::NotFound };
        if *state != before {
            self.show(&known, at.account, now, outbox);
        }
        let (waits, is_done) = (appeal.waits.clone(), *state == State::Done);
        if !is_done && !matches!(state, State::Granted(from) if *from <= now) {
            return Outcome::CaseDecided;
        }
        if self.is_closed() {
            return Outcome::Frozen;
        }
        let sign_in = SignIn { rules: at.rules, binds: binds.to_vec(), ..waits.sign_in };
        let handle = &sign_in.identifier.handle;
        let is_history = waits.reason == Reason::HistoricalNumber;
        // Whoever was signed out since does not come back by it; else the answer was lost.
        let is_first = |known: &Session| known.id == sign_in.session && known.generation() == 0;
        let may = match is_done {
            true => self.sessions.iter().any(is_first),
            false => {
                let led = is_history || self.may_lead_here(handle);
                let shown = is_history || sign_in.number.is_none() || proven == Some(handle);
                led && shown && self.has_password_of(&sign_in)
            }
        };
        if !may {
            return Outcome::ProofFailed;
        }
        if let Some(known) = self.cases.iter_mut().find(|known| known.id == at.case) {
            known.state = State::Done;
            let done = known.clone();
            self.show(&done, at.account, now, outbox);
        }
        let way = Way::Confirmed { token_issued: waits.token_issued };
        self.carry_out(&sign_in, way, now, outbox)
    }
}
