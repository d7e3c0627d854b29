//! The in-memory world: every port of the service in one struct, running the same machines as the edge.
//!
//! Objects are kept as the JSON they persist, and operations and outcomes cross as JSON too, so persisted and
//! spoken formats are exercised by every story. The clock moves only when told to (or paused on), entropy comes
//! from a seed, and every port call can be made to fail: see [`faults`]. Everything stands behind locks, so races
//! run on real threads.

#![allow(dead_code, reason = "each test uses the part of the world it needs")]

mod back_office;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod device_key;
mod dump;
pub(crate) mod faults;
pub(crate) mod identities;
mod images;
pub(crate) mod objects;
mod passwords;
mod platform;
pub(crate) mod provider;
mod queue;
pub(crate) mod receivers;
pub(crate) mod registers;
pub(crate) mod sms;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use onetap::{
    journeys::{Service, settings::Settings},
    kernel::{
        digest::sha256,
        fault::Fault,
        http::{HttpFailure, HttpReply, HttpRequest},
        id::{AccountId, ChallengeId, SessionId},
        time::Timestamp,
    },
    model::{account, challenge, counter, device::DeviceRecord, handle, handle::HandleName},
    ports::{
        Accounts, AddressLimiter, Challenges, Clock, Counters, DeviceRecords, EndedSessions, Entropy,
        GuardTurn, Handles, Http, Metrics, ProviderCall,
    },
};

pub(crate) use back_office::BackOfficeTables;
pub(crate) use client::Answer;
pub(crate) use faults::{Broken, Port};

use faults::Faults;
use identities::ThirdParties;
use objects::{Kind, Objects};
use provider::Providers;
use receivers::Receivers;
use registers::Registers;
use sms::Phones;

/// 2026-11-20T04:00:00.123Z: where every story begins.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_147_200_123);

/// Everything outside the service.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) providers: Providers,
    pub(crate) phones: Phones,
    pub(crate) receivers: Receivers,
    pub(crate) registers: Registers,
    pub(crate) third_parties: ThirdParties,
    pub(crate) faults: Faults,
    pub(crate) objects: Objects,
    /// Whether the address limiter lets requests pass.
    pub(crate) admits: AtomicBool,
    /// Whether pauses move the clock. For races they must not: threads that wait at once would wait one by one.
    pub(crate) pauses_pass: AtomicBool,
    /// Whether KV shows the records of codes; one that was just written may stay unseen for a minute.
    pub(crate) shows_challenges: AtomicBool,
    /// Hosts that take their time to answer.
    pub(crate) slow: Mutex<BTreeMap<&'static str, Duration>>,
    /// Milliseconds after which KV shows everywhere that a session was ended.
    pub(crate) ends_seen_after: AtomicU64,
    ended: Mutex<BTreeMap<SessionId, (Timestamp, Timestamp)>>,
    ends_missed: Mutex<BTreeMap<SessionId, Timestamp>>,
    /// Notices in the queue: when they are brought again, and what they say.
    queue: Mutex<Vec<(Timestamp, String)>>,
    challenges: Mutex<BTreeMap<String, String>>,
    /// Images of cases, and until when.
    images: Mutex<BTreeMap<String, (Timestamp, String)>>,
    turns: Mutex<Vec<GuardTurn>>,
    passed_over: Mutex<Vec<Fault>>,
    shown: Mutex<Vec<String>>,
    back_office: Mutex<BackOfficeTables>,
    devices: Mutex<BTreeMap<String, String>>,
    metrics: Mutex<Vec<ProviderCall>>,
    log: Mutex<Vec<String>>,
    publications: Mutex<BTreeMap<String, (Timestamp, Vec<u8>)>>,
    millis: AtomicI64,
    seed: u64,
    drawn: AtomicU64,
}

