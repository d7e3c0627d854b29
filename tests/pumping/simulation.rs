//! A week of business and six hours of attack, against the counters alone: seconds for many seeds and variants.
//!
//! The scenario is fixed: 7 days; 2,000 users a day over 310 prefixes with a day curve, 85 % of whom redeem their
//! code after 8 to 90 s; from the third day, 10:00, for 6 hours 10,000 sends over 500 numbers, from 300 addresses in
//! 20 networks, none of them redeemed. Users who are asked for a bot check pass it and ask again; the attack does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use onetap::{
    kernel::time::Timestamp,
    model::{
        counter::{Budget, Cap, Counter, Operation, Outcome, Spend},
        object::Document,
        pumping::{Guard, Level, Policy},
    },
    rules::limits::Limits,
};

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;
const PREFIXES: u64 = 310;
pub(crate) const ATTACK_BEGINS: u64 = 2 * DAY + 10 * HOUR;
pub(crate) const ATTACK_ENDS: u64 = ATTACK_BEGINS + 6 * HOUR;

/// How busy each hour of a day is, in parts of the day's whole.
const CURVE: [u64; 24] =
    [8, 5, 3, 2, 2, 4, 10, 22, 40, 52, 58, 60, 56, 50, 48, 50, 54, 58, 64, 72, 74, 62, 40, 20];

/// The guards of a prefix and of a country, as the service has them by default.
pub(crate) fn policies() -> [Policy; 2] {
    let limits = Limits::default();
    let of_prefix = Policy {
        min_sends: limits.pumping_prefix_min_sends,
        check_below_percent: limits.pumping_prefix_check_percent,
        stop_below_percent: limits.pumping_prefix_stop_percent,
        measure_one_in_check: limits.pumping_check_lets_one_in,
        measure_one_in_stop: limits.pumping_stop_lets_one_in,
        mature_seconds: 120,
    };
    let of_country = Policy {
        min_sends: limits.pumping_country_min_sends,
        check_below_percent: limits.pumping_country_check_percent,
        stop_below_percent: limits.pumping_country_stop_percent,
        ..of_prefix
    };
    [of_prefix, of_country]
}

/// What is varied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// Prefixes that the attacked numbers lie in.
    pub(crate) attacked: u64,
    pub(crate) guarded: bool,
}

/// How users fared.
#[derive(Debug, Default)]
pub(crate) struct Users {
    pub(crate) all: u64,
    /// Asked for a bot check, and let through with it.
    pub(crate) asked: u64,
    pub(crate) refused: u64,
}

/// How a week went.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) attack: u64,
    pub(crate) attack_out: u64,
    pub(crate) outside: Users,
    /// In the attacked prefixes, until two hours after the attack.
    pub(crate) inside: Users,
    /// And from then on.
    pub(crate) inside_later: Users,
    /// Scopes that turned, to what.
    pub(crate) turns: Vec<(String, Level)>,
    /// Counters that are still there two days later.
    pub(crate) left: usize,
}

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

enum Event {
    User { to: Number, from: Address, redeems_after: Option<u64> },
    Attack { to: Number, from: Address },
    Redeem { prefix: String, sent_at: Timestamp },
}

struct Number {
    prefix: u64,
    subscriber: u64,
}

struct Address {
    network: u64,
    host: u64,
}

