//! `POST /v1/import`: accounts from elsewhere, one a line (NDJSON).

use serde::Serialize;

use super::{
    Reply,
    account::{MAX_LOCALE, NAME_PROBLEM, is_https, is_language_tag, is_name},
    backend,
    body::{self, Fields},
    http::HttpIn,
    login,
    problem::Problem,
};
use crate::{
    journeys::{
        Service, binding,
        import::{Imported, ImportedAccount, OF_ALL_APPS, OF_ONE_APP, VerifiedName},
        own_profile::{MAX_AVATAR_URL, MAX_DISPLAY_NAME},
    },
    kernel::{
        email::EmailAddress, id_number::IdNumber, password::PasswordHash, secret::Secret, time::Timestamp,
    },
    model::{
        account::RealName,
        api_key::Scope,
        refusal::{FieldProblem, Refusal},
    },
    ports::World,
};

/// Longest `externalId`, characters.
pub const MAX_EXTERNAL_ID: usize = 128;

/// Most third-party accounts in a line.
pub const MAX_IDENTITIES: usize = 8;

/// Longest name under which a third party knows a person, characters.
pub const MAX_SUBJECT: usize = 512;

/// Longest hash of a password, characters; the algorithms have bounds of their own.
const MAX_HASH: usize = 512;

#[derive(Serialize, Default)]
struct Report {
    imported: usize,
    unchanged: usize,
    refused: usize,
    lines: Vec<Line>,
}

/// Nothing of what a line holds but what the account is called there.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Line {
    /// Counted from 1.
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FieldProblem>,
}

/// `POST /v1/import`
pub(super) async fn import<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountImport).await?;
    let bytes = body::bytes_of_type(request, "application/x-ndjson")?;
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let lines: Vec<(&[u8], usize)> = lines.filter(|(line, _)| !line.trim_ascii().is_empty()).collect();
    let most = usize::try_from(service.settings.limits.import_lines).unwrap_or(usize::MAX);
    if !(1..=most).contains(&lines.len()) {
        return Err(Refusal::field("lines", format!("must be 1 to {most}, and are {}", lines.len())).into());
    }
    service.begin_import(&backend, lines.len(), &request.id).await?;
    let mut report = Report::default();
    for (bytes, number) in lines {
        let mut line = Line { line: number, ..Line::default() };
        let imported = match read(bytes, service.world.now(), &mut line.external_id) {
            Ok(account) => service.import(&account).await.map_err(Problem::internal)?,
            Err(problems) => Imported::Refused(problems),
        };
        let (status, count) = match imported {
            Imported::Now(account) => {
                line.account = Some(account.to_string());
                ("imported", &mut report.imported)
            }
            Imported::Before(account) => {
                line.account = Some(account.to_string());
                ("unchanged", &mut report.unchanged)
            }
            Imported::Refused(problems) => {
                line.problems = problems;
                ("refused", &mut report.refused)
            }
        };
        *count = count.saturating_add(1);
        line.status = status;
        report.lines.push(line);
    }
    login::json(&report)
}

/// One line. What the account is called is known as soon as it is read.
fn read(
    line: &[u8],
    now: Timestamp,
    external_id: &mut Option<String>,
) -> Result<ImportedAccount, Vec<FieldProblem>> {
    let Some(mut fields) = Fields::of(line) else {
        let problem = "is not a JSON object in UTF-8".to_owned();
        return Err(vec![FieldProblem { name: "line".to_owned(), problem }]);
    };
    external_id.clone_from(&fields.text("externalId", MAX_EXTERNAL_ID));
    let account = account(&mut fields, now, external_id.clone());
    fields.finish(account).map_err(|problem| problem.fields.into_vec())
}

