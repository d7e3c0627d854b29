//! Messages that vendors accepted, as people's phones show them.
//!
//! Invariant: a message is here when, and only when, its vendor took it; that its answer was lost changes nothing.

use openssl::error::ErrorStack;

use crate::{
    state::{Account, World},
    tokens::{Behaviour, Provider},
};

/// How many messages are kept; the oldest go first.
const KEPT: usize = 20_000;

/// One accepted message.
#[derive(Clone)]
pub(crate) struct Message {
    /// E.164.
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) provider: Provider,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The vendor's name of it.
    pub(crate) id: String,
    pub(crate) account_id: String,
}

/// What becomes of a message that is well-formed and rightly signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    /// For now: the same would be taken later.
    Refused,
    AccountFault,
    Undeliverable,
}

impl Fate {
    pub(crate) fn of(behaviour: Behaviour) -> Self {
        match behaviour {
            Behaviour::Refused | Behaviour::Http500 => Fate::Refused,
            Behaviour::AccountFault => Fate::AccountFault,
            Behaviour::Undeliverable => Fate::Undeliverable,
            _ => Fate::Accepted,
        }
    }
}

impl World {
    /// Takes a message to `to` (E.164) unless a fault forbids it; says what became of it and how to answer.
    pub(crate) fn submit(
        &self,
        account: &Account,
        to: &str,
        text: String,
        id: &str,
    ) -> Result<(Fate, Behaviour), ErrorStack> {
        let at_ms = self.now_ms();
        let mut ledger = self.ledger();
        let behaviour = ledger.fault(account.provider, Some(to))?.unwrap_or_default();
        let fate = Fate::of(behaviour);
        if fate == Fate::Accepted {
            if ledger.messages.len() >= KEPT {
                ledger.messages.pop_front();
            }
            ledger.messages.push_back(Message {
                to: to.to_owned(),
                text,
                provider: account.provider,
                at_ms,
                id: id.to_owned(),
                account_id: account.id().to_owned(),
            });
        }
        Ok((fate, behaviour))
    }
}

/// `+` and 8 to 15 digits, of which the first is not 0; 11 digits of a Chinese mobile number get their +86.
pub(crate) fn e164(text: &str) -> Option<String> {
    if crate::control::is_mobile(text) {
        return Some(format!("+86{text}"));
    }
    let digits = text.strip_prefix('+')?;
    let sound = (8..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    sound.then(|| text.to_owned())
}

/// What a vendor of templates makes of a code. The real text is in the vendor's console.
pub(crate) fn rendered(sign_name: &str, code: &str) -> String {
    format!("【{sign_name}】您的验证码是{code}，5分钟内有效，请勿告诉他人。")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn numbers_in_two_spellings() {
        assert_eq!(e164("13800138000").as_deref(), Some("+8613800138000"));
        assert_eq!(e164("+4915112345678").as_deref(), Some("+4915112345678"));
        for bad in ["", "+", "12345678901", "+0123456789", "+12 3456789", "8613800138000"] {
            assert_eq!(e164(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn the_oldest_message_goes_first() {
        let bench = Bench::new();
        let account = bench.world.account_for(Provider::Twilio, None, None).unwrap();
        for number in 0..=KEPT {
            bench.world.submit(account, "+8613800138000", number.to_string(), "SM").unwrap();
        }
        let ledger = bench.world.ledger();
        assert_eq!(ledger.messages.len(), KEPT);
        assert_eq!(ledger.messages.front().unwrap().text, "1");
    }
}
