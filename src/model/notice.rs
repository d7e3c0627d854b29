//! Notices: what people and backends are told about an account.
//!
//! A notice holds ids only. What a channel needs beyond them (a number, a push token) stays sealed until it is used.

use serde::{Deserialize, Serialize};

use super::platform::Platform;
use crate::kernel::{
    id::{AccountId, DeviceId, SessionId},
    seal::Sealed,
    time::Timestamp,
};

/// Something that happened to an account, on its way to one of those who are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Counts the notices of the account.
    pub number: u64,
    /// What.
    pub kind: NoticeKind,
    /// To whom.
    pub account: AccountId,
    /// In which session, or to which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// On which device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// In which app. Of a push: in which it is shown.
    pub app: String,
    /// When.
    pub at: Timestamp,
    /// By which way it is told.
    pub channel: Channel,
}

/// What can be told. The names are those of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// The account came into being.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// Somebody signed in on a device that the account had not seen before.
    #[serde(rename = "login.new_device")]
    NewDevice,
    /// A refresh token was used again after its successor, so its session ended.
    #[serde(rename = "session.token_reused")]
    TokenReused,
    /// Somebody proved the number on a device that must be confirmed.
    #[serde(rename = "login.held")]
    SignInHeld,
    /// A new device waits for somebody to let it in.
    #[serde(rename = "approval.requested")]
    ApprovalRequested,
    /// Somebody did not let a new device in.
    #[serde(rename = "approval.denied")]
    ApprovalDenied,
    /// The password was set.
    #[serde(rename = "password.changed")]
    PasswordChanged,
    /// Something else leads to the account now.
    #[serde(rename = "identity.bound")]
    IdentityBound,
    /// Something does not any more.
    #[serde(rename = "identity.unbound")]
    IdentityUnbound,
    /// Another number was asked for without a fresh proof, and must wait.
    #[serde(rename = "phone.change_requested")]
    PhoneChangeRequested,
    /// Another number took the place of the account's.
    #[serde(rename = "phone.changed")]
    PhoneChanged,
    /// A new device signed devices out that the account knows.
    #[serde(rename = "sessions.ended")]
    SessionsEnded,
    /// Login protection was switched off.
    #[serde(rename = "login_protection.off")]
    ProtectionOff,
    /// A phone was trusted that was not.
    #[serde(rename = "trusted_phone.added")]
    TrustedPhoneAdded,
    /// A phone is trusted no more.
    #[serde(rename = "trusted_phone.removed")]
    TrustedPhoneRemoved,
    /// Everything that is kept was taken along.
    #[serde(rename = "account.exported")]
    AccountExported,
    /// The account is to be deleted.
    #[serde(rename = "account.deletion_requested")]
    DeletionRequested,
    /// Somebody else has the account's number by their own word, and gets it unless its owner objects.
    #[serde(rename = "number.claimed")]
    NumberClaimed,
    /// The number went to somebody else.
    #[serde(rename = "number.reassigned")]
    NumberReassigned,
    /// Somebody who could not prove enough says that the account is theirs.
    #[serde(rename = "appeal.opened")]
    AppealOpened,
    /// An appeal, or an objection of the owner, was decided.
    #[serde(rename = "appeal.decided")]
    AppealDecided,
    /// The app says that the account holds no money any more, so that it will be guarded less.
    #[serde(rename = "account.money_ends")]
    MoneyEnds,
    /// Somebody who waits asks friends of the owner to vouch for them.
    #[serde(rename = "friends.asked")]
    FriendsAsked,
}

/// By which way a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// To every webhook that wants it; each becomes a [`Channel::Webhook`] of its own.
    Webhooks,
    /// To one webhook, by its name.
    Webhook(String),
    /// To a device of the account: where push messages go, sealed for it, and its kind.
    Push(Sealed, Platform),
    /// To the number of the account, sealed for it.
    Sms(Sealed),
    /// To the address of the account, sealed for it.
    Email(Sealed),
}

/// How much a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRules {
    /// Somebody listens to webhooks.
    pub webhooks: bool,
    /// Push messages a day (UTC); `None`: nobody can send any.
    pub pushes: Option<u64>,
    /// SMS a day (UTC).
    pub sms: u64,
}