fn account(body: &mut Fields, now: Timestamp, external_id: Option<String>) -> Option<ImportedAccount> {
    let phone = body.optional_phone("phone");
    let phone_proven_at = proven_at(body, "phoneProvenAt", phone.is_some(), now);
    let is_address = |text: &str| EmailAddress::parse(text).is_some();
    let email = checked(body, "email", MAX_SUBJECT, "is no e-mail address", &is_address);
    let email = email.and_then(|text| EmailAddress::parse(&text));
    let email_proven_at = proven_at(body, "emailProvenAt", email.is_some(), now);
    let username = body.optional_text("username", MAX_SUBJECT);
    let username = username.and_then(|text| {
        binding::username(&text).map_err(|problem| body.wrong::<()>("username", problem)).ok()
    });
    let identities = identities(body);
    let password = body.optional_text("password", MAX_HASH);
    let password = password.and_then(|text| {
        PasswordHash::import(&text).map_err(|refusal| body.wrong::<()>("password", refusal.code())).ok()
    });
    let (name, url) = (NAME_PROBLEM, "must be an https URL");
    let display_name = checked(body, "displayName", MAX_DISPLAY_NAME, name, &is_name);
    let avatar_url = checked(body, "avatarUrl", MAX_AVATAR_URL, url, &is_https);
    let tag = "must be a language tag such as zh-CN";
    let locale = checked(body, "locale", MAX_LOCALE, tag, &is_language_tag);
    let (real_name, verified) = real_name(body);
    let created_at = date(body, "createdAt", now);
    let is_named = username.is_some() || email.is_some();
    if phone.is_none() && identities.is_empty() && !(is_named && password.is_some()) && !body.has_problems() {
        let problem = "is missing, and nothing else leads in: a user name or address does with a password";
        body.wrong::<()>("phone", problem);
    }
    Some(ImportedAccount {
        external_id: external_id?,
        phone: phone.map(|phone| (phone, phone_proven_at)),
        email: email.map(|email| (email, email_proven_at)),
        username,
        identities,
        password,
        display_name,
        avatar_url,
        locale,
        real_name,
        verified,
        created_at,
    })
}

/// Whether it is known who they are, and by what, where that is told.
fn real_name(body: &mut Fields) -> (RealName, Option<VerifiedName>) {
    let states = [RealName::None, RealName::Verified].map(|known| (known.name(), known));
    if !body.is_object("realName") {
        return (body.optional_choice("realName", &states).unwrap_or_default(), None);
    }
    let Some(mut known) = body.optional_object("realName") else { return (RealName::None, None) };
    let [_, verified] = states;
    known.choice("state", &[verified]);
    let name = known.text("name", MAX_DISPLAY_NAME);
    let name =
        name.and_then(|name| if is_name(&name) { Some(name) } else { known.wrong("name", NAME_PROBLEM) });
    let id_number = known.optional_text("idNumber", MAX_DISPLAY_NAME).map(Secret::new).and_then(|text| {
        let number = IdNumber::parse(text.expose());
        number.or_else(|| {
            known.wrong("idNumber", "must have 18 characters, a date and the right check (GB 11643)")
        })
    });
    body.absorb(known);
    (RealName::Verified, name.map(|name| VerifiedName { name: Secret::new(name), id_number }))
}

fn identities(body: &mut Fields) -> Vec<(String, Secret<String>)> {
    let mut identities = Vec::new();
    for mut identity in body.objects("identities", MAX_IDENTITIES) {
        let kind = identity.text("kind", MAX_DISPLAY_NAME);
        let subject = identity.text("subject", MAX_SUBJECT);
        let is_named = |text: &String| text.starts_with(OF_ALL_APPS) || text.starts_with(OF_ONE_APP);
        match (kind, subject) {
            (Some(kind), Some(subject)) if is_named(&subject) => {
                identities.push((kind, Secret::new(subject)))
            }
            (_, Some(_)) => {
                identity.wrong::<()>("subject", "must begin with u: or o:");
            }
            _ => {}
        }
        body.absorb(identity);
    }
    identities
}

fn checked(
    body: &mut Fields,
    name: &str,
    most: usize,
    problem: &str,
    is_good: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let text = body.optional_text(name, most)?;
    if is_good(&text) { Some(text) } else { body.wrong(name, problem) }
}

fn proven_at(body: &mut Fields, name: &str, is_there: bool, now: Timestamp) -> Option<Timestamp> {
    let at = date(body, name, now)?;
    // One of a field that is wrong is not wrong for that.
    if is_there || body.has_problems() { Some(at) } else { body.wrong(name, "is the date of nothing") }
}

/// A moment that is over.
pub(super) fn date(body: &mut Fields, name: &str, now: Timestamp) -> Option<Timestamp> {
    let problem = "must be a moment in the past in RFC 3339, such as 2026-11-20T04:00:00Z";
    let is_past = |text: &str| Timestamp::from_rfc3339(text).is_some_and(|at| at <= now);
    checked(body, name, MAX_DISPLAY_NAME, problem, &is_past).and_then(|text| Timestamp::from_rfc3339(&text))
}
