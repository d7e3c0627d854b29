//! Every limit that an operator can set: its name, default, and the range in which it is safe.
//!
//! The README's table lists the same rows; a test holds the two together.

/// One row of the table of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Name of the setting.
    pub name: &'static str,
    /// Value when unset.
    pub default: u64,
    /// Least value accepted.
    pub min: u64,
    /// Greatest value accepted.
    pub max: u64,
}

macro_rules! limits {
    ($($name:literal $field:ident = $default:literal in $min:literal..=$max:literal, $what:literal;)*) => {
        /// The limits in force.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $what] pub $field: u64,)*
        }

        /// The table.
        pub const TABLE: &[Limit] = &[
            $(Limit { name: $name, default: $default, min: $min, max: $max },)*
        ];

        /// What each row of the table limits. Apart from it, since the service has no use for it.
        pub const MEANINGS: &[&str] = &[$($what,)*];

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// Takes the values that `setting` gives by name, the defaults for the others. Where nobody can be
            /// harmed, in development, the durations of codes may be as short as a second.
            ///
            /// # Errors
            /// One sentence for each value that is no whole number or out of its range.
            pub fn read(
                setting: impl Fn(&str) -> Option<String>,
                is_development: bool,
            ) -> Result<Self, Vec<String>> {
                let mut limits = Self::default();
                let fields = [$(&mut limits.$field,)*];
                let mut problems = Vec::new();
                for (limit, field) in TABLE.iter().zip(fields) {
                    let may_be_short = limit.name.starts_with("OTP_") && limit.name.ends_with("_SECONDS");
                    let min = if is_development && may_be_short { 1 } else { limit.min };
                    match setting(limit.name).map(|text| text.trim().parse::<u64>()) {
                        None => {}
                        Some(Ok(value)) if (min..=limit.max).contains(&value) => *field = value,
                        Some(_) => problems.push(format!(
                            "{} must be a whole number from {min} to {}",
                            limit.name, limit.max
                        )),
                    }
                }
                problems.extend(limits.contradictions());
                if problems.is_empty() { Ok(limits) } else { Err(problems) }
            }

            /// The limit of that name.
            fn value(&self, name: &str) -> Option<u64> {
                let values = [$(self.$field,)*];
                TABLE.iter().zip(values).find_map(|(limit, value)| (limit.name == name).then_some(value))
            }
        }
    };
}

/// Pairs of which the first must not be above the second: else one of the two would mean nothing.
const ASCENDING: &[(&str, &str)] = &[
    ("REFRESH_IDLE_SECONDS", "REFRESH_ABSOLUTE_SECONDS"),
    ("APPROVAL_SECONDS", "STEP_UP_SECONDS"),
    ("OTP_RESEND_SECONDS", "OTP_LIFETIME_SECONDS"),
    ("OTP_SHORT_WINDOW_SECONDS", "OTP_LONG_WINDOW_SECONDS"),
    ("OTP_NUMBER_SHORT", "OTP_NUMBER_LONG"),
    ("OTP_ADDRESS_SHORT", "OTP_ADDRESS_LONG"),
    ("OTP_NETWORK_SHORT", "OTP_NETWORK_LONG"),
    ("OTP_IPV6_SITE_SHORT", "OTP_IPV6_SITE_LONG"),
    ("OTP_DEVICE_SHORT", "OTP_DEVICE_LONG"),
    ("OTP_FREE_FAILURES", "OTP_STOP_FAILURES"),
    ("OTP_STOP_FAILURES", "OTP_STOP_FAILURES_CHECKED"),
    ("OTP_FIRST_WAIT_SECONDS", "OTP_LONGEST_WAIT_SECONDS"),
    ("PUMPING_PREFIX_STOP_PERCENT", "PUMPING_PREFIX_CHECK_PERCENT"),
    ("PUMPING_COUNTRY_STOP_PERCENT", "PUMPING_COUNTRY_CHECK_PERCENT"),
    ("PUMPING_CHECK_LETS_ONE_IN", "PUMPING_STOP_LETS_ONE_IN"),
    ("PROOF_TRIES_PER_ASKER", "PROOF_TRIES_PER_ACCOUNT"),
    ("APPEALS_PER_ASKER", "APPEALS_PER_ACCOUNT"),
    ("PASSWORD_TRIES_HOUR", "PASSWORD_TRIES_DAY"),
    ("PASSWORD_TRIES_DAY", "PASSWORD_TRIES_MONTH"),
    ("PASSWORD_ADDRESS_HOUR", "PASSWORD_ADDRESS_DAY"),
    ("API_KEY_CALLS_PER_MINUTE", "API_KEY_CALLS_PER_MONTH"),
];

