//! Cases: what takes longer than a ticket lasts, since somebody must be heard or people decide.
//!
//! A case lives in the account that it is about. One of its clients holds its text, sealed with the account, so that a
//! forged one is refused without asking anybody.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    evidence::Reassignment,
    friends::Vouching,
    handle::HandleName,
    owner_proof::{ProofKind, strength_of},
    recycling::Profile,
    step_up::StepUp,
    ticket::Form,
};
use crate::kernel::{
    fault::Fault,
    id::{AccountId, CaseId},
    keys::KeyRing,
    seal::Sealed,
    time::Timestamp,
};

/// Cases are kept so long.
pub const CASE_STANDS: Duration = Duration::from_secs(30 * 86_400);

/// So long its owner can still object when an account that holds money is handed over.
pub const HANDOVER_WAITS: Duration = Duration::from_secs(86_400);

/// Images of one appeal.
pub const MOST_IMAGES: usize = 3;

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Since when.
    pub opened_at: Timestamp,
    /// How far it is.
    pub state: State,
    /// What the account is worth.
    pub profile: Profile,
    /// What those who help people said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// What it is about.
    pub matter: Matter,
}

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    Open,
    /// It was granted, and takes effect then.
    Granted(Timestamp),
    /// It was refused.
    Refused,
    /// It was granted, and that was made use of: the number is back, or whoever made it has come in.
    Done,
    /// It was granted, and the number is a third person's by now.
    Gone,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// The owner says that the number is theirs still.
    Objection(Objection),
    /// Somebody who waits says that the account is theirs.
    Appeal(Box<Appeal>),
    /// Friends of the owner are asked whether somebody who waits is the owner.
    Friends(Box<AskedFriends>),
}

/// The owner says that a number is theirs still, which somebody else has or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// Whose account it is, which cannot know its own name.
    pub account: AccountId,
    /// The number's handle.
    pub handle: HandleName,
    /// The number, sealed for the account.
    pub value: Sealed,
    /// Who had it when the owner objected; `None`: the account itself, or nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Rival>,
}

/// Another account that has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rival {
    /// Which.
    pub account: AccountId,
    /// Since when.
    pub since: Timestamp,
}

/// Somebody who waits says that the account is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// How they came in, on which device, and what they had proven by then.
    pub waits: StepUp,
    /// What they say, sealed for the account.
    pub told: Sealed,
    /// They asked on a device of standing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_own_device: bool,
    /// Under which keys their images are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
}

/// Friends of the owner are asked whether somebody who waits is the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFriends {
    /// How they came in, and on which device.
    pub waits: StepUp,
    /// What friends have said.
    pub vouching: Vouching,
    /// They asked on a device of standing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_own_device: bool,
}

/// What one of those who help people said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who, as the audit log names them.
    pub by: String,
    /// By which key: it may be given another name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// Whether they grant it.
    pub grants: bool,
    /// Why, sealed for the account.
    pub reason: Sealed,
}

/// It was decided in another way, or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided;

/// What is known of an appeal when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// What was proven at the ticket.
    pub proven: &'a [ProofKind],
    /// So much must be.
    pub need: u8,
    /// What was told is what the account knows.
    pub tells_truth: bool,
    /// A trusted device said no.
    pub was_denied: bool,
    /// What the carrier says of the number by which they came.
    pub carrier: Option<Reassignment>,
    /// What the account is worth.
    pub profile: Profile,
    /// Its owner wants to be asked about new devices, and can be.
    pub is_guarded: bool,
}

/// The rule by which an appeal is decided at once; `None`: people must. What was told counts as one weak proof, of which at
/// most one counts, so that nobody comes in by an appeal who could not by proofs. It lets nobody past login protection, and
/// nobody in where there is money.
pub fn judge(grounds: &Grounds<'_>) -> Option<bool> {
    if grounds.was_denied
        || matches!(grounds.carrier, Some(Reassignment::Reassigned | Reassignment::Cancelled))
    {
        return Some(false);
    }
    let told = grounds.tells_truth.then_some(ProofKind::HistoryQuestions);
    let all: Vec<ProofKind> = grounds.proven.iter().copied().chain(told).collect();
    let suffices = !grounds.proven.is_empty() && strength_of(&all) >= grounds.need;
    (suffices && !grounds.is_guarded && grounds.profile != Profile::Money).then_some(true)
}

impl Matter {
    /// Who waits by it, and whether that is on a device of standing; `None`: nobody but the owner.
    pub const fn waits(&self) -> Option<(&StepUp, bool)> {
        match self {
            Self::Objection(_) => None,
            Self::Appeal(made) => Some((&made.waits, made.on_own_device)),
            Self::Friends(asked) => Some((&asked.waits, asked.on_own_device)),
        }
    }
}

