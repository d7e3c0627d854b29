//! Questions to a person by whom an account may be: the facts that are kept of it become a series of rounds, each sealed.

use super::{
    Service,
    sealed::{FACT, ROUND},
};
use crate::{
    kernel::{
        dice::Dice,
        digest::{derive, hmac_sha256},
        fault::Fault,
        id::AccountId,
        seal::Sealed,
    },
    model::{
        fact::{self, Fact, Kind, Place},
        language::Language,
        questions::{Askable, Series, draw, options},
    },
    ports::World,
};

/// What a series is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// What the app has supplied.
    pub facts: &'a [Fact],
    /// What the account's devices say that they are. Hints must not show them.
    pub models: &'a [String],
    /// What the asker was told (hints, a year) or knows from the public profile. None of it is asked for. What they say of
    /// themselves is not in it: what is asked no more would tell them what they have hit.
    pub told: &'a [String],
}

/// A round to be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct ShownRound {
    /// The question.
    pub question: String,
    /// What to choose from.
    pub options: Vec<String>,
}

impl<W: World> Service<'_, W> {
    /// Draws a series with its rounds, sealed for the account in the order in which they are asked ([`Self::open_round`]); `None`:
    /// too little is known that may be asked for.
    ///
    /// # Errors
    /// A fault: what is kept does not open.
    pub fn series(
        &self,
        account: AccountId,
        sources: Sources<'_>,
        language: Language,
    ) -> Result<Option<(Series, Vec<Sealed>)>, Fault> {
        // 1. What is known, each with its question.
        let mut known: Vec<(Kind, Place, String)> = Vec::new();
        for fact in sources.facts {
            let text = self.open_text(account, FACT, &fact.text)?;
            let mut lines = text.split('\n');
            let place = fact.kind.place(lines.next().unwrap_or_default());
            let [zh, en] = [lines.next().unwrap_or_default(), lines.next().unwrap_or_default()];
            let question =
                if en.is_empty() || (language == Language::ZhCn && !zh.is_empty()) { zh } else { en };
            known.extend(place.map(|place| (fact.kind, place, question.to_owned())));
        }
        let models = sources.models.iter().filter_map(|said| Kind::place_of_model(said));
        let question = if language == Language::ZhCn { MODEL_ZH } else { MODEL_EN };
        known.extend(models.map(|place| (Kind::PhoneModel, place, question.to_owned())));
        // 2. Of that, what nobody has told, with what it is to be chosen from.
        let this_year =
            self.world.now().date().get(..4).and_then(|year| year.parse().ok()).unwrap_or_default();
        let mut facts = Vec::new();
        let mut questions = Vec::new();
        for (kind, place, question) in &known {
            let others: Vec<Place> =
                known.iter().filter(|(other, ..)| other == kind).map(|(_, place, _)| *place).collect();
            let mut dice = self.decoys_of(account, *kind, *place);
            let options = options(*kind, *place, &others, this_year, &mut dice);
            if let Some(options) = options.filter(|_| !is_told(*kind, *place, sources.told)) {
                facts.push(Askable { kind: *kind, options });
                questions.push(question);
            }
        }
        // 3. The series.
        let Some((series, rounds)) = draw(&facts, &mut Dice::new(self.fresh()?)) else { return Ok(None) };
        let rounds = rounds.into_iter().map(|round| {
            let kind = facts.get(round.fact).map_or(Kind::City, |fact| fact.kind);
            let question = questions.get(round.fact).map(|text| (*text).clone());
            let options = round.options.into_iter().map(|place| kind.text(place, language));
            let lines: Vec<String> = question.into_iter().chain(options).collect();
            self.seal_for(account, ROUND, lines.join("\n").as_bytes())
        });
        Ok(Some((series, rounds.collect::<Result<_, Fault>>()?)))
    }

    /// Opens a round of [`Self::series`].
    ///
    /// # Errors
    /// A fault: it does not open.
    pub fn open_round(&self, account: AccountId, round: &Sealed) -> Result<ShownRound, Fault> {
        let text = self.open_text(account, ROUND, round)?;
        let mut lines = text.split('\n').map(str::to_owned);
        Ok(ShownRound { question: lines.next().unwrap_or_default(), options: lines.collect() })
    }

    /// From which the decoys of a fact are thrown: by the key that never changes, so that they stay the same.
    fn decoys_of(&self, account: AccountId, kind: Kind, place: Place) -> Dice {
        let ours = derive(self.settings.digest.current().bytes.expose(), "onetap decoys");
        let fact = [account.bytes().as_slice(), kind.name().as_bytes(), &place.to_be_bytes()].concat();
        Dice::new(hmac_sha256(&ours, &fact))
    }
}

/// Whether a text that the asker knows anyway gives the value away. A year gives away all its months.
fn is_told(kind: Kind, place: Place, told: &[String]) -> bool {
    let [zh, en] = Language::ALL.map(|language| kind.text(place, language));
    told.iter().any(|told| {
        let is_model = kind == Kind::PhoneModel && Kind::place_of_model(told) == Some(place);
        let is_year = kind == Kind::Month && *told == fact::year(place).to_string();
        is_model || is_year || told.contains(&zh) || told.contains(&en)
    })
}

const MODEL_ZH: &str = "您曾用下列哪款手机登录过这个账号？";

const MODEL_EN: &str = "Which of these phones have you used with this account?";
