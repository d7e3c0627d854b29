//! Who is told what happened to an account.
//!
//! Backends by webhook, whatever happened. The owner on the devices that can speak for them: those of standing on
//! which they are signed in, but not the one it is about. Where there is none, by SMS if it is a warning.

use super::{Account, Rules};
use crate::{
    kernel::{
        id::{AccountId, DeviceId, SessionId},
        seal::Sealed,
        time::Timestamp,
    },
    model::{
        device::Trust,
        notice::{Channel, Notice, NoticeKind, Posting},
        outbox::{Message, Outbox},
        platform::Platform,
    },
};

/// What happened, where and to whom.
pub(super) struct Occasion<'a> {
    pub(super) kind: NoticeKind,
    pub(super) account: AccountId,
    pub(super) session: Option<SessionId>,
    pub(super) device: Option<DeviceId>,
    pub(super) app: &'a str,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

impl Account {
    /// Tells whoever is to be told, one letter for each channel, within the person's caps.
    pub(super) fn notify(&mut self, occasion: &Occasion<'_>, outbox: &mut Outbox) {
        let Occasion { kind, account, session, device, app, rules, now } = *occasion;
        let rules_of_notices = &rules.notices;
        let notice = Notice {
            number: self.notices.count(now),
            kind,
            account,
            session,
            device,
            app: app.to_owned(),
            at: now,
        };
        let mut post = |channel| {
            let posting = Posting { notice: notice.clone(), channel };
            outbox.post(Message::Notify(Box::new(posting)), now);
        };
        if rules_of_notices.webhooks {
            post(Channel::Webhooks);
        }
        if !kind.is_personal() {
            return;
        }
        let devices = self.devices_to_tell(occasion);
        let is_heard = rules_of_notices.pushes.is_some() && !devices.is_empty();
        for (to, app, platform) in devices {
            if self.notices.may_push(rules_of_notices) {
                post(Channel::Push { to, app, platform });
            }
        }
        if let Some(phone) = self.phones.first().filter(|_| kind.warns() && !is_heard)
            && self.notices.may_text(rules_of_notices)
        {
            post(Channel::Sms(phone.number.clone()));
        }
    }

    /// Push token, app and kind of each. A device's push token belongs to the app that was used on it last.
    fn devices_to_tell(&self, occasion: &Occasion<'_>) -> Vec<(Sealed, String, Platform)> {
        let Occasion { device: about, rules, now, .. } = *occasion;
        let devices = self.devices.iter().filter(|device| {
            Some(device.id) != about
                && rules.trust.trust(device.usage, device.trusted_since, now) != Trust::New
        });
        let told = devices.filter_map(|device| {
            let alive = self
                .sessions
                .iter()
                .filter(|session| session.device == device.id && session.is_alive(now, &rules.lifetimes));
            let app = alive.max_by_key(|session| session.last_used())?.app.clone();
            Some((device.profile.push_token.clone()?, app, device.profile.platform))
        });
        told.collect()
    }
}
