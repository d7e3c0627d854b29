//! `PUT /v1/accounts/{id}/facts`, `/friends` and `/money`: what an app's backend says of an account.

use super::{
    Reply,
    account::{NAME_PROBLEM, is_name},
    backend,
    body::Fields,
    http::HttpIn,
    import::date,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        supplied::{Said, SuppliedFact},
    },
    kernel::{id::AccountId, secret::Secret, time::Timestamp},
    model::{api_key::Scope, fact::Kind, friends::Friend},
    ports::World,
};

/// Longest question, characters, in each language.
pub const MAX_QUESTION: usize = 64;

/// Longest answer, characters.
pub const MAX_ANSWER: usize = 32;

/// Longest id of an account that is looked at, characters.
const MAX_ID: usize = 64;

/// `PUT /v1/accounts/{id}/facts`
pub(super) async fn facts<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountFacts).await?;
    let mut body = Fields::read(request)?;
    let most = service.settings.limits.facts_per_account;
    let facts = each(&mut body, "facts", most, &mut |fields| {
        let kind = fields.choice("kind", &Kind::ALL.map(|kind| (kind.name(), kind)));
        let mut text = fields.object("question");
        let question = ["zh", "en"].map(|language| {
            let text = text.as_mut()?;
            let question = text.optional_text(language, MAX_QUESTION)?;
            if is_name(&question) { Some(question) } else { text.wrong(language, NAME_PROBLEM) }
        });
        let is_asked = text.as_ref().is_none_or(Fields::has_problems) || question.iter().any(Option::is_some);
        if let Some(mut text) = text {
            if !is_asked {
                text.wrong::<()>("zh", "is missing, and so is en");
            }
            fields.absorb(text);
        }
        let answer = Secret::new(fields.text("answer", MAX_ANSWER)?);
        let kind = kind?;
        if kind.place(answer.expose()).is_none() {
            return fields.wrong("answer", kind.form());
        }
        Some(SuppliedFact {
            kind,
            answer,
            question: question.map(|text| Secret::new(text.unwrap_or_default())),
        })
    });
    let said = body.finish(facts.map(Said::Facts))?;
    service.supply(account, said, &backend, &request.id).await?;
    Ok(Reply::nothing())
}

/// `PUT /v1/accounts/{id}/friends`
pub(super) async fn friends<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountFriends).await?;
    let mut body = Fields::read(request)?;
    let (most, now) = (service.settings.limits.friends_per_account, service.world.now());
    let friends = each(&mut body, "friends", most, &mut |fields| friend(fields, account, now));
    let said = body.finish(friends.map(Said::Friends))?;
    service.supply(account, said, &backend, &request.id).await?;
    Ok(Reply::nothing())
}

/// `PUT /v1/accounts/{id}/money`
pub(super) async fn money<W: World>(
    service: Service<'_, W>,
    request: &HttpIn,
    account: AccountId,
) -> Result<Reply, Problem> {
    let backend = backend::admit(service, request, Scope::AccountMoney).await?;
    let mut body = Fields::read(request)?;
    let enabled = body.required_flag("enabled");
    let said = body.finish(enabled.map(Said::Money))?;
    service.supply(account, said, &backend, &request.id).await?;
    Ok(Reply::nothing())
}

fn friend(fields: &mut Fields, account: AccountId, now: Timestamp) -> Option<Friend> {
    let friend = fields.text("account", MAX_ID).and_then(|text| match text.parse() {
        Ok(friend) if friend == account => fields.wrong("account", "is the account itself"),
        Ok(friend) => Some(friend),
        Err(_) => fields.wrong("account", "is no id of an account"),
    });
    if !fields.has("since") {
        return fields.wrong("since", "is missing");
    }
    let since = date(fields, "since", now);
    Some(Friend(friend?, since?.day()))
}

/// Reads each object of a list that must be there, though it may be empty.
fn each<T>(
    body: &mut Fields,
    name: &str,
    most: u64,
    read: &mut dyn FnMut(&mut Fields) -> Option<T>,
) -> Option<Vec<T>> {
    if !body.has(name) {
        return body.wrong(name, "is missing");
    }
    let mut things = Vec::new();
    for mut fields in body.objects(name, usize::try_from(most).unwrap_or(usize::MAX)) {
        things.extend(read(&mut fields));
        body.absorb(fields);
    }
    Some(things)
}
