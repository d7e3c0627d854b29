//! Identifiers: 128 random bits behind a prefix that says what they name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::encoding::{base32, from_base32};

/// The text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an identifier of this kind")
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Text form: prefix and 26 characters of lower-case base32 (RFC 4648 without padding).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// From 16 bytes of entropy, or of an identifier packed into a token.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, for packing into a token.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, base32(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let body = text.strip_prefix($prefix).ok_or(NotAnId)?;
                let bytes = from_base32(body).ok_or(NotAnId)?;
                bytes.try_into().map(Self).map_err(|_| NotAnId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person. The only key of what belongs to them.
    AccountId = "acc_";
    /// A session: one refresh family on one device.
    SessionId = "ses_";
    /// A device as an account knows it.
    DeviceId = "dev_";
    /// One access token (`jti`).
    TokenId = "jti_";
    /// One code on its way to a number.
    ChallengeId = "chl_";
    /// A sign-in that waits for a further proof.
    TicketId = "tkt_";
    /// A question to the trusted devices of an account.
    ApprovalId = "apr_";
    /// A trusted phone of an account.
    TrustedPhoneId = "tph_";
    /// What takes longer than a ticket lasts.
    CaseId = "cas_";
    /// One HTTP request, when the client named none.
    RequestId = "req_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        // RFC 4648 section 10 alphabet; sixteen zero bytes are twenty-six 'a'.
        let id = AccountId::from_bytes([0; 16]);
        assert_eq!(id.to_string(), format!("acc_{}", "a".repeat(26)));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn kinds_do_not_mix() {
        let text = AccountId::from_bytes([7; 16]).to_string();
        assert_eq!(text.parse::<SessionId>(), Err(NotAnId));
        assert_eq!(text.to_ascii_uppercase().parse::<AccountId>(), Err(NotAnId));
        assert_eq!("acc_".parse::<AccountId>(), Err(NotAnId));
        assert_eq!(format!("{text}a").parse::<AccountId>(), Err(NotAnId));
    }
}
