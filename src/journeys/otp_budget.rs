//! What a code costs: the budgets of whoever asks, and of where it goes.
//!
//! Who asks is a network address; or a device of the number's holder, which has a budget of its own wherever it is;
//! or a device of somebody else, which has both. Where it goes is a prefix of numbers, a country, and the deployment
//! as a whole; the first two have a guard against pumping, for there the carriers earn by what is sent. E-mail has the
//! deployment alone, counted apart from SMS. What strangers use up of these, own devices keep.

use super::{
    Service,
    budget::{ALL, Asker, Scope, Taken, cap},
    provider::Caller,
    spent::SpentCode,
};
use crate::{
    kernel::{
        country::{country_code, prefix},
        fault::Fault,
        phone::PhoneNumber,
    },
    model::{
        challenge::Destination,
        counter::{Budget, Operation},
        device::{DeviceRecord, Trust},
        pumping::{Guard, Policy},
    },
    ports::World,
};

/// Who it turned out to be.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    /// A device of the number's holder.
    pub(super) own_device: bool,
    /// One that is known or trusted: signing in once with a number of one's own is no reason to be let off.
    pub(super) own_known_device: bool,
    /// Passed a bot check.
    pub(super) human: bool,
}

impl<W: World> Service<'_, W> {
    /// Who it turned out to be.
    pub(super) fn standing(&self, asker: &Asker, own_device: bool, human: bool) -> Standing {
        let is_of_standing =
            asker.device.as_ref().is_some_and(|(_, DeviceRecord { usage, trusted_since, .. })| {
                let rules = self.settings.account_rules().trust;
                rules.trust(*usage, *trusted_since, self.world.now()) != Trust::New
            });
        Standing { own_device, own_known_device: own_device && is_of_standing, human }
    }

    /// What whoever asks takes from. Who brings the token of a bot check has tallies apart, so that a neighbour
    /// behind the same address cannot use up a person's.
    pub(super) fn scopes_of_asker(
        &self,
        asker: &Asker,
        own_device: bool,
        brings_bot_check: bool,
    ) -> Vec<Scope> {
        let limits = &self.settings.limits;
        let apart = if brings_bot_check { "checked." } else { "" };
        let scope = |counter: String, tallies: &[(&str, (u64, u64))]| {
            let (short, long) = (limits.otp_short_window_seconds, limits.otp_long_window_seconds);
            let budgets = tallies.iter().map(|(tally, (few, many))| Budget {
                tally: format!("{apart}{tally}"),
                caps: vec![cap(short, *few), cap(long, *many)],
            });
            let attempts = tallies.iter().map(|(tally, (few, _))| Budget {
                tally: format!("attempts.{tally}"),
                caps: vec![cap(short, few.saturating_mul(limits.otp_attempts_per_code))],
            });
            Scope { attempts: attempts.collect(), ..Scope::of(counter, budgets.collect()) }
        };
        let mut scopes = Vec::new();
        if let Some((digest, _)) = &asker.device {
            let of_device = (ALL, (limits.otp_device_short, limits.otp_device_long));
            scopes.push(scope(format!("otp.device.{digest}"), &[of_device]));
        }
        if !own_device {
            let tallies = asker.tallies(
                (limits.otp_address_short, limits.otp_address_long),
                (limits.otp_network_short, limits.otp_network_long),
                (limits.otp_ipv6_site_short, limits.otp_ipv6_site_long),
            );
            scopes.push(scope(format!("otp.network.{}", asker.site), &tallies));
        }
        scopes
    }

    /// What a code takes from that goes there.
    pub(super) fn scopes_of_destination(
        &self,
        to: &Destination,
        caller: &Caller<'_>,
        standing: Standing,
    ) -> Vec<Scope> {
        let limits = &self.settings.limits;
        let policy = |min_sends, check, stop| Policy {
            min_sends,
            check_below_percent: check,
            stop_below_percent: stop,
            measure_one_in_check: limits.pumping_check_lets_one_in,
            measure_one_in_stop: limits.pumping_stop_lets_one_in,
            mature_seconds: MATURE_SECONDS,
        };
        let of_prefix = policy(
            limits.pumping_prefix_min_sends,
            limits.pumping_prefix_check_percent,
            limits.pumping_prefix_stop_percent,
        );
        let of_country = policy(
            limits.pumping_country_min_sends,
            limits.pumping_country_check_percent,
            limits.pumping_country_stop_percent,
        );
        let has_bot_check = self.has_bot_check(caller);
        let is_exempt = standing.own_known_device || standing.human;
        // Neither a flood of strangers nor one of people leaves the owners' devices without room.
        let tally = match standing {
            Standing { own_device: true, .. } => "own_devices",
            Standing { human: true, .. } => "people",
            _ => "strangers",
        };
        let scope = |(counter, name): (String, String), most, policy: Option<Policy>| Scope {
            counter,
            name,
            budgets: vec![Budget {
                tally: tally.to_owned(),
                caps: vec![cap(limits.otp_short_window_seconds, most)],
            }],
            attempts: Vec::new(),
            guard: policy.filter(|_| !is_exempt).map(|policy| Guard { policy, has_bot_check }),
        };
        let deployment =
            |counter: &str| scope((counter.to_owned(), String::new()), limits.otp_deployment_short, None);
        match to {
            Destination::Phone(phone) => vec![
                scope(of_prefix_counter(phone), limits.otp_prefix_short, Some(of_prefix)),
                scope(of_country_counter(phone), limits.otp_country_short, Some(of_country)),
                deployment("otp.deployment"),
            ],
            Destination::Email(_) => vec![deployment("otp.deployment.email")],
        }
    }

    /// It counts, but proves nothing about whoever asked: the guards forget it.
    pub(super) async fn unmeasure(&self, taken: Taken) {
        let Taken { at, from } = taken;
        let measured = from.into_iter().filter(|(_, _, measured)| *measured);
        self.withdraw(measured.map(|(counter, _, measured)| {
            (counter, Operation::Withdraw { tallies: Vec::new(), at, measured })
        }))
        .await;
    }

    /// Tells the guards of a code that came back. Our own trouble afterwards must not look like pumping.
    ///
    /// # Errors
    /// [`Fault`]: one of them did not hear; it then takes one code more for lost.
    pub async fn note_spent(&self, SpentCode { phone, sent_at }: SpentCode) -> Result<(), Fault> {
        let guarded = [of_prefix_counter(&phone), of_country_counter(&phone)];
        let notes = guarded.map(|(counter, _)| (counter, Operation::Redeemed { sent_at }));
        self.counters(notes.into()).await.into_iter().try_for_each(|noted| noted.map(|_| ()))
    }
}

/// A code that is not redeemed this long after it was sent is probably not going to be.
const MATURE_SECONDS: u64 = 120;

/// Counter and name of a number's prefix.
fn of_prefix_counter(phone: &PhoneNumber) -> (String, String) {
    let name = prefix(phone.e164());
    (format!("otp.prefix.{name}"), name)
}

/// Counter and name of its country.
fn of_country_counter(phone: &PhoneNumber) -> (String, String) {
    let name = country_code(phone.e164()).to_owned();
    (format!("otp.country.{name}"), name)
}
