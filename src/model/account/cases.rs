//! The cases of an account: how people decide them, and how they end.

use serde::{Deserialize, Serialize};

use super::{Account, Candidate, Outcome, Rules};
use crate::{
    kernel::{
        id::{AccountId, CaseId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        case::{Case, MOST_IMAGES, Matter, State, Vote},
        device_key::ProvenKey,
        handle::HandleName,
        notice::NoticeKind,
        outbox::{Message, Outbox},
        step_up::StepUp,
    },
};

/// What is asked of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtCase {
    /// The account.
    pub account: AccountId,
    /// Which of its cases.
    pub case: CaseId,
    /// By whom.
    pub by: CaseCaller,
    /// What.
    pub step: CaseStep,
    /// Rules in force.
    pub rules: Rules,
}

/// Who asks about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseCaller {
    /// One of those who help people.
    Staff,
    /// The device on which the appeal was made.
    Device {
        /// Digest of its token.
        token: String,
        /// The key that was proven with it.
        key: Option<ProvenKey>,
    },
}

/// What is wanted of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// How far is it?
    Look,
    /// One of those who help people decides.
    Decide {
        /// Who, as the audit log names them.
        by: String,
        /// By which key, by its digest.
        key: String,
        /// Whether they grant it.
        grants: bool,
        /// Why, sealed for the account.
        reason: Sealed,
    },
    /// An image is about to be kept under this key.
    AddImage(String),
    /// It was granted: whoever made the appeal comes in.
    Complete {
        /// The number that was just proven.
        proven: Option<HandleName>,
        /// A number to be the account's.
        binds: Vec<Candidate>,
    },
}

impl Account {
    /// What is asked of a case.
    pub(super) fn at_case(&mut self, at: &AtCase, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        let Some(known) = self.cases.iter_mut().find(|known| known.id == at.case && now < known.until())
        else {
            return Outcome::NotFound;
        };
        // Those who help people decide and do not come in; whoever waits comes in and does not decide.
        let is_theirs = match at.step {
            CaseStep::Look => true,
            CaseStep::Decide { .. } => at.by == CaseCaller::Staff,
            CaseStep::AddImage(_) | CaseStep::Complete { .. } => at.by != CaseCaller::Staff,
        };
        // Whose friends were asked is nobody's business but the owner's.
        let is_private = at.by == CaseCaller::Staff && matches!(known.matter, Matter::Friends(_));
        if !is_theirs || is_private {
            return Outcome::NotFound;
        }
        if let CaseCaller::Device { token, key } = &at.by {
            let is_its = |(waits, _): (&StepUp, bool)| waits.device_token == *token;
            if !known.matter.waits().is_some_and(is_its) {
                return Outcome::NotFound;
            }
            // What only tells how far it is may be asked without.
            if at.step != CaseStep::Look
                && let Matter::Appeal(appeal) = &mut known.matter
                && let Some(bound) = &mut appeal.waits.key
                && !key.as_ref().is_some_and(|proven| bound.is_proven_by(proven, now))
            {
                return Outcome::NeedsKey;
            }
        }
        match &at.step {
            CaseStep::Look => Outcome::Case(known.clone().into()),
            CaseStep::Decide { by, key, grants, reason } => {
                let (by, key, reason) = (by.clone(), key.clone(), reason.clone());
                self.decide_case(at, Vote { by, key, at: now, grants: *grants, reason }, now, outbox)
            }
            CaseStep::AddImage(key) => match &mut known.matter {
                Matter::Appeal(appeal) if known.state == State::Open => {
                    if appeal.images.len() >= MOST_IMAGES {
                        return Outcome::Full;
                    }
                    appeal.images.push(key.clone());
                    Outcome::Case(known.clone().into())
                }
                _ => Outcome::CaseDecided,
            },
            CaseStep::Complete { proven, binds } => {
                self.complete_appeal(at, proven.as_ref(), binds, now, outbox)
            }
        }
    }

    fn decide_case(&mut self, at: &AtCase, vote: Vote, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        // It may have come to hold money since.
        let profile = self.profile(&at.rules);
        let Some(known) = self.cases.iter_mut().find(|known| known.id == at.case) else {
            return Outcome::NotFound;
        };
        let before = known.state;
        known.weigh(profile);
        if known.decide(vote, now).is_err() {
            return Outcome::CaseDecided;
        }
        let (decided, is_objection) = (known.clone(), matches!(known.matter, Matter::Objection(_)));
        if decided.state != before {
            if is_objection && !decided.is_open() {
                self.overrule(decided.id);
            }
            self.announce(&decided, at.account, NoticeKind::AppealDecided, &at.rules, now, outbox);
        }
        // One that counts at once, and one whose day is over by now.
        self.carry_out_objections(now, outbox);
        let known = self.cases.iter().find(|known| known.id == at.case);
        known.map_or(Outcome::NotFound, |known| Outcome::Case(known.clone().into()))
    }

