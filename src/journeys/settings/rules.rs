//! What the machines are told of the configuration.

use std::time::Duration;

use super::{OneTapNewDevice, Settings};
use crate::model::{
    account,
    device_trust::TrustRules,
    login_history::Retention,
    notice::NoticeRules,
    otp::{Rules, Sends},
    session::Lifetimes,
    step_up::Patience,
};

impl Settings {
    /// Rules for accounts.
    pub fn account_rules(&self) -> account::Rules {
        let limits = &self.limits;
        let cap = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        account::Rules {
            lifetimes: Lifetimes {
                idle: Duration::from_secs(limits.refresh_idle_seconds),
                absolute: Duration::from_secs(limits.refresh_absolute_seconds),
                grace: Duration::from_secs(limits.refresh_grace_seconds),
                access: Duration::from_secs(limits.access_token_seconds),
            },
            trust: TrustRules {
                known_days: limits.device_known_days,
                unused_at_most: Duration::from_secs(limits.device_trust_seconds),
            },
            retention: Retention { most: cap(limits.history_events), days: limits.history_days },
            notices: NoticeRules {
                webhooks: !self.webhooks.is_empty(),
                pushes: self.has_push.then_some(limits.notices_push_per_day),
                sms: limits.notices_sms_per_day,
            },
            sessions: cap(limits.sessions_per_account),
            devices: cap(limits.devices_per_account),
            device_token: Duration::from_secs(limits.device_token_seconds),
            profile: self.profile,
            one_tap_waits: self.one_tap_new_device == OneTapNewDevice::StepUp,
            one_tap_is_told: self.one_tap_new_device != OneTapNewDevice::Allow,
            patience: Patience {
                ticket: Duration::from_secs(limits.step_up_seconds),
                question: Duration::from_secs(limits.approval_seconds),
                questions_an_hour: cap(limits.approvals_per_hour),
            },
            fresh: Duration::from_secs(limits.fresh_proof_seconds),
            identities_of_a_kind: cap(limits.identities_of_a_kind),
            deletion_grace: Duration::from_secs(limits.deletion_grace_seconds),
            phone_change_waits: Duration::from_secs(limits.phone_change_wait_seconds),
            phone_change_stands: Duration::from_secs(limits.phone_change_stands_seconds),
            trusted_phones: cap(limits.trusted_phones),
            trusted_phone: Duration::from_secs(limits.trusted_phone_seconds),
            codes_an_hour: cap(limits.trusted_phone_codes_per_hour),
            tries: account::TryLimits {
                by_asker: cap(limits.proof_tries_per_asker),
                by_all: cap(limits.proof_tries_per_account),
            },
            appeals: account::TryLimits {
                by_asker: cap(limits.appeals_per_asker),
                by_all: cap(limits.appeals_per_account),
            },
        }
    }

    /// How far the clock of a proof may be from ours.
    pub const fn proof_window(&self) -> Duration {
        Duration::from_secs(self.limits.proof_seconds)
    }

    /// Limits of the codes of one number.
    pub fn otp_rules(&self) -> Rules {
        let limits = &self.limits;
        let few = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
        let sends = |window, most: u64| Sends {
            window: Duration::from_secs(window),
            most: usize::try_from(most).unwrap_or(usize::MAX),
        };
        Rules {
            tries: few(limits.otp_tries),
            resend: Duration::from_secs(limits.otp_resend_seconds),
            sends: [
                sends(limits.otp_short_window_seconds, limits.otp_number_short),
                sends(limits.otp_long_window_seconds, limits.otp_number_long),
            ],
            free_failures: few(limits.otp_free_failures),
            first_wait: Duration::from_secs(limits.otp_first_wait_seconds),
            longest_wait: Duration::from_secs(limits.otp_longest_wait_seconds),
            stop: few(limits.otp_stop_failures),
            stop_checked: few(limits.otp_stop_failures_checked),
            failure_memory: Duration::from_secs(limits.otp_failure_memory_seconds),
        }
    }
}
