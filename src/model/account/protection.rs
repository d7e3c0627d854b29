//! Login protection 登录保护: a device that the account does not know waits until a trusted one confirms it.

use super::{Account, End, Outcome, Rules, SignIn, act::Hand, publish};
use crate::{
    kernel::{id::DeviceId, time::Timestamp},
    model::{
        device::{Device, Presented, Trust},
        notice::NoticeKind,
        outbox::Outbox,
        recycling::Profile,
        step_up::Reason,
    },
};

impl Account {
    /// Why a sign-in must wait, if it must. Only where somebody can be asked: else the owner would be locked out.
    pub(super) fn must_wait(&self, sign_in: &SignIn, now: Timestamp) -> Option<Reason> {
        let rules = &sign_in.rules;
        if self.created.is_none() || !self.can_ask(rules, now) {
            return None;
        }
        let device = self.devices.iter().find(|known| known.is(&sign_in.presented));
        // Days of use alone do not count: who was in before protection would come to be known by waiting.
        let is_confirmed = |known: &Device| {
            let trusted = [known.trusted_since, known.confirmed_at];
            trusted.iter().any(|since| rules.trust.trust(known.usage, *since, now) == Trust::Trusted)
        };
        let goes_through = |known: &Device| is_confirmed(known) && !self.adds_key(&sign_in.presented);
        if self.is_protected(rules) && !device.is_some_and(goes_through) {
            return Some(Reason::NewDevice);
        }
        (rules.one_tap_waits && sign_in.method.is_of_carrier() && device.is_none()).then_some(Reason::Risk)
    }

    /// Whether a key is shown with the token of a device that has none: the token may have been copied.
    pub(super) fn adds_key(&self, presented: &Presented) -> bool {
        let device = self.devices.iter().find(|known| known.is(presented));
        presented.key.is_some() && device.is_some_and(|known| known.key.is_none())
    }

    /// Switches login protection on or off.
    pub(super) fn protect(&mut self, enabled: bool, by: Hand, end: &End<'_>, outbox: &mut Outbox) -> Outcome {
        let (rules, now) = (end.rules, end.now);
        let Hand { account, session, device: here } = by;
        let has_trusted = self.has_trusted_device(rules, now);
        // It must not take less to switch it off than to get past it.
        let was_protected = self.is_protected(rules);
        if enabled && was_protected && has_trusted {
            return Outcome::Done;
        }
        if !self.may_vouch(here, rules, now) {
            return Outcome::NeedsStanding;
        }
        if was_protected && !enabled {
            self.tell(NoticeKind::ProtectionOff, account, Some(session), rules, now, outbox);
        }
        if enabled && !was_protected {
            self.confirm_those_in_use(here, rules, now);
        }
        // Somebody must be there to be asked.
        if let Some(device) = self.devices.iter_mut().find(|known| known.id == here)
            && enabled
            && !has_trusted
        {
            device.trusted_since = Some(now);
            publish(device, account, now, outbox);
        }
        self.protected = Some(enabled);
        Outcome::Done
    }

    /// The first device or phone is about to be named that can be asked. Where protection was on without one, it begins to hold.
    pub(super) fn begin_to_ask(&mut self, here: DeviceId, rules: &Rules, now: Timestamp) {
        if self.is_protected(rules) && !self.can_ask(rules, now) {
            self.confirm_those_in_use(here, rules, now);
        }
    }

    /// Devices that the owner is used to, and this one, need not be confirmed when protection begins.
    fn confirm_those_in_use(&mut self, here: DeviceId, rules: &Rules, now: Timestamp) {
        for known in &mut self.devices {
            let trust = rules.trust.trust(known.usage, known.trusted_since, now);
            if trust != Trust::New || known.id == here {
                known.confirmed_at = Some(now);
            }
        }
    }

    /// Whether this device may say which ones are trusted. Whoever has just got hold of a number must not. Where the
    /// trusted ones are asked about sign-ins, only they may: else a known one would make itself one of them. The device
    /// that the account was created on may where none is trusted: there was nobody before it. Where only trusted phones
    /// are asked, the devices may that were confirmed.
    pub(super) fn may_vouch(&self, here: DeviceId, rules: &Rules, now: Timestamp) -> bool {
        let trust = self.trust_of(here, rules, now);
        if self.protection_holds(rules, now) {
            let speaks = !self.has_trusted_device(rules, now) && self.is_confirmed(here, rules, now);
            return trust == Trust::Trusted || speaks;
        }
        let is_first = self.created.as_ref().is_some_and(|created| created.on == Some(here));
        is_first || trust != Trust::New
    }

    /// Whether a sign-in on an unknown device waits: protection is on, and somebody can be asked.
    pub(super) fn protection_holds(&self, rules: &Rules, now: Timestamp) -> bool {
        self.is_protected(rules) && self.can_ask(rules, now)
    }

    pub(super) fn is_protected(&self, rules: &Rules) -> bool {
        self.protected.unwrap_or(self.profile(rules) == Profile::Money)
    }

    /// Whether somebody can be asked.
    fn can_ask(&self, rules: &Rules, now: Timestamp) -> bool {
        self.has_trusted_device(rules, now) || self.phones_to_ask(rules, now).next().is_some()
    }

    pub(super) fn has_trusted_device(&self, rules: &Rules, now: Timestamp) -> bool {
        self.devices
            .iter()
            .any(|known| rules.trust.trust(known.usage, known.trusted_since, now) == Trust::Trusted)
    }
}
