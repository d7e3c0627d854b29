//! The queue of notices: filling it, and what it brings.

use worker::{Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, event};

use super::{config, js, log, world::EdgeWorld};
use crate::{
    journeys::{Service, notices::Told, settings::Settings},
    kernel::{fault::Fault, json},
    model::notice::Notice,
    ports::NoticeQueue,
};

/// When a message is tried again that nobody could look at.
const UNTIL_MENDED: u32 = 600;

impl NoticeQueue for EdgeWorld {
    async fn enqueue(&self, notice: &Notice) -> Result<(), Fault> {
        let fault = Fault::new("notice_not_enqueued");
        let queue = js::get(&self.env, config::NOTICES).ok_or(fault)?;
        let as_text = js::object(&[("contentType", "text".into())]).ok_or(fault)?;
        let message = [json::write(notice)?.into(), as_text];
        js::ask(&queue, "send", &message).await.map(|_| ()).ok_or(fault)
    }
}

/// Notices that are due: one at a time, as the queue is set up, so that none waits for another's slow webhook. Never
/// fails: the platform would bring all of them again.
#[event(queue)]
async fn queue(batch: MessageBatch<()>, env: Env, _: Context) -> worker::Result<()> {
    for message in batch.raw_iter() {
        match &config::of(&env).settings {
            Ok(settings) => bring(&message, settings, &env).await,
            Err(_) => again(&message, UNTIL_MENDED),
        }
    }
    Ok(())
}

async fn bring(message: &RawMessage, settings: &Settings, env: &Env) {
    let body = message.body().as_string().unwrap_or_default();
    let Some(notice) = json::read::<Notice>(body.as_bytes()) else {
        // A build that is rolled out just now may know it; where none does it is dropped after its last try.
        log::fault("notice", Fault::new("notice_does_not_parse"));
        return again(message, UNTIL_MENDED);
    };
    let world = EdgeWorld::without_request(env.clone(), settings.clock_skew_seconds);
    let told = Service { settings, world: &world }.deliver_notice(&notice).await;
    log::notice(&notice, told, &world.take_calls());
    match told {
        Told::Done | Told::GivenUp(_) => message.ack(),
        Told::Later(wait) => again(message, u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)),
    }
}

fn again(message: &RawMessage, seconds: u32) {
    message.retry_with_options(&QueueRetryOptionsBuilder::new().with_delay_seconds(seconds).build());
}
