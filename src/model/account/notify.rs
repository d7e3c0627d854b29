//! Who is told what happened to an account.
//!
//! Backends by webhook, whatever happened. The owner on the devices that can speak for them: those of standing on
//! which they are signed in, but not the one it is about. Where there is none, by SMS if it is a warning; of the
//! account's number by SMS in any case, and by e-mail if somebody else has it, or may have it.

use super::{Account, Rules};
use crate::{
    kernel::{
        id::{AccountId, DeviceId, SessionId},
        time::Timestamp,
    },
    model::{
        device::{Device, Trust},
        notice::{Channel, Notice, NoticeKind},
        outbox::{Message, Outbox},
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
    /// Tells of something that was done in a session, or in none, in the app that was used last.
    pub(super) fn tell(
        &mut self,
        kind: NoticeKind,
        account: AccountId,
        session: Option<SessionId>,
        rules: &Rules,
        now: Timestamp,
        outbox: &mut Outbox,
    ) {
        let here = self.sessions.iter().find(|known| Some(known.id) == session);
        let last = here.or_else(|| self.sessions.iter().max_by_key(|known| known.last_used()));
        let app = last.map(|session| session.app.clone()).unwrap_or_default();
        let device = here.map(|session| session.device);
        self.notify(&Occasion { kind, account, session, device, app: &app, rules, now }, outbox);
    }

    /// Tells whoever is to be told, one letter for each channel, within the person's caps.
    pub(super) fn notify(&mut self, occasion: &Occasion<'_>, outbox: &mut Outbox) {
        let Occasion { kind, account, session, device, app, rules, now } = *occasion;
        let number = self.notices.count(now);
        let mut post = |channel, app: &str| {
            let app = app.to_owned();
            let notice = Notice { number, kind, account, session, device, app, at: now, channel };
            outbox.post(Message::Notify(Box::new(notice)), now);
        };
        if rules.notices.webhooks {
            post(Channel::Webhooks, app);
        }
        if !kind.is_personal() {
            return;
        }
        let speaks = |known: &&Device| match kind {
            // Only trusted ones can answer a question.
            NoticeKind::ApprovalRequested => self.trust_of(known.id, rules, now) == Trust::Trusted,
            _ => self.has_standing(known.id, rules, now),
        };
        let speakers = self.devices.iter().filter(|_| rules.notices.pushes.is_some()).filter(speaks);
        let speakers: Vec<Device> = speakers.cloned().collect();
        let mut is_heard = false;
        for known in &speakers {
            // A push token belongs to the app that was used on its device last.
            let alive = self
                .sessions
                .iter()
                .filter(|session| session.device == known.id && session.is_alive(now, &rules.lifetimes));
            let last = alive.max_by_key(|session| session.last_used());
            if let (Some(to), Some(session)) = (&known.profile.push_token, last)
                && Some(known.id) != device
            {
                // One that came in by the number alone may be anybody's, also the first.
                is_heard |= self.trust_of(known.id, rules, now) != Trust::New;
                if self.notices.may_push(kind, &rules.notices) {
                    post(Channel::Push(to.clone(), known.profile.platform), &session.app);
                }
            }
        }
        let phone = self.phone().filter(|_| !self.number_is_in_doubt(now)).map(|phone| phone.value.clone());
        let has_phone = phone.is_some();
        if let Some(phone) = phone.filter(|_| kind.warns() && (!is_heard || kind.is_of_number()))
            && self.notices.may_text(kind, &rules.notices)
        {
            post(Channel::Sms(phone), app);
        }
        // Where no SMS can reach the owner, an address may.
        let by_email = kind.costs_number() || kind.warns() && !is_heard && !has_phone;
        let email = self.email().filter(|_| by_email).map(|email| email.value.clone());
        if let Some(email) = email
            && self.notices.may_text(kind, &rules.notices)
        {
            post(Channel::Email(email), app);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Operation,
        tests::{RULES, from_text, sign_in},
    };
    use super::*;
    use crate::model::{notice::NoticeRules, object::Document};

    const TOLD: Rules = Rules {
        notices: NoticeRules { webhooks: true, pushes: Some(3), sms: 1 },
        trust: crate::model::device_trust::TrustRules { known_days: 2, ..RULES.trust },
        ..RULES
    };

    fn channels(outbox: &Outbox) -> Vec<String> {
        let letters = serde_json::to_value(outbox).unwrap();
        let letters = letters["letters"].as_array().unwrap().clone();
        let channel = |letter: &serde_json::Value| {
            let channel = &letter["message"]["notify"]["channel"];
            let pushed = channel.pointer("/push/0").and_then(|to| to.as_str());
            pushed.or(channel.as_str()).or(channel.pointer("/sms").map(|_| "sms")).map(str::to_owned)
        };
        letters.iter().filter_map(channel).collect()
    }

    /// An account with a known phone and tablet, and a new laptop that waits.
    fn account() -> Document<Account> {
        let mut document = Document::<Account>::empty();
        for (seed, push_token) in [(1, Some("k1.phone")), (2, Some("k1.tablet")), (3, None)] {
            for day in [0, 1] {
                let mut login = sign_in(seed, (day == 1).then(|| format!("digest-{seed}")));
                login.session = SessionId::from_bytes([seed + 10 * day; 16]);
                login.profile.push_token = push_token.map(from_text);
                login.rules = Rules { sessions: 10, ..RULES };
                let now = Timestamp::from_secs(i64::from(day) * 86_400);
                document.apply(Operation::SignIn(Box::new(login)), now);
            }
        }
        document
    }

    fn told(document: Document<Account>, kind: NoticeKind, rules: &Rules) -> Vec<String> {
        let mut state: Account =
            serde_json::from_value(serde_json::to_value(document).unwrap()["state"].take()).unwrap();
        let mut outbox = Outbox::default();
        let (account, now) = (AccountId::from_bytes([100; 16]), Timestamp::from_secs(2 * 86_400));
        let device = Some(DeviceId::from_bytes([1; 16]));
        let occasion = Occasion { kind, account, session: None, device, app: "default", rules, now };
        state.notify(&occasion, &mut outbox);
        channels(&outbox)
    }

    #[test]
    fn each_kind_goes_its_way() {
        // Not to the phone that it is about.
        for kind in NoticeKind::ALL.iter().filter(|kind| kind.is_personal()) {
            // Merely known ones are told, but not asked.
            let heard: &[&str] = match kind {
                NoticeKind::ApprovalRequested => &["webhooks"],
                NoticeKind::PhoneChangeRequested | NoticeKind::PhoneChanged => {
                    &["webhooks", "k1.tablet", "sms"]
                }
                _ => &["webhooks", "k1.tablet"],
            };
            assert_eq!(told(account(), *kind, &TOLD), heard, "{kind:?}");
        }
        assert_eq!(told(account(), NoticeKind::AccountCreated, &TOLD), ["webhooks"]);
        // Where nobody can push, warnings go by SMS, and what is asked for goes nowhere.
        let deaf = Rules { notices: NoticeRules { webhooks: false, pushes: None, sms: 1 }, ..TOLD };
        for kind in [NoticeKind::NewDevice, NoticeKind::TokenReused, NoticeKind::ApprovalDenied] {
            assert_eq!(told(account(), kind, &deaf), ["sms"], "{kind:?}");
        }
        assert!(told(account(), NoticeKind::ApprovalRequested, &deaf).is_empty());
        let silent = Rules { notices: NoticeRules { sms: 0, ..deaf.notices }, ..TOLD };
        assert!(told(account(), NoticeKind::NewDevice, &silent).is_empty());
    }

    #[test]
    fn an_outbox_keeps_the_newest_notices_and_everything_else() {
        use crate::model::outbox::NOTICES_WAITING;
        let mut outbox = Outbox::default();
        let mut account = Account::default();
        let now = Timestamp::from_secs(0);
        outbox.post(Message::RetractDevice { token_digest: "d".to_owned() }, now);
        let (id, kind) = (AccountId::from_bytes([1; 16]), NoticeKind::AccountCreated);
        let occasion =
            Occasion { kind, account: id, session: None, device: None, app: "a", rules: &TOLD, now };
        for _ in 0..NOTICES_WAITING + 5 {
            account.notify(&occasion, &mut outbox);
        }
        let letters = serde_json::to_value(&outbox).unwrap()["letters"].as_array().unwrap().clone();
        assert_eq!(letters.len(), NOTICES_WAITING + 1);
        assert!(letters[0]["message"].get("retract_device").is_some());
        assert_eq!(letters[1]["message"]["notify"]["number"], 6);
    }
}
