//! `/v1/step-up/...`: what a device does whose sign-in waits.

use std::time::Duration;

use super::{
    Reply, Then,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    import, login,
    login_result::{login_result, with_challenge},
    number_proof,
    otp::DEADLINE,
    own, password,
    problem::Problem,
    step_up_required::CHOICES,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        device_proof::GivenDeviceProof,
        number_proof::OtpProof,
        otp::Challenged,
        own_profile::MAX_DISPLAY_NAME,
        owner_proof::{CodeAtTicket, CodeTo},
        settings::Settings,
        sign_in::Entry,
        spent::Spent,
        step_up::{Holder, LONGEST_WAIT},
    },
    kernel::{id::TrustedPhoneId, id_number::IdNumber, secret::Secret},
    model::{
        owner_proof::{ProofKind, STRONG, WEAK},
        platform::Platform,
        questions::{OPTIONS, ROUNDS},
        refusal::Code,
    },
    ports::World,
};

/// Longest ticket looked at, characters; ours are shorter.
pub const MAX_TICKET: usize = 512;

/// What a device does that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `POST /v1/step-up/state`
    State,
    /// `POST /v1/step-up/claim`
    Claim,
    /// `POST /v1/step-up/start`
    Start,
    /// `POST /v1/step-up/complete`
    Complete,
}

/// `POST /v1/step-up`: the app asks who is signed in for a proof, for an action of its own.
pub(super) async fn ask<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let mut body = Fields::read(request)?;
    let purpose = body.text("purpose", MAX_PURPOSE).and_then(|text| {
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte));
        if is_name { Some(text) } else { body.wrong("purpose", "must be letters, digits, _ . - or :") }
    });
    let need = body.number("minStrength", u64::from(WEAK)..=u64::from(STRONG));
    let (purpose, need) = body.finish(purpose.zip(need))?;
    let need = u8::try_from(need).unwrap_or(STRONG);
    let entry = service.ask_for_action(doer, &purpose, need).await?;
    login_result(&entry, Transport::Body, None)
}

/// Longest purpose of an action, characters.
pub const MAX_PURPOSE: usize = 64;

/// What it wants, as read from the body.
pub(super) enum Wanted {
    Look(u64),
    Choose(bool),
    AskDevices,
    Code(CodeTo, Option<Secret<String>>),
    ProveByCode(String, Secret<String>),
    ProveByPassword(Secret<String>),
    ProveByName(Secret<String>, IdNumber),
    AskQuestions,
    AskFriends,
    AnswerQuestion(usize, usize),
}

/// `POST /v1/step-up/state`, `claim`, `start` and `complete`.
pub(super) async fn take<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    step: Step,
) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let wanted = match step {
        Step::State => Some(Wanted::Look(body.optional_seconds("wait", LONGEST_WAIT.as_secs()).unwrap_or(0))),
        Step::Claim => body.choice("choice", &CHOICE).map(Wanted::Choose),
        Step::Start => body.choice("method", &METHODS).and_then(|kind| to_start(kind, &mut body)),
        Step::Complete => body.choice("method", &METHODS).and_then(|kind| to_complete(kind, &mut body)),
    };
    let (asked, wanted) = Asked::read(service.settings, request, body, wanted)?;
    let (holder, now) = (asked.holder(), service.world.now());
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let (mut challenged, mut spent) = (None, Spent::default());
    let entry = match &wanted {
        Wanted::Look(wait) => service.await_step_up(&holder, now.plus(Duration::from_secs(*wait))).await,
        Wanted::Choose(mine) => {
            service.choose_account(&holder, *mine, &login::caller(request, "", Platform::Web)).await
        }
        Wanted::AskDevices => service.ask_trusted_devices(&holder).await,
        Wanted::Code(to, captcha) => {
            let code = CodeAtTicket {
                holder,
                address: &request.address,
                request_id: &request.id,
                language: request.language(),
                captcha: captcha.as_ref(),
                attempt,
                deadline: now.plus(DEADLINE),
            };
            service.send_code_at_ticket(&code, *to).await.map(|(entry, sent)| {
                challenged = sent;
                entry
            })
        }
        Wanted::ProveByCode(challenge, code) => {
            let proof = OtpProof { challenge, code, attempt };
            service.prove_by_code(&holder, &proof, &mut spent).await
        }
        Wanted::ProveByPassword(password) => service.prove_by_password(&holder, password).await,
        Wanted::ProveByName(name, id) => service.prove_by_name(&holder, name, id).await,
        Wanted::AskFriends => service.ask_friends(&holder, &request.address).await,
        Wanted::AskQuestions => service.ask_questions(&holder, request.language()).await,
        Wanted::AnswerQuestion(round, option) => service.answer_question(&holder, *round, *option).await,
    };
    let entry = entry.map_err(Problem::from);
    let reply = Reply::from(entry.and_then(|entry| asked.answer(&entry, challenged.as_ref())));
    let sent = challenged.and_then(|sent| sent.after);
    Ok(reply.after(spent).then(sent.map(Then::AfterSend)))
}

