//! Sign-ins that wait: held, asked about, answered, and carried out once their device is confirmed.

use serde::{Deserialize, Serialize};

use super::{
    Account, End, Occasion, Outcome, Plea, Rules, SignIn, TrustedPhone,
    coming_back::proven_by,
    owner_proof::{AskFriends, Proof, Questions},
    sign_in::Way,
};
use crate::{
    kernel::{
        id::{AccountId, ApprovalId, CaseId, DeviceId, SessionId, TicketId, TrustedPhoneId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        device::{DeviceProfile, Trust},
        device_key::{DeviceKey, ProvenKey},
        handle::HandleName,
        login::Method,
        login_history::{EventKind, Place},
        notice::NoticeKind,
        outbox::Outbox,
        owner_proof::ProofKind,
        platform::Platform,
        session::Session,
        step_up::{Digits, Question, Reason, StepUp, Taken},
    },
};

/// What the device that waits asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtTicket {
    /// The account.
    pub account: AccountId,
    /// The ticket.
    pub ticket: TicketId,
    /// Digest of the device token that came with it.
    pub presented_token: String,
    /// The key that was proven with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ProvenKey>,
    /// The same request was here a moment ago, and proved its key then.
    #[serde(default)]
    pub looks_again: bool,
    /// What it wants.
    pub step: Step,
    /// Rules in force.
    pub rules: Rules,
}

/// What a device wants that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// How far is it?
    Look,
    /// Ask the trusted devices, in case no question stands.
    AskDevices(ApprovalId, Digits),
    /// Send a code to a trusted phone.
    AskPhone(TrustedPhoneId),
    /// The same to the one of that name, if there is one.
    AskNumber(HandleName),
    /// Send a code to the account's address.
    AskEmail,
    /// Something is about to be compared that could be guessed at.
    Try(ProofKind),
    /// It was proven.
    Prove(Proof),
    /// What can be asked about what happened in the account?
    BeginQuestions,
    /// Ask this.
    AskQuestions(Box<Questions>),
    /// The option chosen in a round, both counted from 0.
    AnswerQuestion {
        /// In which.
        round: usize,
        /// Which.
        option: usize,
    },
    /// Ask friends to vouch, in case nobody does yet.
    AskFriends(Box<AskFriends>),
    /// They cannot prove enough, and tell what they know.
    Appeal(Box<Plea>),
    /// Whether the account is theirs.
    Choose {
        /// It is.
        mine: bool,
        /// Else: the account that gets the number.
        heir: AccountId,
        /// Under what it is kept if that takes longer.
        case: CaseId,
    },
}

impl Step {
    /// What it begins to ask for.
    const fn asks_for(&self) -> Option<ProofKind> {
        match self {
            Self::AskDevices(..) => Some(ProofKind::DeviceApproval),
            Self::AskPhone(_) | Self::AskNumber(_) => Some(ProofKind::TrustedPhone),
            Self::AskEmail => Some(ProofKind::EmailCode),
            Self::BeginQuestions => Some(ProofKind::HistoryQuestions),
            _ => None,
        }
    }
}

/// A sign-in that waits, as its device may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The ticket.
    pub ticket: TicketId,
    /// Why.
    pub reason: Reason,
    /// The ticket is over then.
    pub until: Timestamp,
    /// The token of the device was issued with the ticket.
    pub token_issued: bool,
    /// What to show, and until when it can be answered.
    pub question: Option<(Digits, Timestamp)>,
    /// So much must be proven, in strengths of proofs.
    pub need: u8,
    /// What was proven.
    pub proven: Vec<ProofKind>,
    /// What can be proven beside that.
    pub offered: Vec<ProofKind>,
    /// Trusted phones that can be asked.
    pub by_phone: Vec<TrustedPhone>,
    /// The round of questions that is asked, counted from 0, and what is shown in it.
    pub round: Option<(usize, Sealed)>,
    /// The account's address, where it can be asked.
    pub email: Option<Sealed>,
    /// The name that the account was verified with, where it can be asked for; to be compared, not to be shown.
    pub name: Option<Sealed>,
    /// The case in which friends can still confirm: its id, its end, and until when they can.
    pub friends: Option<(CaseId, Timestamp, Timestamp)>,
    /// What whoever proved the number may see of the account: the name of its owner, and since when there is one.
    pub hints: Option<(Option<Sealed>, Timestamp)>,
    /// To which app somebody wants to sign in.
    pub app: String,
    /// On what kind of client.
    pub platform: Platform,
}

/// A question, as a trusted device may see it: not the digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its id.
    pub id: ApprovalId,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// For which app.
    pub app: String,
    /// How the number was proven.
    pub method: Method,
    /// What the device that waits says it is.
    pub profile: DeviceProfile,
    /// Where it is.
    pub place: Place,
}

