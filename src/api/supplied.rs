//! Lists that an app's backend says of an account: facts, friends.

use super::{
    account::{NAME_PROBLEM, is_name},
    body::Fields,
    import::date,
};
use crate::{
    journeys::supplied::SuppliedFact,
    kernel::{id::AccountId, secret::Secret, time::Timestamp},
    model::{fact::Kind, friends::Friend},
};

/// Longest question, characters, in each language.
pub const MAX_QUESTION: usize = 64;

/// Longest answer, characters.
pub const MAX_ANSWER: usize = 32;

/// Longest id of an account that is looked at, characters.
const MAX_ID: usize = 64;

/// `facts`, at most so many.
pub(super) fn facts(body: &mut Fields, most: u64) -> Option<Vec<SuppliedFact>> {
    let mut facts = Vec::new();
    for mut fields in list(body, "facts", most)? {
        facts.extend(fact(&mut fields));
        body.absorb(fields);
    }
    Some(facts)
}

/// `friends` of an account, at most so many.
pub(super) fn friends(body: &mut Fields, most: u64, of: AccountId, now: Timestamp) -> Option<Vec<Friend>> {
    let mut friends = Vec::new();
    for mut fields in list(body, "friends", most)? {
        friends.extend(friend(&mut fields, of, now));
        body.absorb(fields);
    }
    Some(friends)
}

fn fact(fields: &mut Fields) -> Option<SuppliedFact> {
    let kind = fields.choice("kind", &Kind::ALL.map(|kind| (kind.name(), kind)));
    let answer = fields.text("answer", MAX_ANSWER).map(Secret::new);
    if let (Some(kind), Some(answer)) = (kind, &answer)
        && kind.place(answer.expose()).is_none()
    {
        fields.wrong::<()>("answer", kind.form());
    }
    let mut texts = fields.object("question")?;
    let question = [question(&mut texts, "zh"), question(&mut texts, "en")];
    if question.iter().all(Option::is_none) && !texts.has_problems() {
        texts.wrong::<()>("zh", "is missing, and so is en");
    }
    fields.absorb(texts);
    Some(SuppliedFact { kind: kind?, answer: answer?, question })
}

fn question(texts: &mut Fields, language: &str) -> Option<Secret<String>> {
    let text = texts.optional_text(language, MAX_QUESTION)?;
    if is_name(&text) { Some(Secret::new(text)) } else { texts.wrong(language, NAME_PROBLEM) }
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

/// The objects of a list that must be there, though it may be empty.
fn list(body: &mut Fields, name: &str, most: u64) -> Option<Vec<Fields>> {
    if !body.has(name) {
        return body.wrong(name, "is missing");
    }
    Some(body.objects(name, usize::try_from(most).unwrap_or(usize::MAX)))
}
