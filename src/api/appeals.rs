//! `/v1/appeals`: the side of who appeals.

use serde::Serialize;

use super::{
    Reply, body,
    body::Fields,
    cookie::{self, Transport},
    http::HttpIn,
    identity_login::DEVICE_HEADER,
    login,
    login_result::login_reply,
    number_proof, own,
    problem::Problem,
    step_up::{self, Asked, Wanted},
};
use crate::{
    journeys::{
        Service,
        appeals::{Appealing, CaseView, Told},
        claim::Attempt,
        settings::Settings,
        sign_in::Entry,
        spent::Spent,
    },
    kernel::{phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::{platform::Platform, refusal::Code},
    ports::World,
};

/// What is asked of who appeals.
pub const QUESTIONS: [&str; 6] =
    [REGISTERED, "last_login", DEVICES, PHONES_BEFORE, "other_logins", "contents"];

const REGISTERED: &str = "registered";
const DEVICES: &str = "devices";
const PHONES_BEFORE: &str = "former_phones";

/// Longest answer to a question, characters.
pub const MAX_ANSWER: usize = 120;

/// Longest text of an appeal, characters.
pub const MAX_APPEAL: usize = 500;

/// Longest text that says where to reach who appeals, characters.
pub const MAX_CONTACT: usize = 100;

/// Numbers, and models of devices, in an answer that are compared with what the account knows; more would be guessing.
const COMPARED: usize = 3;

/// How far a case is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CaseBody {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) expires_at: String,
}

impl CaseBody {
    pub(super) fn of(view: &CaseView, now: Timestamp) -> Self {
        let CaseView { id, case } = view;
        Self { id: id.clone(), state: case.state_name(now), expires_at: case.until().rfc3339() }
    }
}

/// `POST /v1/appeals`
pub(super) async fn make<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let told = read(&mut body);
    let wanted = if body.has_problems() { None } else { Some(Wanted::Look(0)) };
    let (asked, _) = Asked::read(service.settings, request, body, wanted)?;
    let case = service.appeal(&asked.holder(), &told?).await?;
    Ok(Reply::Accepted(login::bytes(&CaseBody::of(&case, service.world.now()))?))
}

/// `GET /v1/appeals/{id}`: for the device that appealed, or in a session of the account.
pub(super) async fn look<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let id = id(request);
    let by_session = own::doer(service.settings, request);
    let case = match by_session {
        Ok(doer) if request.header(DEVICE_HEADER).is_none() => service.look_at_own_case(doer, id).await?,
        _ => {
            let device_token = device(service.settings, request)?;
            service.look_at_appeal(&Appealing { id, device_token: &device_token, proof: None }).await?
        }
    };
    login::json(&CaseBody::of(&case, service.world.now()))
}

/// `POST /v1/appeals/{id}/images`
pub(super) async fn add_image<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let image = body::bytes(request)?;
    if image_type(image).is_none() {
        let detail = Some("The body must be an image: JPEG, PNG or WebP.".into());
        return Err(Problem { detail, ..Problem::unsupported_media_type() });
    }
    let device_token = device(service.settings, request)?;
    let proof = login::proof(request);
    let from = Appealing { id: id(request), device_token: &device_token, proof: proof.as_ref() };
    Ok(Reply::done(service.add_image(&from, image).await))
}

/// `POST /v1/appeals/{id}/complete`
pub(super) async fn complete<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let transport = login::transport(&mut body);
    let given = match body.has("numberProof") {
        true => number_proof::any(&mut body, "numberProof").map(Some),
        false => Some(None),
    };
    let device = step_up::device_token(&mut body);
    let (given, named) = body.finish(given.zip(device))?;
    let kept = step_up::named_or_kept(service.settings, request, transport, named)?;
    let device_token = kept.ok_or(Problem::of(Code::NotFound))?;
    let (proof, attempt) = (login::proof(request), Attempt { key: key.as_ref(), request: &canonical });
    let from = Appealing { id: id(request), device_token: &device_token, proof: proof.as_ref() };
    let number = given.as_ref().map(|given| given.as_proof(attempt));
    let (caller, mut spent) = (login::caller(request, "", Platform::Web), Spent::default());
    let entry = service.complete_appeal(&from, number.as_ref(), &caller, &mut spent).await;
    let is_in = matches!(entry, Ok(Entry::SignedIn(_)));
    let reply = login_reply(entry, transport, Some(&device_token), spent);
    Ok(match (is_in, transport) {
        (true, Transport::Cookie) => reply.with_cookies(vec![cookie::waits_no_more()]),
        _ => reply,
    })
}