/// What was told so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeTally {
    /// Notices ever.
    pub number: u64,
    day: i64,
    pushes: u64,
    sms: u64,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 23] = [
        Self::AccountCreated,
        Self::NewDevice,
        Self::TokenReused,
        Self::SignInHeld,
        Self::ApprovalRequested,
        Self::ApprovalDenied,
        Self::PasswordChanged,
        Self::IdentityBound,
        Self::IdentityUnbound,
        Self::PhoneChangeRequested,
        Self::PhoneChanged,
        Self::SessionsEnded,
        Self::ProtectionOff,
        Self::TrustedPhoneAdded,
        Self::TrustedPhoneRemoved,
        Self::AccountExported,
        Self::DeletionRequested,
        Self::NumberClaimed,
        Self::NumberReassigned,
        Self::AppealOpened,
        Self::AppealDecided,
        Self::MoneyEnds,
        Self::FriendsAsked,
    ];

    /// The name in webhooks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::NewDevice => "login.new_device",
            Self::TokenReused => "session.token_reused",
            Self::SignInHeld => "login.held",
            Self::ApprovalRequested => "approval.requested",
            Self::ApprovalDenied => "approval.denied",
            Self::PasswordChanged => "password.changed",
            Self::IdentityBound => "identity.bound",
            Self::IdentityUnbound => "identity.unbound",
            Self::PhoneChangeRequested => "phone.change_requested",
            Self::PhoneChanged => "phone.changed",
            Self::SessionsEnded => "sessions.ended",
            Self::ProtectionOff => "login_protection.off",
            Self::TrustedPhoneAdded => "trusted_phone.added",
            Self::TrustedPhoneRemoved => "trusted_phone.removed",
            Self::AccountExported => "account.exported",
            Self::DeletionRequested => "account.deletion_requested",
            Self::NumberClaimed => "number.claimed",
            Self::NumberReassigned => "number.reassigned",
            Self::AppealOpened => "appeal.opened",
            Self::AppealDecided => "appeal.decided",
            Self::MoneyEnds => "account.money_ends",
            Self::FriendsAsked => "friends.asked",
        }
    }

    /// Whether the account's owner is told too: not what they have just done themselves, nor what they see in the history
    /// until they are asked.
    pub const fn is_personal(self) -> bool {
        !matches!(self, Self::AccountCreated | Self::SignInHeld)
    }

    /// Whether it warns, so that an SMS goes out where no push can: not where only a signed-in device can act, nor where
    /// something only gets safer, nor to a number that somebody else has.
    pub const fn warns(self) -> bool {
        !matches!(
            self,
            Self::AccountCreated
                | Self::SignInHeld
                | Self::ApprovalRequested
                | Self::TrustedPhoneRemoved
                | Self::NumberClaimed
                | Self::NumberReassigned
                | Self::FriendsAsked
        )
    }

    /// Whether it may be the last that the owner hears of the account.
    pub const fn is_grave(self) -> bool {
        let is_last = matches!(self, Self::PasswordChanged | Self::DeletionRequested | Self::MoneyEnds);
        self.is_of_number() || self.costs_number() || self.is_of_appeal() || is_last
    }

    /// Whether somebody says that the account is theirs.
    pub const fn is_of_appeal(self) -> bool {
        matches!(self, Self::AppealOpened | Self::AppealDecided)
    }

    /// Whether somebody else has the number, or may have it, so that only the other channels lead to the owner.
    pub const fn costs_number(self) -> bool {
        matches!(self, Self::NumberClaimed | Self::NumberReassigned | Self::FriendsAsked)
    }

    /// Whether it is about the account's number, which is told by SMS also where pushes are heard: the devices may be in
    /// other hands.
    pub const fn is_of_number(self) -> bool {
        matches!(self, Self::PhoneChangeRequested | Self::PhoneChanged)
    }
}

impl Notice {
    /// Its id: the same for every channel and every attempt. Holds no full stop, as Standard Webhooks wants it.
    pub fn id(&self) -> String {
        let account = self.account.to_string();
        format!("ntc{}_{}", account.strip_prefix("acc").unwrap_or_default(), self.number)
    }
}

impl NoticeTally {
    /// Whether nothing was ever told.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    pub const fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// The number of a new notice, at `now`.
    pub const fn count(&mut self, now: Timestamp) -> u64 {
        let today = now.secs().div_euclid(86_400);
        if self.day != today {
            *self = Self { number: self.number, day: today, pushes: 0, sms: 0 };
        }
        self.number = self.number.saturating_add(1);
        self.number
    }

    /// Whether one more push may go out today; it is then counted.
    pub fn may_push(&mut self, kind: NoticeKind, rules: &NoticeRules) -> bool {
        let most = rules.pushes.unwrap_or(0);
        // Whoever has the number can ask and ask: half of the cap is for what they do next.
        let most = match kind {
            NoticeKind::ApprovalRequested => most.div_ceil(2),
            _ if kind.is_grave() => most.saturating_mul(2),
            _ => most,
        };
        spend(&mut self.pushes, most)
    }

    /// Whether one more SMS may go out today; it is then counted.
    pub const fn may_text(&mut self, kind: NoticeKind, rules: &NoticeRules) -> bool {
        // Whoever provokes other warnings first must not silence these: they have as many again.
        let most = if kind.is_grave() { rules.sms.saturating_mul(2) } else { rules.sms };
        spend(&mut self.sms, most)
    }
}

const fn spend(spent: &mut u64, most: u64) -> bool {
    let may = *spent < most;
    if may {
        *spent = spent.saturating_add(1);
    }
    may
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_persisted_under_the_name_that_webhooks_know() {
        for kind in NoticeKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_day_has_so_many_messages_and_the_next_as_many() {
        let rules = NoticeRules { webhooks: false, pushes: Some(3), sms: 1 };
        let mut tally = NoticeTally::default();
        let mut told = Vec::new();
        for hour in [0, 1, 23, 23, 24, 25] {
            tally.count(Timestamp::from_secs(hour * 3600));
            told.push((
                tally.may_push(NoticeKind::NewDevice, &rules),
                tally.may_text(NoticeKind::NewDevice, &rules),
            ));
        }
        let expected =
            [(true, true), (true, false), (true, false), (false, false), (true, true), (true, false)];
        assert_eq!(told, expected);
        assert_eq!(tally.number, 6);
        assert!(!tally.may_push(NoticeKind::NewDevice, &NoticeRules { pushes: None, ..rules }));
    }

    #[test]
    fn ids_differ_and_hold_no_full_stop() {
        let notice = |account, number| Notice {
            number,
            kind: NoticeKind::NewDevice,
            account: AccountId::from_bytes([account; 16]),
            session: None,
            device: None,
            app: "default".to_owned(),
            at: Timestamp::from_secs(0),
            channel: Channel::Webhooks,
        };
        let ids = [notice(1, 1), notice(1, 2), notice(2, 1)].map(|notice| notice.id());
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
        assert!(ids.iter().all(|id| id.starts_with("ntc_") && !id.contains('.')));
    }
}
