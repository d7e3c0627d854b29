//! Floor 6: the only room that knows Cloudflare.
//!
//! Thin on purpose: it turns platform values into ours and back. A decision found here belongs elsewhere.

mod back_office;
mod case_images;
mod challenges;
mod clock;
mod config;
mod convert;
mod device_records;
mod ended_sessions;
mod fetch;
#[cfg(feature = "test-hooks")]
mod hooks;
mod js;
mod kv;
mod log;
mod object;
mod objects;
mod passwords;
mod publications;
mod queue;
mod signatures;
mod world;

use futures_channel::oneshot;
use worker::{Context, Env, Request, Response, event};

use crate::{
    api::{
        self, Served,
        http::{HttpIn, most_bytes},
    },
    journeys::Service,
};
use world::EdgeWorld;

/// Every HTTP request. Never fails: the platform would log the error's text.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let mut head = convert::head(&request);
    let (answer, answered) = oneshot::channel();
    let journey = run(head.clone(), request, env, answer);
    // A client that hangs up cancels the request's own future, in the middle of a journey. So the journey runs
    // beside it, to its end: its reply is then there for the repeat.
    context.wait_until(journey);
    match answered.await {
        Ok(response) => Ok(response),
        // It panicked, and the build unwinds.
        Err(oneshot::Canceled) => {
            let served = api::broken_off(&mut head, clock::entropy());
            log::request(&served.log, &[], 0);
            Ok(convert::response(served.out))
        }
    }
}

async fn run(mut request: HttpIn, body: Request, env: Env, answer: oneshot::Sender<Response>) {
    let started = clock::platform_millis();
    #[cfg(feature = "test-hooks")]
    hooks::at_start(&request);
    request.body = convert::body(body, most_bytes(&request.path)).await;
    let config = config::of(&env);
    let world = EdgeWorld::new(env, config.skew_seconds, &request);
    let served = match &config.settings {
        Ok(settings) => api::serve(Service { settings, world: &world }, request).await,
        Err(problems) => api::misconfigured(&mut request, problems, config.environment, clock::entropy()),
    };
    let Served { out, log, after } = served;
    // Nobody may be listening any more; the work goes on all the same.
    let _ = answer.send(convert::response(out));
    let millis = clock::platform_millis().saturating_sub(started);
    log::request(&log, &world.take_calls(), millis);
    let Ok(settings) = &config.settings else { return };
    for after in after {
        if let Err(fault) = api::finish(Service { settings, world: &world }, after).await {
            log::fault("after_answer", fault);
        }
    }
}