/// The token of the device, where there is no body for it: from the header, or a page's cookie.
fn device(settings: &Settings, request: &HttpIn) -> Result<Secret<String>, Problem> {
    let token = match request.header(DEVICE_HEADER) {
        Some(token) => Some(Secret::new(token.to_owned())),
        None if request.header("cookie").is_some() => cookie::device_token(settings, request)?,
        None => None,
    };
    token.ok_or(Problem::of(Code::Unauthenticated))
}

/// The content type of an image that we take.
pub(super) fn image_type(image: &[u8]) -> Option<&'static str> {
    let is_webp = image.starts_with(b"RIFF") && image.get(8..12) == Some(b"WEBP");
    match image {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        _ if is_webp => Some("image/webp"),
        _ => None,
    }
}

/// The case that a path names.
fn id(request: &HttpIn) -> &str {
    request.path.split('/').nth(3).unwrap_or_default()
}

/// Reads what is told: kept as it is for people, and what can be compared by us.
fn read(body: &mut Fields) -> Result<Told, Problem> {
    #[derive(Serialize)]
    struct All {
        answers: Vec<Answer>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        contact: Option<String>,
    }
    #[derive(Serialize)]
    struct Answer {
        question: &'static str,
        text: String,
    }
    let mut answers: Vec<Answer> = Vec::new();
    for mut given in body.objects("answers", QUESTIONS.len()) {
        let question = given.choice("question", &QUESTIONS.map(|question| (question, question)));
        let text = given.text("text", MAX_ANSWER);
        match question.zip(text) {
            Some((question, _)) if answers.iter().any(|known| known.question == question) => {
                given.wrong::<()>("question", "is answered twice");
            }
            Some((question, text)) => answers.push(Answer { question, text }),
            None => {}
        }
        body.absorb(given);
    }
    if answers.is_empty() && body.is_clean("answers") {
        body.wrong::<()>("answers", "must hold an answer");
    }
    let all = All {
        answers,
        text: body.optional_text("text", MAX_APPEAL),
        contact: body.optional_text("contact", MAX_CONTACT),
    };
    let answer = |question| {
        let known = all.answers.iter().find(|known| known.question == question);
        known.map_or("", |known| known.text.as_str())
    };
    let several = |question, also: &'static [char]| {
        let is_end = move |c: char| "，;；、\n".contains(c) || also.contains(&c);
        answer(question).split(is_end).map(str::trim).filter(|text| !text.is_empty())
    };
    let month = answer(REGISTERED).get(..7).filter(|month| is_month(month)).map(str::to_owned);
    let numbers = several(PHONES_BEFORE, &[' ', ',']).filter_map(|text| PhoneNumber::parse(text).ok());
    let (numbers, models) = (numbers.take(COMPARED).collect(), several(DEVICES, &[]).take(COMPARED));
    let models = models.map(str::to_owned).collect();
    let written = login::bytes(&all)?;
    Ok(Told { all: Secret::new(String::from_utf8_lossy(&written).into_owned()), numbers, month, models })
}

/// `2025-03`
fn is_month(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_how_they_begin() {
        for (image, known) in [
            (&b"\xff\xd8\xff\xe0JFIF"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n", Some("image/png")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"<svg onload=\"x()\">", None),
            (b"", None),
        ] {
            assert_eq!(image_type(image), known, "{image:?}");
        }
    }

    #[test]
    fn what_can_be_compared_is_found_in_what_people_write() {
        let mut body = Fields::of(
            r#"{"answers":[{"question":"registered","text":"2025-03, in spring"},
                {"question":"devices","text":"Mi 14， iPhone18,1"},
                {"question":"former_phones","text":"13800138000、 +8613900139000, 1"}]}"#
                .as_bytes(),
        )
        .unwrap();
        let told = read(&mut body).unwrap();
        assert_eq!(told.month.as_deref(), Some("2025-03"));
        assert_eq!(told.models, ["Mi 14", "iPhone18,1"]);
        let numbers: Vec<&str> = told.numbers.iter().map(PhoneNumber::e164).collect();
        assert_eq!(numbers, ["+8613800138000", "+8613900139000"]);
        assert!(!is_month("2025/03") && !is_month("in 2025"));
    }
}
