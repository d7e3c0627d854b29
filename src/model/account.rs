//! A person: their identifiers, devices and sessions. One object each.

use serde::{Deserialize, Serialize};

pub use self::{
    appeals::Plea,
    cases::{AtCase, CaseCaller, CaseStep},
    claiming::Candidate,
    closing::Closing,
    deed::{Act, Deed, Seen},
    identifiers::{FormerNumber, Identifier},
    import::{Import, ImportClaim, Importing},
    numbers::PhoneChange,
    objections::NEVER,
    operation::{Operation, Refresh},
    outcome::{Number, Outcome},
    owner_proof::{AskFriends, Known, Proof, Questions, Tries, TryLimits, Word},
    password::Password,
    profile::{Change, OwnProfile, Profile, ProfileChange},
    proof::ProvenInSession,
    real_name::{RealName, Verified},
    recycling::{Contest, NumberClaim, NumberFacts},
    rules::Rules,
    sign_in::SignIn,
    supplied::Supplied,
    trusted_phones::TrustedPhone,
    waiting::{AtTicket, Pending, Step, Waiting},
};
use self::{ends::End, notify::Occasion};
use super::{
    case::Case,
    device::Device,
    handle::HandleName,
    login_history::{EventKind, LoginHistory, Place},
    notice::NoticeTally,
    object::Machine,
    outbox::{Message, Outbox},
    session::Session,
    step_up::StepUps,
};
use crate::kernel::{
    id::{AccountId, DeviceId, SessionId},
    time::Timestamp,
};

mod act;
mod action;
mod appeals;
mod cases;
mod claiming;
mod closing;
mod coming_back;
mod deed;
mod ends;
mod identifiers;
mod import;
mod notify;
mod numbers;
mod objections;
mod operation;
mod outcome;
mod owner_proof;
mod password;
mod profile;
mod proof;
mod protection;
mod real_name;
mod recycling;
mod refresh;
mod rules;
mod sign_in;
mod supplied;
mod trusted_phones;
mod waiting;

/// The state of one account. Empty until the first sign-in creates it, or an import.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Account {
    created: Option<Created>,
    identifiers: Vec<Identifier>,
    /// Claims on identifiers, ever.
    #[serde(default, skip_serializing_if = "is_none")]
    claims: u64,
    devices: Vec<Device>,
    sessions: Vec<Session>,
    #[serde(default, skip_serializing_if = "LoginHistory::is_empty")]
    history: LoginHistory,
    /// What its owner wants of login protection; `None`: what the operator has set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protected: Option<bool>,
    #[serde(default, skip_serializing_if = "StepUps::is_empty")]
    step_ups: StepUps,
    #[serde(default, skip_serializing_if = "Tries::is_empty")]
    tries: Tries,
    /// Nobody signs in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    frozen: bool,
    #[serde(default, skip_serializing_if = "NoticeTally::is_empty")]
    notices: NoticeTally,
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    profile: Profile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Password>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_numbers: Vec<FormerNumber>,
    /// Another number that is wished for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone_change: Option<PhoneChange>,
    /// Somebody else has the number now, and waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number_claim: Option<NumberClaim>,
    /// The number that it waits for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaits: Option<HandleName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cases: Vec<Case>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trusted_phones: Vec<TrustedPhone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closing: Option<Closing>,
    #[serde(default, skip_serializing_if = "RealName::is_none")]
    real_name: RealName,
    /// By what that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    supplied: Option<Supplied>,
    /// It is being imported: nothing leads to it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    importing: Option<Importing>,
    /// It was imported once, and its owner has deleted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_left: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Created {
    at: Timestamp,
    /// The sign-in that did it, so that its repeat is told the same; `None`: an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<SessionId>,
    /// On which device: there was nobody before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<DeviceId>,
}

impl Machine for Account {
    type Operation = Operation;
    type Outcome = Outcome;