impl Account {
    /// Lets a sign-in wait.
    pub(super) fn hold(
        &mut self,
        mut sign_in: SignIn,
        reason: Reason,
        now: Timestamp,
        outbox: &mut Outbox,
    ) -> Outcome {
        // Its owner shall see that somebody has the number, also when nothing follows.
        let rules = sign_in.rules;
        let end = End { kind: EventKind::Held, place: &sign_in.place, rules: &rules, now };
        self.remember_attempt(&sign_in, &end);
        let (kind, account, device) = (NoticeKind::SignInHeld, sign_in.account, self.device_of(&sign_in));
        let (session, device, app, rules) = (None, Some(device), &sign_in.app, &rules);
        self.notify(&Occasion { kind, account, session, device, app, rules, now }, outbox);
        // The ticket counts with the token that the device has; where it has none, with the one it gets now. Who asked
        // friends has the one they got then.
        let known = self.devices.iter().find(|known| known.is(&sign_in.presented));
        let got = sign_in.presented.token.clone();
        let got = got.filter(|token| known.is_none() && self.asks_friends_on(token, now));
        sign_in.new_device.1 = got.clone().unwrap_or(sign_in.new_device.1);
        let SignIn { presented, new_device, .. } = &sign_in;
        let has = |token: &&String| known.is_some_and(|known| known.has_token(token)) || got.is_some();
        let kept = presented.token.as_ref().filter(has);
        let step_up = StepUp {
            ticket: sign_in.ticket,
            reason,
            device_token: kept.unwrap_or(&new_device.1).clone(),
            key: presented.key.as_ref().map(DeviceKey::bind),
            token_issued: kept.is_none(),
            until: now.plus(sign_in.rules.patience.ticket),
            question: None,
            need: self.need(reason, rules, now),
            proven: proven_by(reason),
            questions: None,
            action: None,
            carried_out: false,
            not_mine: false,
            sign_in,
        };
        self.step_ups.tidy(now);
        let ticket = self.step_ups.hold(step_up).ticket;
        self.count_friends(ticket, now);
        self.waits_at(ticket, rules, now)
    }

    /// What the device that waits asks: starts a question, or sees how far it is. Once the device is confirmed, it is
    /// signed in by the same call.
    pub(super) fn at_ticket(&mut self, at: &AtTicket, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        // 1. The ticket, on the device it was given to.
        let known = self.step_ups.find(at.ticket, now);
        let Some(step_up) = known.filter(|known| known.device_token == at.presented_token) else {
            return Outcome::TicketInvalid;
        };
        if let Some(key) = step_up.key.as_mut().filter(|_| !at.looks_again)
            && !at.key.as_ref().is_some_and(|proven| key.is_proven_by(proven, now))
        {
            return Outcome::NeedsKey;
        }
        let not_mine = step_up.not_mine;
        self.count_friends(at.ticket, now);
        // 2. Whose account it is, if the number may be another's by now.
        if let Step::Choose { mine, heir, case } = at.step {
            if let Some(outcome) = self.choose(at, mine, (case, heir), now, outbox) {
                return outcome;
            }
        } else if not_mine {
            return Outcome::TicketInvalid;
        }
        // Nothing that is said of a closed account leads into it.
        if self.is_closed() && at.step != Step::Look {
            return Outcome::Frozen;
        }
        if let Step::Appeal(plea) = &at.step
            && let Some(outcome) = self.appeal(at, plea, now, outbox)
        {
            return outcome;
        }
        // 3. What is proven counts, unless somebody has decided.
        if let Some(outcome) = self.take_owner_proof(at, now) {
            return outcome;
        }
        // 4. Decided already?
        let Some(step_up) = self.step_ups.find(at.ticket, now) else { return Outcome::TicketInvalid };
        match step_up.approved() {
            Some(false) => return Outcome::ProofFailed,
            Some(true) => {
                let (sign_in, carried_out) = (step_up.sign_in.clone(), step_up.carried_out);
                if step_up.action.is_some() {
                    return self.confirm_action(at.ticket, now);
                }
                let confirmed = Way::Confirmed { token_issued: step_up.token_issued };
                step_up.carried_out = true;
                // Whoever was signed out since does not come back by the same ticket; and once the session has gone on,
                // the answer was not lost.
                let is_first = |known: &&Session| known.id == sign_in.session && known.generation() == 0;
                let is_over = carried_out && self.sessions.iter().find(is_first).is_none();
                // Nor does who waited longer than that lasted by which they came.
                let leads_here = self.may_lead_here(&sign_in.identifier.handle) || self.comes_back(&sign_in);
                let came_by = leads_here && self.has_password_of(&sign_in);
                return match is_over || (!carried_out && !came_by) {
                    true => Outcome::TicketInvalid,
                    false if self.is_closed() => Outcome::Frozen,
                    false => self.carry_out(&SignIn { rules: at.rules, ..sign_in }, confirmed, now, outbox),
                };
            }
            None => (),
        }
        // 5. The question, if it is one that can be asked.
        if let Some(kind) = at.step.asks_for() {
            let step_up = step_up.clone();
            if !self.offered(&step_up, &at.rules, now).contains(&kind) {
                return Outcome::NotFound;
            }
        }
        let Some(step_up) = self.step_ups.find(at.ticket, now) else { return Outcome::TicketInvalid };
        match &at.step {
            Step::AskPhone(id) => return self.ask_phone(at.ticket, &|phone| phone.id == *id, &at.rules, now),
            Step::AskFriends(asked) => return self.ask_friends(at, asked, now, outbox),
            Step::AskEmail => return self.ask_email(at.ticket, &at.rules, now),
            Step::BeginQuestions => return self.begin_questions(at.ticket, &at.rules, now),
            Step::AskQuestions(questions) => {
                return self.ask_questions(at.ticket, questions, &at.rules, now);
            }
            Step::AskNumber(name) => {
                return self.ask_phone(at.ticket, &|phone| phone.name == *name, &at.rules, now);
            }
            _ => {}
        }
        if let Step::AskDevices(id, digits) = at.step {
            let (patience, until) = (at.rules.patience, step_up.until);
            let app = step_up.sign_in.app.clone();
            let question = Question::new(id, digits, now, &patience, until);
            match self.step_ups.ask(at.ticket, question, patience.questions_an_hour) {
                Err(retry_after) => return Outcome::Limited { retry_after },
                Ok(false) => {}
                Ok(true) => {
                    let (kind, account) = (NoticeKind::ApprovalRequested, at.account);
                    let (session, device, app, rules) = (None, None, &app, &at.rules);
                    self.notify(&Occasion { kind, account, session, device, app, rules, now }, outbox);
                }
            }
        }
        self.waits_at(at.ticket, &at.rules, now)
    }