impl World {
    /// A world with the usual configuration, in which nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self::with(|_| None)
    }

    /// A world in which `setting` has the first word on the configuration.
    pub(crate) fn with(setting: impl Fn(&str) -> Option<String>) -> Self {
        Self::seeded(1, setting)
    }

    /// A world whose entropy comes from `seed`.
    pub(crate) fn seeded(seed: u64, setting: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            settings: configuration::read(setting),
            providers: Providers::default(),
            phones: Phones::default(),
            receivers: Receivers::default(),
            registers: Registers::default(),
            third_parties: ThirdParties::default(),
            queue: Mutex::default(),
            faults: Faults::default(),
            objects: Objects::default(),
            admits: AtomicBool::new(true),
            pauses_pass: AtomicBool::new(true),
            shows_challenges: AtomicBool::new(true),
            slow: Mutex::default(),
            ends_seen_after: AtomicU64::new(0),
            ended: Mutex::default(),
            ends_missed: Mutex::default(),
            challenges: Mutex::default(),
            images: Mutex::default(),
            turns: Mutex::default(),
            passed_over: Mutex::default(),
            shown: Mutex::default(),
            back_office: Mutex::default(),
            devices: Mutex::default(),
            metrics: Mutex::default(),
            log: Mutex::default(),
            publications: Mutex::default(),
            millis: AtomicI64::new(START.millis()),
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// The service in this world.
    pub(crate) fn service(&self) -> Service<'_, Self> {
        Service { settings: &self.settings, world: self }
    }

    /// Lets time pass. Alarms do not run by themselves: see [`World::run_alarms`].
    pub(crate) fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Runs the alarms that are due now, and those that they set for now, as the platform does. False when one
    /// died: it is still due.
    pub(crate) fn run_alarms(&self) -> bool {
        client::at_once(self.objects.run_alarms(self.service())).is_some()
    }

    /// Lets time pass until no object wants to be woken within `limit`, running each alarm when it is due.
    pub(crate) fn settle_within(&self, limit: Duration) {
        let end = self.now().plus(limit);
        while let Some(next) = self.objects.next_alarm().filter(|next| *next <= end) {
            self.pass(next.since(self.now()));
            self.run_alarms();
        }
    }

    /// The edge copy of a device, by the digest of its token.
    pub(crate) fn device_records(&self) -> BTreeMap<String, DeviceRecord> {
        let devices = locked(&self.devices);
        devices.iter().map(|(key, json)| (key.clone(), serde_json::from_str(json).unwrap())).collect()
    }

    /// The calls of providers that operators saw.
    pub(crate) fn metrics(&self) -> Vec<ProviderCall> {
        locked(&self.metrics).clone()
    }

    /// The records of codes in KV, by id.
    pub(crate) fn challenges(&self) -> BTreeMap<String, String> {
        locked(&self.challenges).clone()
    }

    /// Faults that no answer told of.
    pub(crate) fn passed_over(&self) -> Vec<Fault> {
        locked(&self.passed_over).clone()
    }

    /// What the pumping guard told the operator.
    pub(crate) fn guard_turns(&self) -> Vec<GuardTurn> {
        locked(&self.turns).clone()
    }

    /// What was shown on the developer's console.
    pub(crate) fn shown(&self) -> Vec<String> {
        locked(&self.shown).clone()
    }

    /// The tables of the back office.
    pub(crate) fn back_office(&self) -> MutexGuard<'_, BackOfficeTables> {
        locked(&self.back_office)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    async fn pause(&self, time: Duration) {
        if self.pauses_pass.load(Ordering::SeqCst) {
            self.pass(time);
        } else {
            #[allow(clippy::disallowed_methods, reason = "a thread of its own")]
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.faults.at_once(Port::Entropy, Fault::new("no_entropy"))?;
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = sha256(&[self.seed.to_be_bytes(), drawn.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl Http for World {
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, HttpFailure> {
        let send = async || {
            let answer = self.phones.answer(&request).or_else(|| self.receivers.answer(&request));
            let answer = answer.or_else(|| self.registers.answer(&request));
            let answer = answer.or_else(|| self.third_parties.answer(&request, self.now()));
            let answer = match answer {
                Some(answer) => answer,
                None => self.providers.answer(&request).await,
            };
            let host = request.url.split('/').nth(2).unwrap_or_default();
            let Some(time) = locked(&self.slow).get(host).copied() else { return answer };
            self.pass(time.min(request.timeout));
            if time > request.timeout { Err(HttpFailure::TimedOut) } else { answer }
        };
        self.faults.pass(Port::Http, HttpFailure::Broken, send).await
    }
}

impl Handles for World {
    async fn handle(
        &self,
        name: &HandleName,
        operation: handle::Operation,
    ) -> Result<handle::Outcome, Fault> {
        let (key, now) = ((Kind::Handle, name.as_str().to_owned()), self.now());
        let apply = async || Ok(self.objects.apply::<handle::Handle>(&key, &operation, now));
        self.faults.pass(Port::Handle, UNREACHABLE, apply).await
    }
}

impl Accounts for World {
    async fn account(&self, id: AccountId, operation: account::Operation) -> Result<account::Outcome, Fault> {
        let (key, now) = ((Kind::Account, id.to_string()), self.now());
        let apply = async || Ok(self.objects.apply::<account::Account>(&key, &operation, now));
        self.faults.pass(Port::Account, UNREACHABLE, apply).await
    }
}

impl Counters for World {
    async fn counter(&self, name: &str, operation: counter::Operation) -> Result<counter::Outcome, Fault> {
        let (key, now) = ((Kind::Counter, name.to_owned()), self.now());
        let apply = async || Ok(self.objects.apply::<counter::Counter>(&key, &operation, now));
        self.faults.pass(Port::Counter, UNREACHABLE, apply).await
    }
}

impl DeviceRecords for World {
    async fn publish_device(&self, token_digest: &str, record: &DeviceRecord) -> Result<(), Fault> {
        let put = async || {
            let json = serde_json::to_string(record).unwrap();
            locked(&self.devices).insert(token_digest.to_owned(), json);
            Ok(())
        };
        self.faults.pass(Port::DeviceRecords, Fault::new("device_record_not_written"), put).await
    }

    async fn retract_device(&self, token_digest: &str) -> Result<(), Fault> {
        let delete = async || {
            locked(&self.devices).remove(token_digest);
            Ok(())
        };
        self.faults.pass(Port::DeviceRecords, Fault::new("device_record_not_deleted"), delete).await
    }

    async fn device(&self, token_digest: &str) -> Result<Option<DeviceRecord>, Fault> {
        let get = async || {
            let json = locked(&self.devices).get(token_digest).cloned();
            Ok(json.map(|json| serde_json::from_str(&json).unwrap()))
        };
        self.faults.pass(Port::DeviceRead, Fault::new("device_record_not_read"), get).await
    }
}

impl EndedSessions for World {
    async fn publish_end(&self, session: SessionId, until: Timestamp) -> Result<(), Fault> {
        let put = async || {
            let seen_from =
                self.now().plus(Duration::from_millis(self.ends_seen_after.load(Ordering::SeqCst)));
            locked(&self.ended).entry(session).or_insert((seen_from, until));
            Ok(())
        };
        self.faults.pass(Port::EndedSessionsWrite, Fault::new("end_of_session_not_published"), put).await
    }

    async fn has_ended(&self, session: SessionId) -> Result<bool, Fault> {
        let get = async || {
            let now = self.now();
            // As the platform does: a place remembers for a minute that there was nothing.
            let missed = locked(&self.ends_missed).get(&session).copied();
            if missed.is_some_and(|at| now.since(at) < Duration::from_secs(60)) {
                return Ok(false);
            }
            let known = locked(&self.ended).get(&session).copied();
            let is_known = known.is_some_and(|(from, until)| (from..until).contains(&now));
            if !is_known {
                locked(&self.ends_missed).insert(session, now);
            }
            Ok(is_known)
        };
        self.faults.pass(Port::EndedSessionsRead, Fault::new("end_of_session_not_read"), get).await
    }
}

impl Challenges for World {
    async fn record_challenge(&self, id: ChallengeId, record: &challenge::Record) -> Result<(), Fault> {
        let put = async || {
            let json = serde_json::to_string(record).unwrap();
            let before = locked(&self.challenges).insert(id.to_string(), json);
            assert_eq!(before, None, "a record is written once");
            Ok(())
        };
        self.faults.pass(Port::ChallengeWrite, Fault::new("challenge_not_recorded"), put).await
    }

    async fn challenge(&self, id: ChallengeId) -> Result<Option<challenge::Record>, Fault> {
        let get = async || {
            let json = locked(&self.challenges).get(&id.to_string()).cloned();
            let json = json.filter(|_| self.shows_challenges.load(Ordering::SeqCst));
            Ok(json.map(|json| serde_json::from_str(&json).unwrap()))
        };
        self.faults.pass(Port::ChallengeRead, Fault::new("challenge_not_read"), get).await
    }
}

impl AddressLimiter for World {
    async fn admits(&self, _: &str) -> bool {
        self.faults.note(Port::AddressLimiter);
        self.admits.load(Ordering::SeqCst)
    }
}

impl Metrics for World {
    fn provider_called(&self, call: ProviderCall) {
        self.faults.note(Port::Metrics);
        locked(&self.metrics).push(call);
    }

    fn guard_turned(&self, turn: GuardTurn) {
        locked(&self.turns).push(turn);
    }

    fn fault_passed_over(&self, fault: Fault) {
        locked(&self.passed_over).push(fault);
    }

    fn show_message(&self, text: &str) {
        locked(&self.shown).push(text.to_owned());
    }
}

const UNREACHABLE: Fault = Fault::new("object_unreachable");

/// What a lock guards, also after a test thread has failed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
