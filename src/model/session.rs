//! A session: one family of refresh tokens on one device.
//!
//! Only the newest generation lives. Because the successor of a generation is derived, not drawn, it can be
//! given twice: to the second tab, or to a client that lost the answer. The grace ends when the successor is
//! first used, since from then on both copies cannot be with the same honest client.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{login::Method, owner_proof::ProofKind};
use crate::kernel::{
    id::{DeviceId, SessionId},
    time::Timestamp,
};

/// A session as its account keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id: `sid` of access tokens and the family of refresh tokens.
    pub id: SessionId,
    /// The device it runs on.
    pub device: DeviceId,
    /// The app it was made for (`aud`).
    pub app: String,
    /// How its user signed in (`amr`).
    pub method: Method,
    /// The device was confirmed by a step-up as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stepped_up: bool,
    /// When its user signed in (`auth_time`).
    pub created_at: Timestamp,
    /// Version of the terms its user agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// When its user last proved who they are since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<Timestamp>,
    /// What was proven for an action of the app, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<ActionProof>,
    generation: u32,
    rotated_at: Timestamp,
}

/// Who is signed in has proven for an action of the app that the account is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionProof {
    /// For what, in the app's words.
    pub purpose: String,
    /// How strongly, 1 to 3 and above.
    pub strength: u8,
    /// By what.
    pub methods: Vec<ProofKind>,
    /// When.
    pub at: Timestamp,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Without a refresh.
    pub idle: Duration,
    /// At most.
    pub absolute: Duration,
    /// A rotated token is still answered with its successor.
    pub grace: Duration,
    /// Of an access token: what a session that was ended can still do where nobody is asked.
    pub access: Duration,
}

/// Why a session gives no more tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its time is over.
    Expired,
    /// It was ended, or a token of it was used again after its successor.
    Revoked,
}

impl Session {
    /// A new session in generation 0.
    pub const fn start(
        id: SessionId,
        device: DeviceId,
        app: String,
        method: Method,
        consent: Option<String>,
        now: Timestamp,
    ) -> Self {
        let (created_at, rotated_at) = (now, now);
        let (stepped_up, proven_at, step_up) = (false, None, None);
        Self {
            id,
            device,
            app,
            method,
            stepped_up,
            created_at,
            consent,
            proven_at,
            step_up,
            generation: 0,
            rotated_at,
        }
    }

    /// How its user proved who they are (`amr`).
    pub fn methods(&self) -> Vec<Method> {
        let more = self.stepped_up.then_some(Method::StepUp);
        std::iter::once(self.method).chain(more).collect()
    }

    /// Whether it is still good at `now`.
    pub fn is_alive(&self, now: Timestamp, lifetimes: &Lifetimes) -> bool {
        now < self.expires_at(lifetimes)
    }

    /// When its refresh token dies unless used.
    pub fn expires_at(&self, lifetimes: &Lifetimes) -> Timestamp {
        self.rotated_at.plus(lifetimes.idle).min(self.created_at.plus(lifetimes.absolute))
    }

    /// The newest generation.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// When it was last used.
    pub const fn last_used(&self) -> Timestamp {
        self.rotated_at
    }

    /// When its user last proved who they are.
    pub fn last_proof(&self) -> Timestamp {
        self.proven_at.unwrap_or(self.created_at)
    }

    /// Takes a token of generation `given` for the next one.
    ///
    /// # Errors
    /// [`Ended`]; the caller must then forget the session.
    pub fn rotate(&mut self, given: u32, now: Timestamp, lifetimes: &Lifetimes) -> Result<u32, Ended> {
        if !self.is_alive(now, lifetimes) {
            return Err(Ended::Expired);
        }
        let is_newest = given == self.generation;
        let is_repeat =
            given.checked_add(1) == Some(self.generation) && now.since(self.rotated_at) <= lifetimes.grace;
        if is_newest {
            self.generation = self.generation.checked_add(1).ok_or(Ended::Expired)?;
            self.rotated_at = now;
        } else if !is_repeat {
            return Err(Ended::Revoked);
        }
        Ok(self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes {
        idle: Duration::from_secs(30 * 86_400),
        absolute: Duration::from_secs(180 * 86_400),
        grace: Duration::from_secs(60),
        access: Duration::from_secs(600),
    };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn session() -> Session {
        let (id, device) = (SessionId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        Session::start(id, device, "default".to_owned(), Method::OneTap, None, at(0))
    }

    #[test]
    fn repeats_within_the_grace_get_the_same_successor() {
        let mut session = session();
        assert_eq!(session.rotate(0, at(100), &LIFETIMES), Ok(1));
        assert_eq!(session.rotate(0, at(160), &LIFETIMES), Ok(1));
        assert_eq!(session.rotate(0, at(161), &LIFETIMES), Err(Ended::Revoked));
    }

    #[test]
    fn the_grace_ends_with_the_first_use_of_the_successor() {
        let mut session = session();
        assert_eq!(session.rotate(0, at(100), &LIFETIMES), Ok(1));
        assert_eq!(session.rotate(1, at(101), &LIFETIMES), Ok(2));
        assert_eq!(session.rotate(0, at(102), &LIFETIMES), Err(Ended::Revoked));
    }

    #[test]
    fn idle_and_absolute_ends() {
        let day = 86_400;
        let mut session = session();
        assert_eq!(session.rotate(0, at(30 * day), &LIFETIMES), Err(Ended::Expired));
        for generation in 0..8 {
            let now = at((i64::from(generation) + 1) * 20 * day);
            assert_eq!(session.rotate(generation, now, &LIFETIMES), Ok(generation + 1));
        }
        assert_eq!(session.rotate(8, at(180 * day), &LIFETIMES), Err(Ended::Expired));
    }

    #[test]
    fn a_generation_not_given_yet_is_refused() {
        assert_eq!(session().rotate(1, at(1), &LIFETIMES), Err(Ended::Revoked));
    }
}