    fn apply(&mut self, operation: Operation, now: Timestamp, outbox: &mut Outbox) -> Outcome {
        self.end_money(now);
        match operation {
            Operation::SignIn(sign_in) => self.sign_in(*sign_in, now, outbox),
            Operation::Refresh(refresh) => self.refresh(&refresh, now, outbox),
            Operation::GiveUp(refresh) => self.give_up(&refresh, now, outbox),
            Operation::Act(act) => self.act(*act, now, outbox),
            Operation::AtTicket(at) => self.at_ticket(&at, now, outbox),
            Operation::Freeze { .. }
            | Operation::Protect { .. }
            | Operation::Supply { .. }
            | Operation::Restore
                if self.created.is_none() =>
            {
                Outcome::NotFound
            }
            Operation::Protect { account, enabled } => {
                self.protected = Some(enabled);
                // The device or phone that is lost must not be asked again, as soon as its owner switches protection on.
                if !enabled {
                    self.trusted_phones.clear();
                    self.created = self.created.take().map(|created| Created { on: None, ..created });
                    for device in &mut self.devices {
                        device.confirmed_at = None;
                        if device.trusted_since.take().is_some() {
                            publish(device, account, now, outbox);
                        }
                    }
                }
                Outcome::Done
            }
            Operation::Supply { account, said, rules } => self.supply(*said, account, &rules, now, outbox),
            Operation::Freeze { frozen, rules } => {
                self.frozen = frozen;
                if frozen {
                    self.step_ups.drop_those(&|_| true);
                    let end = End { kind: EventKind::Ended, place: &Place::default(), rules: &rules, now };
                    self.end_sessions(&end, outbox, &|_| true);
                }
                Outcome::Done
            }
            Operation::LookAtSession { session, rules } => match self.living(session, &rules, now) {
                Ok(session) => Outcome::Session { session: session.clone() },
                Err(ended) => Outcome::Ended { ended },
            },
            Operation::EndSession { session, rules } => {
                let end = End { kind: EventKind::Ended, place: &Place::default(), rules: &rules, now };
                self.end_sessions(&end, outbox, &|known| known.id == session);
                Outcome::Done
            }
            Operation::LookAtIdentifier { handle } => match (&self.created, self.is_led_to_by(&handle)) {
                (None, _) => Outcome::NotFound,
                (Some(_), false) => self.not_mine(&handle),
                (Some(_), true) => Outcome::Done,
            },
            Operation::LookAtPhone => {
                Outcome::Phone { phone: self.phone().filter(|_| self.closing.is_none()).cloned() }
            }
            Operation::LookAtPassword => Outcome::Password { password: self.password.clone() },
            Operation::UpgradePassword { hash, set_at } => {
                if let Some(password) = self.password.as_mut().filter(|known| known.set_at == set_at) {
                    password.hash = hash;
                }
                Outcome::Done
            }
            Operation::SettleClaim { account, handle, claim, is_won, rules } => {
                self.settle_claim(&handle, (claim, is_won), account, &rules, now, outbox);
                Outcome::Done
            }
            Operation::HearFriend(word) => self.hear_friend(&word, now),
            Operation::Contest(contest) => self.contest(&contest, now, outbox),
            Operation::AtCase(at) => self.at_case(&at, now, outbox),
            Operation::SettleReturn { account, handle, claim, is_back, rules } => {
                self.settle_return(&handle, (claim, is_back), account, &rules, now, outbox);
                Outcome::Done
            }
            Operation::GiveBack { account, handle, claim, rules } => {
                self.give_back(account, &handle, claim, &rules, now, outbox);
                Outcome::Done
            }
            Operation::Restore => self.restore(now),
            Operation::Import(import) => self.import(*import, now, outbox),
            Operation::SettleImport { account, attempt, handles, is_won } => {
                self.settle_import(account, attempt, handles, is_won, now, outbox)
            }
        }
    }

    fn tidy(&mut self, now: Timestamp, outbox: &mut Outbox) {
        self.history.tidy(now);
        self.step_ups.tidy(now);
        self.tries.tidy(now);
        self.phone_change.take_if(|wish| wish.until <= now);
        self.number_claim.take_if(|claim| claim.until <= now);
        self.end_money(now);
        self.carry_out_objections(now, outbox);
        self.drop_cases(false, now, outbox);
        self.close_when_due(now, outbox);
    }

    fn expires(&self) -> Option<Timestamp> {
        let closes = self.closing.as_ref().map(|closing| closing.until);
        let forgets = self.phone_change.as_ref().map(|wish| wish.until);
        let claimed = self.number_claim.as_ref().map(|claim| claim.until);
        let tried = self.tries.expires();
        let (history, waiting) = (self.history.expires(), self.step_ups.expires());
        let (decided, ends) = (self.cases_change(), self.money_ends());
        let parts = [history, waiting, tried, closes, forgets, claimed, decided, ends];
        parts.into_iter().flatten().min()
    }

    fn is_empty(&self) -> bool {
        self.created.is_none() && !self.has_left
    }
}

/// Counts a use of a device, once a day. Trust that has ended does not come back by it.
fn count_use(device: &mut Device, account: AccountId, rules: &Rules, now: Timestamp, outbox: &mut Outbox) {
    let usage = device.usage;
    for since in [&mut device.trusted_since, &mut device.confirmed_at] {
        since.take_if(|since| rules.trust.is_over(usage, *since, now));
    }
    if device.usage.count(now) {
        publish(device, account, now, outbox);
    }
}

fn publish(device: &Device, account: AccountId, now: Timestamp, outbox: &mut Outbox) {
    for token_digest in std::iter::once(&device.token_digest).chain(&device.previous_token) {
        let (token_digest, record) = (token_digest.clone(), device.record(account));
        outbox.post(Message::PublishDevice { token_digest, record }, now);
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod persisted;
#[cfg(test)]
mod tests;
