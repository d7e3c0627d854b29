//! What happened to an account: sign-ins and endings of sessions, for its owner to look through.

use serde::{Deserialize, Serialize};

use super::login::Method;
use crate::kernel::{
    id::{DeviceId, SessionId},
    time::Timestamp,
};

/// The newest events of an account.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginHistory {
    next: u64,
    events: Vec<Event>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts the events of the account.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// It is forgotten then.
    pub until: Timestamp,
    /// What.
    pub kind: EventKind,
    /// In which session, or to which.
    pub session: SessionId,
    /// On which device.
    pub device: DeviceId,
    /// How its user had signed in.
    pub method: Method,
    /// The app.
    pub app: String,
    /// Where, as far as the network tells.
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed in on a device that the account had not seen before.
    SignedInOnNewDevice,
    /// Somebody proved the number, and waited for a trusted device.
    Held,
    /// A trusted device said no.
    Denied,
    /// The session was ended by its user.
    SignedOut,
    /// The session was ended from another one, or with its device.
    Ended,
    /// A refresh token was used again after its successor: somebody has a copy, so the session ended.
    TokenReused,
}

/// Where a request came from, by the platform's word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// City, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Events.
    pub most: usize,
    /// Whole days.
    pub days: u64,
}

impl EventKind {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedInOnNewDevice => "signed_in_on_new_device",
            Self::Held => "held",
            Self::Denied => "denied",
            Self::SignedOut => "signed_out",
            Self::Ended => "ended",
            Self::TokenReused => "token_reused",
        }
    }
}

impl Place {
    /// Nothing is known.
    pub const fn is_unknown(&self) -> bool {
        self.country.is_none() && self.city.is_none()
    }
}

impl Retention {
    /// When an event of now is forgotten: at the end of a day (UTC), so that an object wakes once a day at most.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        let days = i64::try_from(self.days).unwrap_or(i64::MAX).saturating_add(1);
        Timestamp::from_secs(now.secs().div_euclid(86_400).saturating_add(days).saturating_mul(86_400))
    }
}

impl LoginHistory {
    /// Adds an event, whose number is given here; the oldest gives way.
    pub fn add(&mut self, event: Event, retention: Retention) {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.events.push(Event { number, ..event });
        let excess = self.events.len().saturating_sub(retention.most.max(1));
        self.events.drain(..excess.min(self.events.len()));
    }

    /// Up to `most` events, newest first, of those before the one with the number `before`; and whether there are
    /// more.
    pub fn page(&self, before: Option<u64>, most: usize) -> (Vec<Event>, bool) {
        let older = || self.events.iter().rev().filter(|event| before.is_none_or(|at| event.number < at));
        (older().take(most).cloned().collect(), older().nth(most).is_some())
    }

    /// Whether it knows of a session.
    pub fn tells_of(&self, session: SessionId) -> bool {
        self.events.iter().any(|event| event.session == session)
    }

    /// Drops what is too old.
    pub fn tidy(&mut self, now: Timestamp) {
        self.events.retain(|event| now < event.until);
    }

    /// When [`LoginHistory::tidy`] finds something to drop.
    pub fn expires(&self) -> Option<Timestamp> {
        self.events.iter().map(|event| event.until).min()
    }

    /// Nothing ever happened.
    pub const fn is_empty(&self) -> bool {
        self.next == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention { most: 5, days: 180 };

    fn event(now: Timestamp) -> Event {
        Event {
            number: 0,
            at: now,
            until: RETENTION.until(now),
            kind: EventKind::SignedIn,
            session: SessionId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            method: Method::Otp,
            app: "default".to_owned(),
            place: Place::default(),
        }
    }

    #[test]
    fn pages_lose_and_repeat_nothing() {
        let mut history = LoginHistory::default();
        for secs in 0..8 {
            history.add(event(Timestamp::from_secs(secs)), RETENTION);
        }
        let numbers = |page: &(Vec<Event>, bool)| page.0.iter().map(|event| event.number).collect::<Vec<_>>();
        let first = history.page(None, 2);
        assert_eq!((numbers(&first), first.1), (vec![7, 6], true));
        history.add(event(Timestamp::from_secs(9)), RETENTION);
        let second = history.page(Some(6), 2);
        assert_eq!((numbers(&second), second.1), (vec![5, 4], false));
        assert_eq!(history.page(Some(4), 2), (vec![], false));
    }

    #[test]
    fn what_is_too_old_is_forgotten_at_the_end_of_a_day() {
        let mut history = LoginHistory::default();
        let now = Timestamp::from_secs(86_400 + 5);
        history.add(event(now), RETENTION);
        let end = Timestamp::from_secs(182 * 86_400);
        assert_eq!(history.expires(), Some(end));
        history.tidy(Timestamp::from_secs(182 * 86_400 - 1));
        assert_eq!(history.page(None, 9).0.len(), 1);
        history.tidy(end);
        assert_eq!((history.page(None, 9).0.len(), history.expires()), (0, None));
        assert!(!history.is_empty(), "numbers are not given twice");
    }
}