impl Limits {
    /// One sentence for each pair of limits that contradict each other.
    fn contradictions(&self) -> impl Iterator<Item = String> {
        let are_wrong = |(low, high): &&(&str, &str)| self.value(low) > self.value(high);
        let wrong = ASCENDING.iter().filter(are_wrong);
        wrong.map(|(low, high)| format!("{low} must not be above {high}"))
    }
}

limits! {
    "ACCESS_TOKEN_SECONDS" access_token_seconds = 600 in 60..=3600,
        "Life of an access token; what a session that was ended can still do elsewhere.";
    "REFRESH_IDLE_SECONDS" refresh_idle_seconds = 2_592_000 in 600..=31_536_000,
        "A session ends when it was not refreshed for so long.";
    "REFRESH_ABSOLUTE_SECONDS" refresh_absolute_seconds = 15_552_000 in 600..=63_072_000,
        "A session ends so long after the sign-in, however often refreshed.";
    "REFRESH_GRACE_SECONDS" refresh_grace_seconds = 60 in 1..=300,
        "A rotated refresh token still gets its successor, until that is used.";
    "SESSIONS_PER_ACCOUNT" sessions_per_account = 100 in 1..=1000,
        "Sessions kept; the one unused for longest gives way.";
    "DEVICES_PER_ACCOUNT" devices_per_account = 100 in 1..=200,
        "Devices kept; the least used one that is not trusted gives way.";
    "DEVICE_KNOWN_DAYS" device_known_days = 7 in 2..=365,
        "Days of use after which a device is known.";
    "DEVICE_TRUST_SECONDS" device_trust_seconds = 7_776_000 in 86_400..=31_536_000,
        "Trust of a device ends when it was not used for so long.";
    "DEVICE_TOKEN_SECONDS" device_token_seconds = 2_592_000 in 86_400..=31_536_000,
        "A device token older than that is exchanged at the next sign-in.";
    "PROOF_SECONDS" proof_seconds = 300 in 30..=600,
        "A proof by a device's key may be so much older, or so much ahead of our clock.";
    "STEP_UP_SECONDS" step_up_seconds = 600 in 300..=3600,
        "A sign-in that must be confirmed waits for so long.";
    "APPROVAL_SECONDS" approval_seconds = 300 in 60..=600,
        "The trusted devices can answer for so long.";
    "APPROVALS_PER_HOUR" approvals_per_hour = 10 in 1..=100,
        "Questions to the trusted devices of one account within an hour.";
    "PASSWORD_TRIES_HOUR" password_tries_hour = 10 in 3..=100,
        "Guesses at a password within an hour: by one identifier, strangers and who passed a bot check apart; in one session; on one device that has signed in to the account.";
    "PASSWORD_TRIES_DAY" password_tries_day = 30 in 3..=100,
        "The same within a day.";
    "PASSWORD_TRIES_MONTH" password_tries_month = 90 in 10..=100,
        "The same within 30 days, and of all identifiers of one account together (NIST: no more than 100 in a row).";
    "PASSWORD_ADDRESS_HOUR" password_address_hour = 60 in 3..=10_000,
        "Guesses from one address (IPv6: one /64) within an hour, whoever they are aimed at.";
    "PASSWORD_ADDRESS_DAY" password_address_day = 300 in 3..=100_000,
        "The same within a day.";
    "PASSWORD_NETWORK_HOUR" password_network_hour = 240 in 3..=100_000,
        "Guesses from one network (IPv4 /24, IPv6 /56) within an hour.";
    "PASSWORD_NETWORK_DAY" password_network_day = 1200 in 3..=1_000_000,
        "The same within a day.";
    "PASSWORD_IPV6_SITE_HOUR" password_ipv6_site_hour = 960 in 3..=100_000,
        "Guesses from one IPv6 /48 within an hour.";
    "PASSWORD_IPV6_SITE_DAY" password_ipv6_site_day = 4800 in 3..=1_000_000,
        "The same within a day.";
    "PASSWORD_MIN_CHARACTERS" password_min_characters = 8 in 8..=64,
        "Least length of a password (NIST: 8 at least, 15 better; where it alone signs in, set 15).";
    "USERNAME_BINDS_PER_DAY" username_binds_per_day = 50 in 1..=1000,
        "User names that one account tries to take within a day.";
    "HISTORY_EVENTS" history_events = 100 in 10..=500,
        "Events kept in an account's login history; the oldest gives way.";
    "HISTORY_DAYS" history_days = 180 in 1..=730,
        "Days for which they are kept.";
    "FRESH_PROOF_SECONDS" fresh_proof_seconds = 600 in 60..=3600,
        "Where something is at stake, who is signed in must have proven who they are no longer ago.";
    "IDENTITIES_OF_A_KIND" identities_of_a_kind = 1 in 1..=20,
        "Identities of one provider that an account has at most.";
    "DELETION_GRACE_SECONDS" deletion_grace_seconds = 1_296_000 in 0..=7_776_000,
        "An account that its owner has deleted can be restored for so long; then its data goes.";
    "PHONE_CHANGE_WAIT_SECONDS" phone_change_wait_seconds = 259_200 in 86_400..=2_592_000,
        "Another number wished for without a fresh proof must wait for so long; meanwhile the owner can object.";
    "PHONE_CHANGE_STANDS_SECONDS" phone_change_stands_seconds = 2_592_000 in 86_400..=7_776_000,
        "After that it can be taken for so long; then it is forgotten.";
    "TRUSTED_PHONES" trusted_phones = 5 in 1..=20,
        "Trusted phones of one account.";
    "TRUSTED_PHONE_SECONDS" trusted_phone_seconds = 10_368_000 in 86_400..=31_536_000,
        "A trusted phone is asked for so long after it was last proven: numbers get other owners.";
    "TRUSTED_PHONE_CODES_PER_HOUR" trusted_phone_codes_per_hour = 10 in 1..=100,
        "Codes to the trusted phones and the address of one account within an hour, for sign-ins that wait.";
    "PROOF_TRIES_PER_ASKER" proof_tries_per_asker = 5 in 1..=20,
        "Tries from one network at what could be guessed at (password, name and ID number, questions) and at asking friends, at one account within 30 days.";
    "PROOF_TRIES_PER_ACCOUNT" proof_tries_per_account = 20 in 1..=100,
        "The same from everywhere, and once more for those who have proven something of strength 2. On devices of standing only the row above counts.";
    "FACTS_PER_ACCOUNT" facts_per_account = 50 in 7..=100,
        "Facts that the app may know of one account's owner; a series of questions takes seven.";
    "FRIENDS_PER_ACCOUNT" friends_per_account = 500 in 2..=500,
        "Friends that the app may name of one account.";
    "FRIEND_CONFIRMATIONS_PER_DAY" friend_confirmations_per_day = 20 in 2..=1000,
        "Phrases of others that one account's owner tries to confirm within a day.";
    "APPEALS_PER_ASKER" appeals_per_asker = 2 in 1..=10,
        "Appeals from one network for one account within 30 days, one at a time, and as many times friends are asked; on devices of its owner apart.";
    "APPEALS_PER_ACCOUNT" appeals_per_account = 6 in 1..=20,
        "The same from everywhere, and once more for devices of standing and those who have proven something of strength 2.";
    "NOTICES_PUSH_PER_DAY" notices_push_per_day = 20 in 0..=1000,
        "Push messages that one person gets in a day (UTC).";
    "NOTICES_SMS_PER_DAY" notices_sms_per_day = 2 in 0..=20,
        "SMS with warnings that one person gets in a day (UTC).";
    "WEBHOOK_RETRY_SECONDS" webhook_retry_seconds = 86_400 in 60..=259_200,
        "A webhook that does not take an event is tried again for so long.";
    "PROVIDER_TIMEOUT_MS" provider_timeout_ms = 2000 in 100..=2500,
        "Share of the 3 s of a one-tap request that a provider gets, if its document asks for no less.";
    "REPEAT_WAIT_MS" repeat_wait_ms = 1000 in 0..=2000,
        "How long a repeated request waits for the first one's reply before it answers try_again.";
    "OTP_CODE_DIGITS" otp_code_digits = 6 in 6..=8,
        "Digits of a code.";
    "OTP_LIFETIME_SECONDS" otp_lifetime_seconds = 300 in 60..=600,
        "A code is good for so long (NIST: 10 minutes at most).";
    "OTP_TRIES" otp_tries = 5 in 1..=10,
        "Wrong guesses at one code.";
    "OTP_RESEND_SECONDS" otp_resend_seconds = 60 in 30..=600,
        "Another code may be asked for after so long.";
    "OTP_SHORT_WINDOW_SECONDS" otp_short_window_seconds = 3600 in 600..=86_400,
        "The shorter window in which sends are counted.";
    "OTP_LONG_WINDOW_SECONDS" otp_long_window_seconds = 86_400 in 3600..=604_800,
        "The longer window in which sends are counted.";
    "OTP_NUMBER_SHORT" otp_number_short = 5 in 1..=20,
        "Codes to one number or e-mail address in the shorter window; strangers and own devices apart. Who passed a bot check may have twice as many.";
    "OTP_NUMBER_LONG" otp_number_long = 10 in 1..=50,
        "The same in the longer window.";
    "OTP_ADDRESS_SHORT" otp_address_short = 20 in 1..=10_000,
        "Codes asked for from one address (IPv6: one /64) in the shorter window; with and without the token of a bot check apart.";
    "OTP_ADDRESS_LONG" otp_address_long = 100 in 1..=100_000,
        "The same in the longer window.";
    "OTP_NETWORK_SHORT" otp_network_short = 200 in 1..=100_000,
        "Codes asked for from one network (IPv4 /24, IPv6 /56) in the shorter window.";
    "OTP_NETWORK_LONG" otp_network_long = 1000 in 1..=1_000_000,
        "The same in the longer window.";
    "OTP_IPV6_SITE_SHORT" otp_ipv6_site_short = 800 in 1..=100_000,
        "Codes asked for from one IPv6 /48 in the shorter window.";
    "OTP_IPV6_SITE_LONG" otp_ipv6_site_long = 4000 in 1..=1_000_000,
        "The same in the longer window.";
    "OTP_DEVICE_SHORT" otp_device_short = 10 in 1..=1000,
        "Codes asked for by one device that has signed in before, in the shorter window. To its own number, this is in place of address and network.";
    "OTP_DEVICE_LONG" otp_device_long = 30 in 1..=10_000,
        "The same in the longer window.";
    "OTP_ATTEMPTS_PER_CODE" otp_attempts_per_code = 10 in 2..=100,
        "Requests for codes, sent or not, for each code that an address, network or device may ask for in the shorter window.";
    "OTP_PREFIX_SHORT" otp_prefix_short = 300 in 1..=1_000_000,
        "Codes to one prefix of numbers in the shorter window; strangers, people (bot check passed) and own devices apart.";
    "OTP_COUNTRY_SHORT" otp_country_short = 20_000 in 1..=10_000_000,
        "Codes to one country in the shorter window; apart in the same way.";
    "OTP_DEPLOYMENT_SHORT" otp_deployment_short = 50_000 in 1..=10_000_000,
        "Codes altogether in the shorter window, by SMS and by e-mail each; apart in the same way.";
    "OTP_FREE_FAILURES" otp_free_failures = 10 in 5..=30,
        "Wrong guesses in a row at a number, over all its codes, before another code must wait.";
    "OTP_FIRST_WAIT_SECONDS" otp_first_wait_seconds = 30 in 10..=3600,
        "The first such wait; it doubles with each further failure.";
    "OTP_LONGEST_WAIT_SECONDS" otp_longest_wait_seconds = 3600 in 60..=86_400,
        "The longest such wait.";
    "OTP_STOP_FAILURES" otp_stop_failures = 30 in 10..=45,
        "Wrong guesses in a row after which codes are neither sent nor taken; strangers and own devices apart.";
    "OTP_STOP_FAILURES_CHECKED" otp_stop_failures_checked = 45 in 10..=49,
        "The same for who passed a bot check. Both kinds together stay below the 100 of NIST.";
    "OTP_FAILURE_MEMORY_SECONDS" otp_failure_memory_seconds = 604_800 in 86_400..=2_592_000,
        "Wrong guesses are forgotten when none was added for so long. A lane that is guessed at for a year yields 30 a week: one chance in 640.";
    "PUMPING_PREFIX_MIN_SENDS" pumping_prefix_min_sends = 12 in 5..=1000,
        "Codes asked for in an hour before a prefix is judged by how many are redeemed.";
    "PUMPING_PREFIX_CHECK_PERCENT" pumping_prefix_check_percent = 40 in 5..=80,
        "Strangers need a bot check where a smaller share is redeemed.";
    "PUMPING_PREFIX_STOP_PERCENT" pumping_prefix_stop_percent = 20 in 1..=60,
        "A prefix is stopped for strangers without a bot check where a smaller share is redeemed.";
    "PUMPING_COUNTRY_MIN_SENDS" pumping_country_min_sends = 200 in 20..=100_000,
        "The same three for a country.";
    "PUMPING_COUNTRY_CHECK_PERCENT" pumping_country_check_percent = 25 in 5..=80,
        "The same three for a country.";
    "PUMPING_COUNTRY_STOP_PERCENT" pumping_country_stop_percent = 10 in 1..=60,
        "The same three for a country.";
    "PUMPING_CHECK_LETS_ONE_IN" pumping_check_lets_one_in = 4 in 2..=1000,
        "Where a bot check is asked for, one in so many passes without, to measure.";
    "PUMPING_STOP_LETS_ONE_IN" pumping_stop_lets_one_in = 40 in 4..=10_000,
        "Where a prefix is stopped, one in so many passes, to measure.";
    "SMS_TIMEOUT_MS" sms_timeout_ms = 3000 in 500..=5000,
        "Time a provider of SMS or e-mail gets, if its document asks for no less.";
    "BOT_CHECK_TIMEOUT_MS" bot_check_timeout_ms = 2000 in 200..=5000,
        "Time the bot check's provider gets.";
    "RISK_TIMEOUT_MS" risk_timeout_ms = 600 in 100..=2000,
        "Time the risk provider gets.";
    "ATTESTATION_TIMEOUT_MS" attestation_timeout_ms = 1000 in 100..=2000,
        "Time the operator's verifier of attestations gets.";
    "EVIDENCE_TIMEOUT_MS" evidence_timeout_ms = 2000 in 100..=2500,
        "Time each provider gets that is asked about a number, if its document asks for no less.";
    "IDENTITY_TIMEOUT_MS" identity_timeout_ms = 5000 in 1000..=10_000,
        "Time all calls of one third-party login get together.";
    "IDENTITY_STATE_SECONDS" identity_state_seconds = 600 in 60..=3600,
        "A third-party login that was begun in a browser must come back within so long.";
    "ID_TOKEN_LEEWAY_SECONDS" id_token_leeway_seconds = 60 in 0..=300,
        "The clock of an issuer of OpenID Connect may stand so far from ours.";
    "ISSUER_CACHE_SECONDS" issuer_cache_seconds = 3600 in 60..=86_400,
        "What an issuer publishes (its URLs, its keys) is kept for so long; an unknown key is looked for at once.";
    "API_KEY_CALLS_PER_MINUTE" api_key_calls_per_minute = 600 in 1..=30_000,
        "Calls of an API key in any 60 seconds, where the key has no limit of its own.";
    "API_KEY_CALLS_PER_MONTH" api_key_calls_per_month = 1_000_000 in 1..=1_000_000_000,
        "Calls of an API key in a calendar month (UTC), where the key has no limit of its own.";
    "IMPORT_LINES" import_lines = 100 in 1..=500,
        "Users in one request of an import. Each takes two calls to objects and one for each identifier; Workers allow 1,000 a request.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_lie_in_their_ranges() {
        for limit in TABLE {
            assert!((limit.min..=limit.max).contains(&limit.default), "{}", limit.name);
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let with = |values: &[(&str, &str)]| {
            let find = |name: &str| values.iter().find(|(known, _)| *known == name);
            Limits::read(|name| find(name).map(|(_, value)| (*value).to_owned()), false)
        };
        let problems = with(&[("OTP_STOP_FAILURES", "45"), ("OTP_STOP_FAILURES_CHECKED", "30")]).unwrap_err();
        assert_eq!(problems, ["OTP_STOP_FAILURES must not be above OTP_STOP_FAILURES_CHECKED"]);
        assert!(with(&[("OTP_STOP_FAILURES", "45")]).is_ok());
        for (low, high) in ASCENDING {
            let row = |name: &str| TABLE.iter().find(|limit| limit.name == name).unwrap();
            // The defaults keep to it, and it could be broken: else the pair would be idle.
            assert!(row(low).default <= row(high).default && row(low).max > row(high).min, "{low} {high}");
        }
    }

    #[test]
    fn all_problems_at_once() {
        let setting = |name: &str| match name {
            "ACCESS_TOKEN_SECONDS" => Some("5".to_owned()),
            "REFRESH_GRACE_SECONDS" => Some("soon".to_owned()),
            "DEVICE_KNOWN_DAYS" => Some("14".to_owned()),
            _ => None,
        };
        let problems = Limits::read(setting, false).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let only_good = |name: &str| setting(name).filter(|_| name == "DEVICE_KNOWN_DAYS");
        assert_eq!(
            Limits::read(|name| (name == "OTP_RESEND_SECONDS").then(|| "1".to_owned()), true)
                .unwrap()
                .otp_resend_seconds,
            1
        );
        assert_eq!(Limits::read(only_good, false).unwrap().device_known_days, 14);
    }
}
