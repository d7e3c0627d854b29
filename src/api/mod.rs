//! Floor 5: the HTTP contract, as plain values in and out. No framework, no I/O of its own.

pub mod account;
pub mod accounts;
pub mod appeals;
pub mod approvals;
pub mod backend;
pub mod body;
pub mod case_support;
pub mod cookie;
pub mod cors;
pub mod devices;
pub mod fresh_proof;
pub mod friends;
pub mod http;
pub mod identities;
pub mod identity_login;
pub mod import;
pub mod language;
pub mod login;
pub mod login_history;
pub mod login_result;
pub mod meta;
pub mod number_proof;
pub mod numbers;
pub mod oauth;
pub mod objections;
pub mod one_tap;
pub mod otp;
pub mod own;
pub mod password;
pub mod problem;
pub mod receipts;
pub mod request_id;
pub mod routes;
pub mod session;
pub mod sessions;
pub mod step_up;
mod step_up_required;
pub mod supplied;

use crate::{
    journeys::{
        Failure, Service,
        claim::Claim,
        otp::AfterSend,
        settings::Environment,
        spent::{Spent, SpentCode},
    },
    kernel::fault::Fault,
    model::refusal::Code,
    ports::World,
};
use http::{HttpIn, HttpOut};
use problem::Problem;
use routes::Found;

/// An answer, and what is left to do when the client has it.
#[derive(Debug)]
pub struct Served {
    /// The answer.
    pub out: HttpOut,
    /// For the one log line.
    pub log: LogLine,
    /// To be passed to [`finish`] after the answer, one by one.
    pub after: Vec<After>,
}

/// What a request leaves in the log: nothing of what it carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Method and pattern of the route, never the path itself.
    pub route: &'static str,
    /// `ok`, the problem's code, or `repeated` for a problem that was kept.
    pub code: &'static str,
    /// What went wrong inside, when it was our fault.
    pub fault: Option<Fault>,
    /// Id of the request.
    pub request_id: String,
}

/// Work after the answer.
#[derive(Debug)]
pub enum After {
    /// Keep the reply for repeats.
    KeepReply {
        /// The attempt it answers.
        claim: Claim,
        /// The reply, as [`http::HttpOut::pack`] made it.
        reply: Vec<u8>,
    },
    /// Settle a code that was sent.
    Send(AfterSend),
    /// Tell the guards of a code that came back.
    NoteSpent(SpentCode),
}

/// Answers one request.
pub async fn serve<W: World>(service: Service<'_, W>, mut request: HttpIn) -> Served {
    let mut fresh = [0; 16];
    // Without entropy the id is all zeroes; the request itself will fail where it needs some.
    let _ = service.world.fill(&mut fresh);
    request.id = request_id::take_or_make(request.header("x-request-id"), fresh);
    let found = routes::find(&request.method, &request.path);
    let reply = match &found {
        Found::Route(_) if !service.world.admits(&request.address).await => {
            Problem { retry_after: Some(10), ..Problem::of(Code::RateLimited) }.into()
        }
        Found::Route(route) => routes::run(service, route, &request).await,
        Found::OtherMethods(allow) => cors::preflight(service.settings, &found, &request)
            .unwrap_or_else(|| Problem { allow: Some(allow), ..Problem::method_not_allowed() }.into()),
        Found::Nothing => Problem::of(Code::NotFound).into(),
    };
    let mut served = finish_answer(reply, &found, &request);
    cors::add_headers(service.settings, &found, &request, &mut served.out);
    served
}

/// Does what an answer left to do.
///
/// # Errors
/// [`Fault`]: it could not be done; the client is not affected unless it repeats its request.
pub async fn finish<W: World>(service: Service<'_, W>, after: After) -> Result<(), Fault> {
    match after {
        After::KeepReply { claim, reply } => service.keep_reply(claim, &reply).await,
        After::Send(after) => service.after_send(after).await,
        After::NoteSpent(code) => service.note_spent(code).await,
    }
}

/// Answers a request to a deployment whose configuration has problems.
pub fn misconfigured(
    request: &mut HttpIn,
    problems: &[String],
    environment: Environment,
    fresh: [u8; 16],
) -> Served {
    request.id = request_id::take_or_make(request.header("x-request-id"), fresh);
    let found = routes::find(&request.method, &request.path);
    let detail = (environment == Environment::Development).then(|| problems.join("; ").into());
    let reply = Problem { detail, ..Problem::misconfigured() }.into();
    finish_answer(reply, &found, request)
}