    /// Opens a case. The owner hears of what somebody else does, and the queue of what people decide.
    pub(super) fn open_case(
        &mut self,
        case: Case,
        account: AccountId,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        self.cases.push(case.clone());
        match &case.matter {
            Matter::Objection(_) => self.show(&case, account, now, outbox),
            Matter::Friends(_) => self.tell(NoticeKind::FriendsAsked, account, None, rules, now, outbox),
            Matter::Appeal(_) => {
                self.announce(&case, account, NoticeKind::AppealOpened, rules, now, outbox);
                if case.state != State::Open {
                    self.tell(NoticeKind::AppealDecided, account, None, rules, now, outbox);
                }
            }
        }
        Outcome::Case(case.into())
    }

    /// Tells the owner, and the queue.
    pub(super) fn announce(
        &mut self,
        case: &Case,
        account: AccountId,
        kind: NoticeKind,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        self.tell(kind, account, None, rules, now, outbox);
        self.show(case, account, now, outbox);
    }

    /// Tells the queue of those who help people.
    pub(super) fn show(&self, case: &Case, account: AccountId, now: Timestamp, outbox: &mut Outbox) {
        outbox.post(Message::IndexCase(case.row(account, false, now)), now);
    }

    /// Drops those that are over, or all of them, and what was kept with them.
    pub(super) fn drop_cases(&mut self, all: bool, now: Timestamp, outbox: &mut Outbox) {
        for case in self.cases.extract_if(.., |known| all || known.until() <= now) {
            let account = match &case.matter {
                Matter::Friends(_) => continue,
                Matter::Objection(objection) => objection.account,
                Matter::Appeal(appeal) => {
                    if !appeal.images.is_empty() {
                        outbox.post(Message::DropImages { keys: appeal.images.clone() }, now);
                    }
                    appeal.waits.sign_in.account
                }
            };
            if case.is_open() {
                outbox.post(Message::IndexCase(case.row(account, true, now)), now);
            }
        }
    }

    /// When a case changes by itself.
    pub(super) fn cases_change(&self) -> Option<Timestamp> {
        let ends = self.cases.iter().map(Case::until);
        ends.chain(self.objections_due()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        AtTicket, Operation, Plea, Step,
        tests::{RULES, from_text, sign_in},
    };
    use super::*;
    use crate::model::{object::Machine, owner_proof::MEDIUM};

    /// Somebody who waits at a protected account has appealed.
    fn appealed() -> (Account, AtCase) {
        let (mut account, mut outbox) = (Account::default(), Outbox::default());
        let now = Timestamp::from_secs(0);
        account.apply(Operation::SignIn(Box::new(sign_in(1, None))), now, &mut outbox);
        (account.protected, account.devices[0].trusted_since) = (Some(true), Some(now));
        let sign_in = sign_in(2, None);
        let (id, token) = (sign_in.account, sign_in.new_device.1.clone());
        let Outcome::Waits(waiting) = account.apply(Operation::SignIn(Box::new(sign_in)), now, &mut outbox)
        else {
            panic!("nobody waits");
        };
        assert_eq!(waiting.need, MEDIUM);
        let case = CaseId::from_bytes([7; 16]);
        let plea =
            Plea { case, told: from_text("told"), numbers: Vec::new(), month: None, models: Vec::new() };
        let at = AtTicket {
            account: id,
            ticket: waiting.ticket,
            presented_token: token.clone(),
            key: None,
            looks_again: false,
            step: Step::Appeal(Box::new(plea)),
            rules: RULES,
        };
        let made = account.apply(Operation::AtTicket(Box::new(at)), now, &mut outbox);
        assert!(matches!(made, Outcome::Case(case) if case.state == State::Open));
        let by = CaseCaller::Device { token, key: None };
        (account, AtCase { account: id, case, by, step: CaseStep::Look, rules: RULES })
    }

    #[test]
    fn who_waits_does_not_decide_and_who_decides_does_not_come_in() {
        let (mut account, device) = appealed();
        let staff = AtCase { by: CaseCaller::Staff, ..device.clone() };
        let grants = CaseStep::Decide {
            by: "anna".to_owned(),
            key: "k".to_owned(),
            grants: true,
            reason: from_text("reason"),
        };
        let completes = CaseStep::Complete { proven: None, binds: Vec::new() };
        let mut take = |at: AtCase| {
            let now = Timestamp::from_secs(60);
            account.apply(Operation::AtCase(Box::new(at)), now, &mut Outbox::default())
        };
        assert_eq!(take(AtCase { step: grants.clone(), ..device.clone() }), Outcome::NotFound);
        assert!(matches!(take(device.clone()), Outcome::Case(case) if case.votes.is_empty()));
        assert!(matches!(take(AtCase { step: grants, ..staff.clone() }), Outcome::Case(_)));
        assert_eq!(take(AtCase { step: completes, ..staff }), Outcome::NotFound);
        assert!(matches!(take(device), Outcome::Case(case) if matches!(case.state, State::Granted(_))));
    }
}
