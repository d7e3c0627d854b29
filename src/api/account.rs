//! `/v1/account` and `/v1/account/export`: profile, export, deletion.

use serde::Serialize;

use super::{
    Reply,
    body::Fields,
    devices::{self, ListedDevice},
    http::HttpIn,
    identities::{IdentityBody, identity_body},
    login,
    login_history::{EventBody, event_body},
    numbers::PhoneBody,
    objections, own,
    problem::Problem,
    sessions::{self, ListedSession},
};
use crate::{
    journeys::{
        Service,
        own_profile::{AccountView, MAX_AVATAR_URL, MAX_DISPLAY_NAME, ProfileEdit},
    },
    ports::World,
};

/// Longest language tag, characters (RFC 5646, section 4.4.1).
pub const MAX_LOCALE: usize = 35;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    id: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    real_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_set_at: Option<String>,
    identities: Vec<IdentityBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_change: Option<PhoneBody<'a>>,
}

/// `GET /v1/account`
pub(super) async fn read<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let view = service.account(own::doer(service.settings, request)?).await?;
    login::json(&account_body(&view, false))
}

/// `PATCH /v1/account`: what is `null` goes (RFC 7396).
pub(super) async fn change<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let mut body = Fields::read(request)?;
    let display_name = edit(&mut body, "displayName", MAX_DISPLAY_NAME, is_name, NAME_PROBLEM);
    let avatar_url = edit(&mut body, "avatarUrl", MAX_AVATAR_URL, is_https, "must be an https URL");
    let locale =
        edit(&mut body, "locale", MAX_LOCALE, is_language_tag, "must be a language tag such as zh-CN");
    body.finish(Some(()))?;
    service.change_profile(doer, ProfileEdit { display_name, avatar_url, locale }).await?;
    Ok(Reply::nothing())
}

/// `DELETE /v1/account`
pub(super) async fn delete<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        /// Until then it can be restored by those who help people; then its data goes.
        data_kept_until: String,
    }
    let until = service.delete_account(own::doer(service.settings, request)?).await?;
    Ok(Reply::Accepted(login::bytes(&Answer { data_kept_until: until.rfc3339() })?))
}

/// `GET /v1/account/export`
pub(super) async fn export<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Export<'a> {
        account: Account<'a>,
        former_phones: Vec<PhoneBody<'a>>,
        trusted_phones: Vec<PhoneBody<'a>>,
        number_claims: Vec<objections::Claim>,
        appeals: Vec<objections::Appeal<'a>>,
        login_protection: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        verified_name: Option<&'a str>,
        facts: Vec<&'static str>,
        friends: usize,
        money: bool,
        devices: Vec<ListedDevice<'a>>,
        sessions: Vec<ListedSession<'a>>,
        login_history: Vec<EventBody<'a>>,
    }
    let export = service.export(own::doer(service.settings, request)?).await?;
    let former = export.former_numbers.iter();
    let former = former.map(|(phone, former)| PhoneBody::of_former(phone, former, true));
    let trusted = export.account.trusted_phones.iter().map(|phone| PhoneBody::of_trusted(phone, true));
    // Texts of facts would teach a thief of the session what the owner is asked for later; the app has them.
    let said = export.view.seen.supplied.as_ref();
    let appeals = service.appeals(&export.account).map_err(Problem::internal)?;
    let events = export.view.seen.events.iter().map(|event| event_body(event, &export.view));
    login::json(&Export {
        account: account_body(&export.account, true),
        former_phones: former.collect(),
        trusted_phones: trusted.collect(),
        number_claims: objections::claims_of(service, &export.account)?,
        appeals: objections::appeals_of(&appeals, service.world.now()),
        login_protection: export.view.seen.is_protected,
        verified_name: export.verified_name.as_deref(),
        facts: said
            .and_then(|said| said.facts.as_ref())
            .into_iter()
            .flatten()
            .map(|fact| fact.kind.name())
            .collect(),
        friends: said.and_then(|said| said.friends.as_ref()).map_or(0, Vec::len),
        money: said.and_then(|said| said.money).unwrap_or_default(),
        devices: devices::bodies(&export.view),
        sessions: sessions::bodies(service.settings, &export.view),
        login_history: events.collect(),
    })
}

/// In clear only in an export, which takes a fresh proof: an access token alone must not tell the number.
fn account_body(view: &AccountView, in_clear: bool) -> Account<'_> {
    let phone = view.phone.as_ref();
    // Other names of what is listed say nothing to people.
    let aliases = view.aliases.iter().filter(|_| in_clear);
    let identities = view.identities.iter().chain(aliases);
    Account {
        id: view.id.to_string(),
        created_at: view.own.created_at.rfc3339(),
        display_name: view.display_name.as_deref(),
        avatar_url: view.avatar_url.as_deref(),
        locale: view.locale.as_deref(),
        phone: phone.map(|phone| if in_clear { phone.e164().to_owned() } else { phone.masked() }),
        real_name: view.own.real_name.name(),
        password_set_at: view.own.password_set_at.map(crate::kernel::time::Timestamp::rfc3339),
        identities: identities.map(|identity| identity_body(identity, in_clear)).collect(),
        phone_change: view.phone_change.as_ref().map(|wish| PhoneBody::of_wish(wish, in_clear)),
    }
}

fn edit(
    body: &mut Fields,
    name: &str,
    most: usize,
    is_good: fn(&str) -> bool,
    problem: &str,
) -> Option<Option<String>> {
    if body.clears(name) {
        return Some(None);
    }
    let text = body.optional_text(name, most)?;
    if is_good(&text) { Some(Some(text)) } else { body.wrong(name, problem) }
}

/// What is wrong with a text that is none of [`is_name`].
pub(super) const NAME_PROBLEM: &str = "must hold more than spaces, and no control characters";

pub(super) fn is_name(text: &str) -> bool {
    !text.chars().any(char::is_control) && !text.trim().is_empty()
}

pub(super) fn is_https(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or_default();
    let is_sane = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    !host.is_empty() && !host.starts_with('/') && text.bytes().all(is_sane)
}

/// Subtags of letters and digits (RFC 5646), beginning with a language.
pub(super) fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let is_language =
        |tag: &str| (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    subtags.next().is_some_and(is_language) && subtags.all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_https_and_languages_are_tags() {
        for good in ["https://cdn.example.com/a.png?x=1", "https://例.example".replace('例', "xn--").as_str()]
        {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "http://a.example/",
            "https://",
            "https:///a",
            "javascript:alert(1)",
            "https://a b",
            "https://a\"b",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
        for good in ["zh-CN", "en", "zh-Hans-CN", "sr-Latn-RS"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["", "c", "zh_CN", "zh-", "12-CN", "zh-CNCNCNCNC"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