/// Answers a request whose handling broke off in the middle.
pub fn broken_off(request: &mut HttpIn, fresh: [u8; 16]) -> Served {
    request.id = request_id::take_or_make(request.header("x-request-id"), fresh);
    let found = routes::find(&request.method, &request.path);
    finish_answer(Problem::internal(Fault::new("broke_off")).into(), &found, request)
}

/// What a handler returns.
#[derive(Debug)]
pub enum Reply {
    /// 200 with a JSON body.
    Json(Vec<u8>),
    /// 202 with a JSON body.
    Accepted(Vec<u8>),
    /// An answer that is complete: one kept from the first of equal requests, or with headers of its own.
    Ready(HttpOut),
    /// A problem.
    Problem(Box<Problem>),
    /// One of the above, and what is left to do after it.
    Then(Box<Self>, Box<Then>),
    /// One of the above, and cookies to set.
    Cookies(Box<Self>, Vec<String>),
}

/// What a handler leaves to do after the answer.
#[derive(Debug)]
pub enum Then {
    /// Keep the answer under this claim.
    KeepReply(Claim),
    /// Settle a code that was sent.
    AfterSend(AfterSend),
    /// Tell the guards of a code that came back.
    NoteSpent(SpentCode),
}

impl Reply {
    /// 204.
    pub const fn nothing() -> Self {
        Self::Ready(HttpOut { status: 204, headers: Vec::new(), body: Vec::new() })
    }

    /// 204, or why not.
    pub fn done(result: Result<(), Failure>) -> Self {
        result.map_or_else(|failure| Problem::from(failure).into(), |()| Self::nothing())
    }

    /// With something left to do.
    #[must_use]
    pub fn then(self, then: Option<Then>) -> Self {
        match then {
            Some(then) => Self::Then(Box::new(self), Box::new(then)),
            None => self,
        }
    }

    /// With what the request has spent.
    #[must_use]
    pub fn after(self, spent: Spent) -> Self {
        let claims = spent.claims.into_iter().map(Then::KeepReply);
        let thens = claims.chain(spent.codes.into_iter().map(Then::NoteSpent));
        thens.fold(self, |reply, then| reply.then(Some(then)))
    }

    /// With cookies to set.
    #[must_use]
    pub fn with_cookies(self, cookies: Vec<String>) -> Self {
        Self::Cookies(Box::new(self), cookies)
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let Some(kept) = &problem.answered else { return Self::Problem(Box::new(problem)) };
        let kept = HttpOut::unpack(kept.expose()).map(Self::Ready);
        kept.unwrap_or_else(|| Self::Problem(Box::new(problem)))
    }
}

impl From<Result<Self, Problem>> for Reply {
    fn from(result: Result<Self, Problem>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

fn finish_answer(mut reply: Reply, found: &Found, request: &HttpIn) -> Served {
    let (mut thens, mut cookies) = (Vec::new(), Vec::new());
    let reply = loop {
        reply = match reply {
            Reply::Then(inner, then) => {
                thens.push(*then);
                *inner
            }
            Reply::Cookies(inner, more) => {
                cookies.extend(more);
                *inner
            }
            plain => break plain,
        };
    };
    let (mut out, code, fault) = match reply {
        Reply::Json(body) => (HttpOut::json(200, body), "ok", None),
        Reply::Accepted(body) => (HttpOut::json(202, body), "ok", None),
        Reply::Ready(out) if out.status < 400 => (out, "ok", None),
        Reply::Ready(out) => (out, "repeated", None),
        Reply::Problem(problem) => {
            // Whatever went wrong: who cannot sign in by one tap can by SMS.
            let problem = if found.is_one_tap() { problem.or_otp() } else { *problem };
            (problem.render(request.language(), &request.id, found.is_oauth()), problem.code(), problem.fault)
        }
        // Taken apart above.
        Reply::Then(..) | Reply::Cookies(..) => (HttpOut::json(500, Vec::new()), "internal", None),
    };
    out.headers.extend(cookies.into_iter().map(|cookie| ("set-cookie", cookie)));
    let after = thens.into_iter().map(|then| match then {
        Then::KeepReply(claim) => After::KeepReply { claim, reply: out.pack() },
        Then::AfterSend(after) => After::Send(after),
        Then::NoteSpent(code) => After::NoteSpent(code),
    });
    let after = after.collect();
    out.add_common_headers(&request.id);
    if request.is_head {
        out.body.clear();
    }
    let log = LogLine { route: found.name(), code, fault, request_id: request.id.clone() };
    Served { out, log, after }
}
