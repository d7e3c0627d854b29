//! E-mails that vendors accepted, as people's letter-boxes show them.
//!
//! Invariant: as of messages to phones.

use openssl::error::ErrorStack;

use crate::{
    sms::Fate,
    state::{Account, World},
    tokens::{Behaviour, Provider},
};

/// How many e-mails are kept; the oldest go first.
const KEPT: usize = 20_000;

/// One accepted e-mail.
pub(crate) struct Email {
    /// In lower case.
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) provider: Provider,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}

impl World {
    /// Takes an e-mail unless a fault forbids it; says what became of it and how to answer.
    pub(crate) fn mail(
        &self,
        account: &Account,
        to: &str,
        subject: &str,
        text: String,
    ) -> Result<(Fate, Behaviour), ErrorStack> {
        let at_ms = self.now_ms();
        let mut ledger = self.ledger();
        let behaviour = ledger.fault(account.provider, Some(to))?.unwrap_or_default();
        let fate = Fate::of(behaviour);
        if fate == Fate::Accepted {
            if ledger.emails.len() >= KEPT {
                ledger.emails.pop_front();
            }
            let (to, subject) = (to.to_owned(), subject.to_owned());
            ledger.emails.push_back(Email { to, subject, text, provider: account.provider, at_ms });
        }
        Ok((fate, behaviour))
    }
}

/// An address in lower case; nothing but its rough form is looked at.
pub(crate) fn address(text: &str) -> Option<String> {
    let (name, host) = text.split_once('@')?;
    let is_plain = |part: &str| !part.is_empty() && !part.contains([' ', ',', '<', '>', '@']);
    (is_plain(name) && is_plain(host) && host.contains('.')).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        assert_eq!(address("Ming@Mail.Example").as_deref(), Some("ming@mail.example"));
        for bad in ["", "ming", "@mail.example", "ming@", "ming@mail", "a@b.c,d@e.f", "Ming <a@b.c>"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
