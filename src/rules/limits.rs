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
    /// What it limits.
    pub what: &'static str,
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
            $(Limit { name: $name, default: $default, min: $min, max: $max, what: $what },)*
        ];

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// Takes the values that `setting` gives by name, the defaults for the others.
            ///
            /// # Errors
            /// One sentence for each value that is no whole number or out of its range.
            pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
                let mut problems = Vec::new();
                let mut limits = Self::default();
                $(if let Some(text) = setting($name) {
                    match text.trim().parse::<u64>() {
                        Ok(value) if ($min..=$max).contains(&value) => limits.$field = value,
                        _ => problems.push(format!("{} must be a whole number from {} to {}", $name, $min, $max)),
                    }
                })*
                if problems.is_empty() { Ok(limits) } else { Err(problems) }
            }
        }
    };
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
    "PROVIDER_TIMEOUT_MS" provider_timeout_ms = 2000 in 100..=2500,
        "Share of the 3 s of a one-tap request that a provider gets, if its document asks for no less.";
    "REPEAT_WAIT_MS" repeat_wait_ms = 1000 in 0..=2000,
        "How long a repeated request waits for the first one's reply before it answers try_again.";
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
    fn all_problems_at_once() {
        let setting = |name: &str| match name {
            "ACCESS_TOKEN_SECONDS" => Some("5".to_owned()),
            "REFRESH_GRACE_SECONDS" => Some("soon".to_owned()),
            "DEVICE_KNOWN_DAYS" => Some("14".to_owned()),
            _ => None,
        };
        let problems = Limits::read(setting).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let only_good = |name: &str| setting(name).filter(|_| name == "DEVICE_KNOWN_DAYS");
        assert_eq!(Limits::read(only_good).unwrap().device_known_days, 14);
    }
}