const CHOICE: [(&str, bool); 2] = [(CHOICES[0], true), (CHOICES[1], false)];

const METHODS: [(&str, ProofKind); 7] = {
    let [device, phone, password, friends, questions, email, name] = ProofKind::ALL;
    [
        (device.name(), device),
        (phone.name(), phone),
        (password.name(), password),
        (friends.name(), friends),
        (questions.name(), questions),
        (email.name(), email),
        (name.name(), name),
    ]
};

fn to_start(kind: ProofKind, body: &mut Fields) -> Option<Wanted> {
    match kind {
        ProofKind::DeviceApproval => Some(Wanted::AskDevices),
        ProofKind::TrustedPhone => {
            let captcha = login::captcha(body);
            phone_id(body).map(|id| Wanted::Code(CodeTo::Phone(id), captcha))
        }
        ProofKind::EmailCode => Some(Wanted::Code(CodeTo::Email, login::captcha(body))),
        ProofKind::HistoryQuestions => Some(Wanted::AskQuestions),
        ProofKind::Friends => Some(Wanted::AskFriends),
        // Nothing has to be begun.
        _ => Some(Wanted::Look(0)),
    }
}

fn to_complete(kind: ProofKind, body: &mut Fields) -> Option<Wanted> {
    match kind {
        // Others say it.
        ProofKind::DeviceApproval | ProofKind::Friends => Some(Wanted::Look(0)),
        ProofKind::Password => password::password(body, "password").map(Wanted::ProveByPassword),
        ProofKind::HistoryQuestions => {
            let most = |count: usize| u64::try_from(count.saturating_sub(1)).unwrap_or(0);
            let round = body.number("round", 0..=most(ROUNDS));
            let option = body.number("option", 0..=most(OPTIONS));
            let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            round.zip(option).map(|(round, option)| Wanted::AnswerQuestion(index(round), index(option)))
        }
        ProofKind::NameId => {
            let name = body.text("name", MAX_DISPLAY_NAME).map(Secret::new);
            let id = import::id_number_of(body.text("idNumber", MAX_DISPLAY_NAME), body);
            name.zip(id).map(|(name, id)| Wanted::ProveByName(name, id))
        }
        _ => number_proof::code(body).map(|(challenge, code)| Wanted::ProveByCode(challenge, code)),
    }
}

/// Reads `device`, of which only the token counts where something waits: the rest was said at the sign-in.
pub(super) fn device_token(body: &mut Fields) -> Option<Option<Secret<String>>> {
    let mut device = body.object("device")?;
    let token = device.optional_text("token", 256).map(Secret::new);
    body.absorb_open(device);
    Some(token)
}

/// The token of a device, as it was named or as a cookie keeps it.
pub(super) fn named_or_kept(
    settings: &Settings,
    request: &HttpIn,
    transport: Transport,
    named: Option<Secret<String>>,
) -> Result<Option<Secret<String>>, Problem> {
    match (named, transport) {
        (None, Transport::Cookie) => cookie::device_token(settings, request),
        (named, _) => Ok(named),
    }
}

fn phone_id(body: &mut Fields) -> Option<TrustedPhoneId> {
    let id = body.text("id", 64)?;
    id.parse().ok().or_else(|| body.wrong("id", "is not the id of a trusted phone"))
}

pub(super) struct Asked {
    ticket: String,
    device_token: Secret<String>,
    proof: Option<GivenDeviceProof>,
    transport: Transport,
}

impl Asked {
    pub(super) fn read(
        settings: &Settings,
        request: &HttpIn,
        mut body: Fields,
        wanted: Option<Wanted>,
    ) -> Result<(Self, Wanted), Problem> {
        let ticket = body.text("ticket", MAX_TICKET);
        let transport = login::transport(&mut body);
        let device = device_token(&mut body);
        let ((ticket, named), wanted) = body.finish(ticket.zip(device).zip(wanted))?;
        let device_token = named_or_kept(settings, request, transport, named)?;
        let device_token = device_token.ok_or(Problem::of(Code::TicketInvalid))?;
        Ok((Self { ticket, device_token, proof: login::proof(request), transport }, wanted))
    }

    pub(super) fn holder(&self) -> Holder<'_> {
        Holder { ticket: &self.ticket, device_token: &self.device_token, proof: self.proof.as_ref() }
    }

    fn answer(&self, entry: &Entry, challenged: Option<&Challenged>) -> Result<Reply, Problem> {
        let reply = with_challenge(entry, challenged, self.transport, Some(&self.device_token))?;
        Ok(match (entry, self.transport) {
            (Entry::SignedIn(_), Transport::Cookie) => reply.with_cookies(vec![cookie::waits_no_more()]),
            _ => reply,
        })
    }
}
