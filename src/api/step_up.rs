//! `/v1/step-up/...`: what a device does whose sign-in waits.

use std::time::Duration;

use super::{
    Reply,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    login,
    login_result::{DEVICE_APPROVAL, login_result},
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        device_proof::GivenProof,
        settings::Settings,
        sign_in::Entry,
        step_up::{Holder, LONGEST_WAIT},
    },
    kernel::secret::Secret,
    model::refusal::Code,
    ports::World,
};

/// Longest ticket looked at, characters; ours are shorter.
pub const MAX_TICKET: usize = 512;

/// `POST /v1/step-up/state`
pub(super) async fn state<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let wait = body.optional_seconds("wait", LONGEST_WAIT.as_secs()).unwrap_or(0);
    let asked = Asked::read(service.settings, request, body, Some(()))?;
    let until = service.world.now().plus(Duration::from_secs(wait));
    asked.answer(&service.await_step_up(&asked.holder(), until).await?)
}

/// `POST /v1/step-up/start`
pub(super) async fn start<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let method = method(&mut body);
    let asked = Asked::read(service.settings, request, body, method)?;
    asked.answer(&service.ask_trusted_devices(&asked.holder()).await?)
}

/// `POST /v1/step-up/complete`
pub(super) async fn complete<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let method = method(&mut body);
    let asked = Asked::read(service.settings, request, body, method)?;
    let now = service.world.now();
    asked.answer(&service.await_step_up(&asked.holder(), now).await?)
}

fn method(body: &mut Fields) -> Option<()> {
    body.choice("method", &[(DEVICE_APPROVAL, ())])
}

struct Asked {
    ticket: String,
    device_token: Secret<String>,
    proof: Option<GivenProof>,
    transport: Transport,
}

impl Asked {
    fn read(
        settings: &Settings,
        request: &HttpIn,
        mut body: Fields,
        rest: Option<()>,
    ) -> Result<Self, Problem> {
        let ticket = body.text("ticket", MAX_TICKET);
        let transport = login::transport(&mut body);
        // Of the device only the token counts here; the rest was said at the sign-in.
        let device = body.object("device").map(|mut device| {
            let token = device.optional_text("token", 256).map(Secret::new);
            body.absorb_open(device);
            token
        });
        let ((ticket, named), ()) = body.finish(ticket.zip(device).zip(rest))?;
        let kept = match transport {
            Transport::Body => None,
            Transport::Cookie => cookie::device_token(settings, request)?,
        };
        let device_token = named.or(kept).ok_or(Problem::of(Code::TicketInvalid))?;
        Ok(Self { ticket, device_token, proof: login::proof(request), transport })
    }

    fn holder(&self) -> Holder<'_> {
        Holder { ticket: &self.ticket, device_token: &self.device_token, proof: self.proof.as_ref() }
    }

    fn answer(&self, entry: &Entry) -> Result<Reply, Problem> {
        let reply = login_result(entry, self.transport, Some(&self.device_token))?;
        Ok(match (entry, self.transport) {
            (Entry::SignedIn(_), Transport::Cookie) => reply.with_cookies(vec![cookie::waits_no_more()]),
            _ => reply,
        })
    }
}