/// One week.
pub(crate) fn week(scenario: Scenario) -> Figures {
    let mut events = happenings(scenario);
    let mut desk = Desk { guarded: scenario.guarded, ..Desk::default() };
    let mut figures = Figures::default();
    while let Some(((at, order), event)) = events.pop_first() {
        desk.now = after(at);
        match event {
            Event::Redeem { prefix, sent_at } => {
                for counter in [prefix, COUNTRY.to_owned()] {
                    desk.ask(&counter, Operation::Redeemed { sent_at });
                }
            }
            Event::Attack { to, from } => {
                figures.attack += 1;
                figures.attack_out += u64::from(desk.send(&to, &from, false) == Answer::Sent);
            }
            Event::User { to, from, redeems_after } => {
                let users = match (is_attacked(to.prefix, scenario.attacked), at < ATTACK_ENDS + 2 * HOUR) {
                    (false, _) => &mut figures.outside,
                    (true, true) => &mut figures.inside,
                    (true, false) => &mut figures.inside_later,
                };
                users.all += 1;
                match desk.send(&to, &from, false) {
                    Answer::Sent => {
                        if let Some(wait) = redeems_after {
                            let redeem = Event::Redeem { prefix: to.counter(), sent_at: desk.now };
                            events.insert((at + wait, order), redeem);
                        }
                    }
                    Answer::Refused => users.refused += 1,
                    // Whoever passed the check is not measured, so nothing is told when they redeem.
                    Answer::BotCheck => match desk.send(&to, &from, true) {
                        Answer::Sent => users.asked += 1,
                        _ => users.refused += 1,
                    },
                }
            }
        }
    }
    figures.left = desk.wait(2 * DAY);
    figures.turns = desk.turns;
    figures
}

/// All that will happen, in order: by milliseconds since the beginning.
fn happenings(scenario: Scenario) -> BTreeMap<(u64, u64), Event> {
    let mut dice = Dice(scenario.seed);
    let mut events = BTreeMap::new();
    for user in 0..7 * 2000 {
        let mut drawn = dice.roll(CURVE.iter().sum());
        let mut hour = 0;
        while drawn >= CURVE[hour as usize] {
            drawn -= CURVE[hour as usize];
            hour += 1;
        }
        let at = user / 2000 * DAY + hour * HOUR + dice.roll(HOUR);
        let to = Number { prefix: dice.roll(PREFIXES), subscriber: 5_000_000 + user };
        let from = Address { network: 1000 + dice.roll(50_000), host: dice.roll(256) };
        let redeems_after = (dice.roll(100) < 85).then(|| 8 * SECOND + dice.roll(82 * SECOND + 1));
        events.insert((at, user), Event::User { to, from, redeems_after });
    }
    for nth in 0..10_000 {
        let at = ATTACK_BEGINS + dice.roll(ATTACK_ENDS - ATTACK_BEGINS);
        let number = dice.roll(500);
        let to = Number { prefix: nth_attacked(number % scenario.attacked), subscriber: number };
        let host = dice.roll(300);
        events.insert((at, 100_000 + nth), Event::Attack { to, from: Address { network: host % 20, host } });
    }
    events
}

const fn nth_attacked(nth: u64) -> u64 {
    nth * 6
}

fn is_attacked(prefix: u64, attacked: u64) -> bool {
    (0..attacked).any(|nth| nth_attacked(nth) == prefix)
}

impl Number {
    /// +86 and four digits, from 1300 on.
    fn counter(&self) -> String {
        format!("prefix +86{}", 1300 + self.prefix)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Sent,
    BotCheck,
    Refused,
}

const COUNTRY: &str = "country 86";
const ALL: &str = "all";
const HOURLY: u64 = 3600;
const DAILY: u64 = 86_400;

/// Where codes are asked for: the order of questions is that of the service.
#[derive(Default)]
struct Desk {
    now: Timestamp,
    guarded: bool,
    counters: BTreeMap<String, Document<Counter>>,
    /// When each counter wants to be woken.
    alarms: BTreeSet<(Timestamp, String)>,
    /// Times at which each number was sent a code: a plain stand-in for its own machine.
    numbers: BTreeMap<(u64, u64), Vec<Timestamp>>,
    turns: Vec<(String, Level)>,
}

impl Desk {
    fn send(&mut self, to: &Number, from: &Address, exempt: bool) -> Answer {
        let (network, host) = (format!("network {}", from.network), from.host.to_string());
        let limits = Limits::default();
        let of_network = [(HOURLY, limits.otp_network_short), (DAILY, limits.otp_network_long)];
        let of_address = [(HOURLY, limits.otp_address_short), (DAILY, limits.otp_address_long)];
        let budgets = vec![budget(ALL, &of_network), budget(&host, &of_address)];
        let spend = Operation::Spend(Spend { budgets, guard: None });
        if self.ask(&network, spend) != (Outcome::Spent { turned: None }) {
            return Answer::Refused;
        }
        let answer = match self.number_has_room(to) {
            true => self.enter(to, exempt),
            false => Answer::Refused,
        };
        if answer == Answer::Sent {
            self.numbers.entry((to.prefix, to.subscriber)).or_default().push(self.now);
        } else {
            let tallies = vec![ALL.to_owned(), host];
            self.ask(&network, Operation::Withdraw { tallies, at: self.now, measured: false });
        }
        answer
    }