impl Case {
    /// When it is over.
    pub fn until(&self) -> Timestamp {
        self.opened_at.plus(CASE_STANDS)
    }

    /// Whether nobody has decided it for good.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Granted(_))
    }

    /// Whether nobody has decided it for good, and somebody still can or has.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.is_open() && !self.is_late(now)
    }

    /// Whether too few friends have said anything in their time.
    fn is_late(&self, now: Timestamp) -> bool {
        matches!(&self.matter, Matter::Friends(asked) if self.state == State::Open && asked.vouching.until <= now)
    }

    /// How far it is, by its name in answers.
    pub fn state_name(&self, now: Timestamp) -> &'static str {
        match self.state {
            State::Open if self.is_late(now) => "expired",
            State::Open => "open",
            State::Granted(from) if now < from => "decided",
            State::Granted(_) => "granted",
            State::Refused => "refused",
            State::Done => "done",
            State::Gone => "gone",
        }
    }

    /// Takes the word of one of those who help people. Of an account that holds money it takes two who grant, and a day;
    /// one who refuses is enough. Said again it changes nothing.
    ///
    /// # Errors
    /// [`Decided`].
    pub fn decide(&mut self, vote: Vote, now: Timestamp) -> Result<(), Decided> {
        match (self.state, vote.grants) {
            (State::Granted(_) | State::Done | State::Gone, true) | (State::Refused, false) => return Ok(()),
            (State::Refused, true) | (State::Done | State::Gone, false) => return Err(Decided),
            (State::Granted(from), false) if from <= now => return Err(Decided),
            _ => {}
        }
        let is_theirs = |known: &Vote| known.key == vote.key || known.by == vote.by;
        if self.votes.iter().any(|known| known.grants == vote.grants && is_theirs(known)) {
            return Ok(());
        }
        let grants = vote.grants;
        self.votes.push(vote);
        if !grants {
            self.state = State::Refused;
            return Ok(());
        }
        let (eyes, waits) = match self.profile {
            Profile::Money => (2, HANDOVER_WAITS),
            _ => (1, Duration::ZERO),
        };
        if self.votes.len() >= eyes {
            self.state = State::Granted(now.plus(waits));
        }
        Ok(())
    }

    /// The account is worth so much: a case once worth more stays so, and of what was granted when it was worth less
    /// people must say so once more.
    pub fn weigh(&mut self, profile: Profile) {
        if self.profile < profile && profile == Profile::Money && matches!(self.state, State::Granted(_)) {
            self.state = State::Open;
        }
        self.profile = self.profile.max(profile);
    }

    /// What the queue of those who help people knows of it.
    pub fn row(&self, account: AccountId, is_over: bool, now: Timestamp) -> CaseRow {
        let state = if is_over && self.is_open() { "expired" } else { self.state_name(now) };
        CaseRow {
            account,
            id: self.id,
            kind: self.kind().to_owned(),
            state: state.to_owned(),
            profile: self.profile,
            opened_at: self.opened_at,
            updated_at: now,
        }
    }

    /// What it is about, by its name in answers.
    pub const fn kind(&self) -> &'static str {
        match self.matter {
            Matter::Objection(_) => "objection",
            Matter::Appeal(_) => "appeal",
            Matter::Friends(_) => "friends",
        }
    }
}

/// A case in the queue: ids and times, and nothing that anybody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRow {
    /// Whose account it is about.
    pub account: AccountId,
    /// Its id.
    pub id: CaseId,
    /// `objection` or `appeal`.
    pub kind: String,
    /// How far it is; `expired`: nobody decided in time.
    pub state: String,
    /// What the account is worth.
    pub profile: Profile,
    /// Since when.
    pub opened_at: Timestamp,
    /// As it was then.
    pub updated_at: Timestamp,
}

/// A case as its client holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseRef {
    /// The account.
    pub account: AccountId,
    /// Which of its cases.
    pub id: CaseId,
    /// It is over then.
    pub until: Timestamp,
}

impl CaseRef {
    /// The text the client holds; always the same for one case.
    ///
    /// # Errors
    /// [`Fault`] when the cipher refuses.
    pub fn write(&self, ring: &KeyRing) -> Result<String, Fault> {
        CASE.write(ring, self.account, self.id.bytes(), self.until)
    }

    /// Reads a text of ours; `None` for any other.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let (account, id, until) = CASE.read(ring, text)?;
        Some(Self { account, id: CaseId::from_bytes(id), until })
    }
}

const CASE: Form = Form { prefix: "oca_", context: "case" };

#[cfg(test)]
mod tests;
