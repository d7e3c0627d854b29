//! Telling people and backends what happened to an account.
//!
//! An account's outbox hands a notice to the queue, which brings it here until it has arrived, or is too old to be
//! told. What is sealed is opened here and nowhere before.

use std::time::Duration;

use super::{
    Service,
    provider::{Caller, Tender},
    sealed::PUSH_TOKEN,
    sms::{Parcel, Text},
};
use crate::{
    kernel::{
        email::EmailAddress,
        fault::Fault,
        http::HttpRequest,
        seal::Sealed,
        secret::Secret,
        table::Table,
        time::Timestamp,
        webhook::{payload, signatures},
    },
    model::{
        challenge::Destination,
        handle::EMAIL,
        notice::{Channel, Notice},
        platform::Platform,
    },
    ports::{ProviderCall, World},
    providers::{Answer, Capability, NOTICE},
    rules::webhooks::Webhook,
};

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It arrived.
    Done,
    /// Not yet: it is to be brought again after this time.
    Later(Duration),
    /// It will not be told any more, and why.
    GivenUp(&'static str),
}

/// Time for a webhook's answer.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for the vendors of one SMS or push together.
const VENDORS_TIME: Duration = Duration::from_secs(10);

/// A person is told within this time or not at all.
const PERSONAL_LIFE: Duration = Duration::from_secs(3600);

/// The shortest and the longest wait before a notice is tried again. In between it waits as long as it has been tried
/// already, so that the waits double.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

