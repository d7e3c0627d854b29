//! What an app knows of the owner of an account: what was bought, where from, when. A person by whom the account may be
//! is asked for it ([`super::questions`]).
//!
//! Every answer is one of a closed list that anybody may read, and so are the decoys beside it. A free text would be told
//! from decoys by who knows where these come from. What is not on a list is no fact.

use serde::{Deserialize, Serialize};

use super::language::Language;
use crate::kernel::{dice::Dice, seal::Sealed};

mod pools;

/// A fact as an account keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Of which kind it is.
    pub kind: Kind,
    /// The answer, and the question in each language.
    pub text: Sealed,
}

/// What facts are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A city of China, of the seventy greatest.
    City,
    /// A surname, of the hundred most frequent.
    Surname,
    /// A month of a year, `2024-05`.
    Month,
    /// Yuan, whole; what is asked for is a band of them.
    Amount,
    /// A kind of goods.
    Category,
    /// A model of a phone.
    PhoneModel,
}

/// Where a value stands among all that its kind can have.
pub type Place = u16;

/// The first year whose months can be told.
const FIRST_YEAR: u16 = 1990;

/// Months that can be told.
const MONTHS: u16 = 1200;

/// Those of so many full years are asked for. The current year is none of them: else the window would move each month,
/// and with it decoys that must stay what they are.
const YEARS: u16 = 10;

/// Where the bands of amounts begin in each decade: the preferred numbers R10 (ISO 3).
const BANDS: [u32; 10] = [10, 13, 16, 20, 25, 32, 40, 50, 63, 80];

/// Bands altogether: from 10 to 999,999 yuan.
const ALL_BANDS: u16 = 50;

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::City, Self::Surname, Self::Month, Self::Amount, Self::Category, Self::PhoneModel];

    /// The name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Surname => "surname",
            Self::Month => "month",
            Self::Amount => "amount",
            Self::Category => "category",
            Self::PhoneModel => "phone_model",
        }
    }

    /// What an answer must be, for whoever gave another one.
    pub const fn form(self) -> &'static str {
        match self {
            Self::Month => "must be a month such as 2024-05, from 1990 on",
            Self::Amount => "must be whole yuan, 10 to 999999",
            _ => "is not on the list of its kind (docs/FACTS.md)",
        }
    }

    /// Where an answer stands; `None` for what is no answer of this kind, or may be one of two.
    pub fn place(self, answer: &str) -> Option<Place> {
        match self {
            Self::Month => {
                let (year, month) = answer.split_once('-').filter(|_| answer.len() == 7)?;
                let year = number(year)?.checked_sub(FIRST_YEAR.into())?;
                let month = number(month)?.checked_sub(1).filter(|month| *month < 12)?;
                let place = Place::try_from(year.checked_mul(12)?.checked_add(month)?).ok()?;
                (place < MONTHS).then_some(place)
            }
            Self::Amount => {
                let amount = number(answer)?;
                let above = (1..=ALL_BANDS).find(|band| begin(*band) > amount)?;
                above.checked_sub(1).filter(|band| begin(*band) <= amount)
            }
            _ => {
                let called =
                    |entry: &str| [zh(entry), en(entry)].iter().any(|name| name.eq_ignore_ascii_case(answer));
                let mut found = (0..).zip(self.pool().split('|')).filter(|(_, entry)| called(entry));
                let (place, _) = found.next()?;
                found.next().is_none().then_some(place)
            }
        }
    }

    /// Where the model of a device stands, by what it says that it is.
    pub fn place_of_model(said: &str) -> Option<Place> {
        let mut names = pools::IPHONES.split('|').filter_map(|entry| entry.split_once('='));
        let iphone = said
            .strip_prefix("iPhone")
            .and_then(|number| names.find(|(known, _)| *known == number))
            .map(|(_, name)| format!("iPhone {name}"));
        Self::PhoneModel.place(iphone.as_deref().unwrap_or(said))
    }

    /// A value as people read it.
    pub fn text(self, place: Place, language: Language) -> String {
        match self {
            Self::Month => {
                let (year, month) =
                    (year(place), place.checked_rem(12).unwrap_or_default().saturating_add(1));
                match language {
                    Language::ZhCn => format!("{year}年{month}月"),
                    Language::En => format!("{year}-{month:02}"),
                }
            }
            Self::Amount => {
                format!("¥{}-{}", begin(place), begin(place.saturating_add(1)).saturating_sub(1))
            }
            _ => {
                let entry = self.pool().split('|').nth(place.into()).unwrap_or_default();
                if language == Language::En { en(entry) } else { zh(entry) }.to_owned()
            }
        }
    }

    /// Whether it may be asked for in that year, by its kind alone.
    pub(super) const fn is_in_window(self, place: Place, this_year: u16) -> bool {
        let year = year(place);
        !matches!(self, Self::Month) || (year < this_year && year.saturating_add(YEARS) >= this_year)
    }

    /// Whether two values are so alike that people would mistake one for the other.
    pub(super) fn are_near(self, one: Place, other: Place) -> bool {
        match self {
            Self::Month => one.abs_diff(other) < 3,
            Self::Amount => one.abs_diff(other) < 2,
            _ => {
                let stem = |place| {
                    let text = self.text(place, Language::En);
                    text.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>()
                };
                one == other || stem(one) == stem(other)
            }
        }
    }

    /// A value as likely as it is among people, roughly.
    pub(super) fn throw(self, dice: &mut Dice) -> Place {
        let thrown = match self {
            Self::Month => dice.below(MONTHS.into()),
            Self::Amount => dice.below(ALL_BANDS.into()),
            // The product of two fair numbers: the first tenth gets a third of all, as the commonest names do.
            _ => {
                let count = self.pool().split('|').count();
                let product = dice.below(count).saturating_mul(dice.below(1024).saturating_add(1));
                product.checked_div(1024).unwrap_or_default()
            }
        };
        Place::try_from(thrown).unwrap_or_default()
    }

    const fn pool(self) -> &'static str {
        match self {
            Self::City => pools::CITIES,
            Self::Surname => pools::SURNAMES,
            Self::Category => pools::CATEGORIES,
            Self::PhoneModel => pools::PHONES,
            Self::Month | Self::Amount => "",
        }
    }
}

/// The year in which a month lies.
pub(crate) const fn year(month: Place) -> u16 {
    FIRST_YEAR.saturating_add(match month.checked_div(12) {
        Some(years) => years,
        None => 0,
    })
}

/// The least amount of a band, yuan.
fn begin(band: Place) -> u32 {
    let (decade, step) = (band.checked_div(10).unwrap_or_default(), band.checked_rem(10).unwrap_or_default());
    let first = BANDS.get(usize::from(step)).copied().unwrap_or_default();
    first.saturating_mul(10_u32.saturating_pow(decade.into()))
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn zh(entry: &str) -> &str {
    match entry.find(|c: char| c.is_ascii()) {
        None | Some(0) => entry,
        Some(at) => entry.get(..at).unwrap_or_default(),
    }
}

fn en(entry: &str) -> &str {
    entry.find(|c: char| c.is_ascii()).and_then(|at| entry.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
