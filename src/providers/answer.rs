//! What a provider said.

use crate::{
    kernel::phone::PhoneNumber,
    model::{
        carrier::Carrier,
        evidence::{NumberStatus, Reassignment},
    },
};

use super::credential::Credential;

/// What a provider said. Codes are for logs: the vendor's own, cut down to harmless characters, or one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The number that the credential belongs to.
    Number {
        /// The number.
        phone: PhoneNumber,
        /// The carrier that the credential names; a hint.
        carrier: Option<Carrier>,
        /// Whether the call is billed, where the provider says so.
        charged: Option<bool>,
    },
    /// Whether the number belongs to the credential.
    Checked {
        /// It does.
        matches: bool,
        /// As above.
        charged: Option<bool>,
    },
    /// The SMS, e-mail or push was taken for delivery.
    Accepted {
        /// What the vendor of SMS calls it in its receipts: up to 128 visible ASCII characters.
        message_id: Option<String>,
    },
    /// The bot check was passed; one that was not is [`Answer::Rejected`].
    Human,
    /// How risky the caller is.
    #[allow(missing_docs, reason = "see RiskLevel")]
    Risk { level: RiskLevel },
    /// What became of the number since.
    Reassignment(Reassignment),
    /// Whether the number can be reached.
    NumberStatus(NumberStatus),
    /// Whether the number is in the name.
    NameCheck {
        /// It is; `None`: no record.
        matches: Option<bool>,
    },
    /// Third-party login: what the document takes out of the reply, by name.
    Taken(Credential),
    /// The credential or the user's input is not accepted. SMS, e-mail, push: this number, address or device cannot get
    /// any. Questions about a number: nothing is known of such numbers.
    #[allow(missing_docs, reason = "see Answer")]
    Rejected { code: String },
    /// SMS, e-mail, questions about a number: enough for this number or address, by the provider's own count; another
    /// may still take it.
    #[allow(missing_docs, reason = "see Answer")]
    Limited { code: String },
    /// The provider cannot answer now, or its reply cannot be understood.
    Unavailable {
        /// As everywhere here.
        code: String,
        /// It was clearly not done, so that another provider may be asked. Otherwise it may have been done.
        definite: bool,
    },
    /// Our account with the provider is at fault; its operator must act.
    #[allow(missing_docs, reason = "see Answer")]
    AccountFault { code: String },
}

/// What a risk score means, by the thresholds of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskLevel {
    /// Nothing speaks against it.
    Allow,
    /// Ask for a bot check first.
    Challenge,
    /// Refuse.
    Deny,
}