impl<W: World> Service<'_, W> {
    /// Takes a notice from an account's outbox to the queue.
    ///
    /// # Errors
    /// [`Fault`]: the queue did not take all of it; what it took comes twice.
    pub(super) async fn hand_over(&self, notice: &Notice) -> Result<(), Fault> {
        if self.world.now().since(notice.at) >= self.life(&notice.channel) {
            self.world.fault_passed_over(Fault::new("notice_given_up"));
            return Ok(());
        }
        if notice.channel != Channel::Webhooks {
            return self.world.enqueue(notice).await;
        }
        for hook in self.settings.webhooks.iter().filter(|hook| hook.wants(notice)) {
            let channel = Channel::Webhook(hook.name.clone());
            self.world.enqueue(&Notice { channel, ..notice.clone() }).await?;
        }
        Ok(())
    }

    /// Brings a notice from the queue to where it belongs. The same may come more than once.
    pub async fn deliver_notice(&self, notice: &Notice) -> Told {
        let told = match &notice.channel {
            Channel::Webhook(name) => match self.settings.webhooks.iter().find(|hook| hook.name == *name) {
                Some(hook) => self.call_webhook(hook, notice).await,
                None => Told::GivenUp("not_set_up"),
            },
            Channel::Push(to, platform) => self.send_push(notice, to, *platform).await,
            Channel::Sms(to) | Channel::Email(to) => self.send_text(notice, to).await,
            // It becomes several before it comes here.
            Channel::Webhooks => Told::GivenUp("not_set_up"),
        };
        let Told::Later(_) = told else { return told };
        let age = self.world.now().since(notice.at);
        let wait = age.clamp(WAITS.0, WAITS.1);
        if age.saturating_add(wait) <= self.life(&notice.channel) {
            Told::Later(wait)
        } else {
            Told::GivenUp("too_old")
        }
    }

    fn life(&self, channel: &Channel) -> Duration {
        match channel {
            Channel::Webhooks | Channel::Webhook(_) => {
                Duration::from_secs(self.settings.limits.webhook_retry_seconds)
            }
            Channel::Push(..) | Channel::Sms(_) | Channel::Email(_) => PERSONAL_LIFE,
        }
    }

    async fn call_webhook(&self, hook: &Webhook, notice: &Notice) -> Told {
        let (id, now) = (notice.id(), self.world.now());
        // Ids and nothing else.
        let data = [
            ("account", Some(notice.account.to_string())),
            ("session", notice.session.map(|session| session.to_string())),
            ("device", notice.device.map(|device| device.to_string())),
            ("app", Some(notice.app.clone())),
        ];
        let body = payload(&id, notice.kind.name(), notice.at, &data);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-timestamp", now.secs().to_string()),
            ("webhook-signature", signatures(&hook.secrets, &id, now.secs(), &body)),
            ("webhook-id", id),
        ];
        let request = HttpRequest {
            method: "POST",
            url: hook.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            body: body.into_bytes(),
            timeout: WEBHOOK_TIMEOUT,
        };
        let status = self.world.send(request).await.map_or(0, |reply| reply.status);
        let told = match status {
            200..=299 => Told::Done,
            // The receiver wants no more of this.
            410 => Told::GivenUp("gone"),
            _ => Told::Later(WAITS.0),
        };
        let outcome = if told == Told::Done { "ok" } else { "unavailable" };
        self.world.provider_called(ProviderCall {
            provider: "webhook".to_owned(),
            capability: "webhook",
            outcome,
            vendor_code: Some(format!("http_{status}")).filter(|_| status > 0),
            millis: millis_between(now, self.world.now()),
        });
        told
    }

    async fn send_push(&self, notice: &Notice, to: &Sealed, platform: Platform) -> Told {
        let Ok(token) = self.open_text(notice.account, PUSH_TOKEN, to) else { return UNREADABLE };
        let (app, id) = (notice.app.as_str(), notice.id());
        let caller = Caller { app, platform, address: "", request_id: &id };
        let Some(choice) = self.choices(Capability::Push, &caller).next() else {
            return Told::GivenUp("not_set_up");
        };
        let text = self.settings.messages.notice(app, notice.kind, notice.at);
        let mut brought = Table::new();
        for (name, value) in
            [("text", text), ("notice", id.clone()), ("event", notice.kind.name().to_owned())]
        {
            brought.insert(name.to_owned(), Secret::new(value));
        }
        brought.insert("to".to_owned(), Secret::new(token));
        let tender = Tender::of(choice, &caller, Capability::Push, u64::MAX);
        match self.offer(&Tender { credential: &brought, timeout: VENDORS_TIME, ..tender }).await {
            Ok(Answer::Accepted { .. }) => Told::Done,
            Ok(Answer::Rejected { .. } | Answer::AccountFault { .. }) => Told::GivenUp("refused"),
            // A push that comes twice does no harm.
            _ => Told::Later(WAITS.0),
        }
    }

    async fn send_text(&self, notice: &Notice, to: &Sealed) -> Told {
        let to = match &notice.channel {
            Channel::Email(_) => self
                .open_text(notice.account, EMAIL, to)
                .ok()
                .and_then(|address| EmailAddress::parse(&address).map(Destination::Email)),
            _ => self.open_phone(notice.account, to).ok().map(Destination::Phone),
        };
        let Some(to) = to else { return UNREADABLE };
        let (app, id, messages) = (notice.app.as_str(), notice.id(), &self.settings.messages);
        let parcel = Parcel {
            to: &to,
            purpose: NOTICE,
            language: messages.language(app),
            caller: &Caller { app, platform: Platform::Web, address: "", request_id: &id },
            deadline: self.world.now().plus(VENDORS_TIME),
        };
        // No vendor, no template, or a country that gets no messages.
        let Ok(letter) = self.letter(&parcel) else { return Told::GivenUp("not_set_up") };
        let signed = to.phone().is_some_and(|phone| phone.chinese_national().is_some());
        let text = Text {
            subject: to
                .phone()
                .map_or_else(|| messages.name(app, parcel.language).to_owned(), |_| String::new()),
            text: Secret::new(messages.notice_by_sms(app, notice.kind, notice.at, signed)),
            values: vec![("app", messages.name(app, parcel.language).to_owned())],
        };
        let (sent, calls) = self.send_letter(&letter, &text, &parcel).await;
        self.note_calls(calls).await;
        // One that may be on its way is not sent again.
        sent.map_or(Told::Later(WAITS.0), |_| Told::Done)
    }
}

const UNREADABLE: Told = Told::GivenUp("sealed_value_does_not_open");

fn millis_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}
