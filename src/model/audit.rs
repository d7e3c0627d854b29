//! What the audit log remembers.

use crate::kernel::time::Timestamp;

/// One thing done that somebody may have to answer for. Holds ids, never personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: `api_key:<name>`, later `staff:<id>` or `account:<id>`.
    pub actor: String,
    /// What.
    pub action: Action,
    /// To whom: an account id, a case id, or the name of a handle; of an import, how many lines.
    pub subject: String,
    /// The request in which it was done.
    pub request: String,
}

/// The actions on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A credential was exchanged for a full number.
    OneTapExchange,
    /// The full number of an account was read.
    PhoneRead,
    /// An account was frozen.
    Freeze,
    /// A frozen account was let go on.
    Unfreeze,
    /// Login protection of an account was switched on.
    Protect,
    /// It was switched off.
    Unprotect,
    /// It was taken back that an account is to be deleted.
    Restore,
    /// Accounts were brought from elsewhere.
    Import,
    /// The app said what it knows of an account's owner.
    Facts,
    /// It said who their friends are.
    Friends,
    /// It said that an account holds money.
    Money,
    /// It said that an account holds none.
    NoMoney,
    /// What was told in a case was read.
    CaseRead,
    /// A case was granted, as far as one can.
    CaseGrant,
    /// A case was refused.
    CaseRefuse,
}

impl Action {
    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneTapExchange => "one_tap.exchange",
            Self::PhoneRead => "phone.read",
            Self::Freeze => "account.freeze",
            Self::Unfreeze => "account.unfreeze",
            Self::Protect => "account.protect",
            Self::Unprotect => "account.unprotect",
            Self::Restore => "account.restore",
            Self::Import => "account.import",
            Self::Facts => "account.facts",
            Self::Friends => "account.friends",
            Self::Money => "account.money",
            Self::NoMoney => "account.no_money",
            Self::CaseRead => "case.read",
            Self::CaseGrant => "case.grant",
            Self::CaseRefuse => "case.refuse",
        }
    }
}