    fn waits_at(&mut self, ticket: TicketId, rules: &Rules, now: Timestamp) -> Outcome {
        match self.step_ups.find(ticket, now).cloned() {
            Some(step_up) => Outcome::Waits(self.waiting(&step_up, rules, now).into()),
            None => Outcome::TicketInvalid,
        }
    }

    /// The questions that a trusted device can answer.
    pub(super) fn approvals(&self, here: DeviceId, rules: &Rules, now: Timestamp) -> Outcome {
        if self.trust_of(here, rules, now) != Trust::Trusted {
            return Outcome::Forbidden;
        }
        let asks_another = |step_up: &StepUp| !self.waits_on(step_up, here);
        let open = self.step_ups.open(now).filter(|(step_up, _)| asks_another(step_up));
        let pending = open.map(|(step_up, question)| Pending {
            id: question.id,
            asked_at: question.asked_at,
            until: question.until,
            app: step_up.sign_in.app.clone(),
            method: step_up.sign_in.method,
            profile: step_up.sign_in.profile.clone(),
            place: step_up.sign_in.place.clone(),
        });
        Outcome::Approvals { pending: pending.collect() }
    }

    /// The answer of a trusted device.
    pub(super) fn answer(
        &mut self,
        (here, by): (DeviceId, SessionId),
        approval: ApprovalId,
        digits: Option<Digits>,
        end: &End<'_>,
        outbox: &mut Outbox,
    ) -> Outcome {
        if self.trust_of(here, end.rules, end.now) != Trust::Trusted {
            return Outcome::Forbidden;
        }
        // Nobody confirms themselves.
        if self.step_ups.asked_by(approval).is_some_and(|step_up| self.waits_on(step_up, here)) {
            return Outcome::NotFound;
        }
        let (taken, step_up) = self.step_ups.answer(approval, by, digits, end.now);
        match (taken, step_up) {
            (Taken::Ended, Some(step_up)) => {
                let denied = step_up.sign_in.clone();
                self.remember_attempt(
                    &denied,
                    &End { kind: EventKind::Denied, place: &denied.place, ..*end },
                );
                let occasion = Occasion {
                    kind: NoticeKind::ApprovalDenied,
                    account: denied.account,
                    session: None,
                    device: Some(self.device_of(&denied)),
                    app: &denied.app,
                    rules: end.rules,
                    now: end.now,
                };
                self.notify(&occasion, outbox);
                // A no does what was asked; entries that are wrong do not.
                if digits.is_none() { Outcome::Done } else { Outcome::ProofFailed }
            }
            (Taken::Counts, Some(_)) => Outcome::Done,
            (Taken::Wrong, Some(_)) => Outcome::ProofFailed,
            _ => Outcome::NotFound,
        }
    }

    /// The device that a sign-in is about: it may be new, and never come to be one of the account's.
    fn device_of(&self, sign_in: &SignIn) -> DeviceId {
        let known = self.devices.iter().find(|known| known.is(&sign_in.presented));
        known.map_or(sign_in.new_device.0, |known| known.id)
    }

    /// A sign-in that has not come to be a session.
    fn remember_attempt(&mut self, sign_in: &SignIn, end: &End<'_>) {
        let SignIn { session, method, app, .. } = sign_in;
        let device = self.device_of(sign_in);
        let session = Session::start(*session, device, app.clone(), *method, None, end.now);
        self.remember(end, &session);
    }
}