    /// Prefix and country are asked at once; what one admitted is withdrawn when the other does not.
    fn enter(&mut self, to: &Number, exempt: bool) -> Answer {
        let mut answer = Answer::Sent;
        let mut entered = Vec::new();
        let limits = Limits::default();
        let [of_prefix, of_country] = policies();
        for (counter, most, policy) in [
            (to.counter(), limits.otp_prefix_short, of_prefix),
            (COUNTRY.to_owned(), limits.otp_country_short, of_country),
        ] {
            let guard = (self.guarded && !exempt).then_some(Guard { policy, has_bot_check: true });
            let spend = Spend { budgets: vec![budget(ALL, &[(HOURLY, most)])], guard };
            let turned = match self.ask(&counter, Operation::Spend(spend)) {
                Outcome::Spent { turned } => {
                    entered.push(counter.clone());
                    turned
                }
                Outcome::Held { turned, .. } => {
                    assert!(!exempt, "who passed a check is not held back");
                    answer = Answer::BotCheck;
                    turned
                }
                outcome => {
                    assert!(matches!(outcome, Outcome::Full { .. }), "{outcome:?}");
                    answer = Answer::Refused;
                    None
                }
            };
            self.turns.extend(turned.map(|level| (counter, level)));
        }
        if answer != Answer::Sent {
            for counter in entered {
                let withdraw =
                    Operation::Withdraw { tallies: vec![ALL.to_owned()], at: self.now, measured: !exempt };
                self.ask(&counter, withdraw);
            }
        }
        answer
    }

    /// Five an hour, ten a day, a minute between them.
    fn number_has_room(&self, to: &Number) -> bool {
        let Some(times) = self.numbers.get(&(to.prefix, to.subscriber)) else { return true };
        let within =
            |seconds| times.iter().filter(|at| self.now.since(**at) < Duration::from_secs(seconds)).count();
        within(60) == 0 && within(3600) < 5 && within(86_400) < 10
    }

    fn ask(&mut self, counter: &str, operation: Operation) -> Outcome {
        self.ring();
        let document = self.counters.entry(counter.to_owned()).or_insert_with(Document::empty);
        let before = document.wake_at();
        let outcome = document.apply(operation, self.now);
        let wake_at = document.wake_at();
        if wake_at != before {
            self.alarms.extend(wake_at.map(|at| (at, counter.to_owned())));
        }
        outcome
    }

    /// Runs the alarms that are due, as the objects do.
    fn ring(&mut self) {
        while let Some((at, counter)) = self.alarms.first().cloned().filter(|(at, _)| *at <= self.now) {
            self.alarms.remove(&(at, counter.clone()));
            let Some(document) = self.counters.get_mut(&counter) else { continue };
            if document.tidy(at) {
                self.counters.remove(&counter);
            } else if let Some(wake_at) = document.wake_at() {
                assert!(wake_at > at, "{counter} would wake for ever");
                self.alarms.insert((wake_at, counter));
            }
        }
    }

    /// How many counters are there when nobody has asked for so long.
    fn wait(&mut self, millis: u64) -> usize {
        self.now = self.now.plus(Duration::from_millis(millis));
        self.ring();
        self.counters.len()
    }
}

fn budget(tally: &str, caps: &[(u64, u64)]) -> Budget {
    let caps = caps.iter().map(|&(window_seconds, most)| Cap { window_seconds, most }).collect();
    Budget { tally: tally.to_owned(), caps }
}

/// So long after a midnight.
fn after(millis: u64) -> Timestamp {
    Timestamp::from_secs(1_795_132_800).plus(Duration::from_millis(millis))
}
