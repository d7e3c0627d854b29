//! Tickets, as clients hold them: of a sign-in that waits, and of a number that was proven.

use super::login::Method;
use crate::kernel::{
    fault::Fault,
    id::{AccountId, SessionId, TicketId},
    keys::KeyRing,
    phone::PhoneNumber,
    seal::{Sealed, open, seal_unique},
    time::Timestamp,
};

/// What a ticket says to us: sealed, so that a forged one is refused without asking anybody, and nobody reads whose
/// account waits behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The account.
    pub account: AccountId,
    /// Which of its sign-ins.
    pub id: TicketId,
    /// It is over then.
    pub until: Timestamp,
}

impl Ticket {
    /// The text the client holds; always the same for one ticket.
    ///
    /// # Errors
    /// [`Fault`] when the cipher refuses.
    pub fn write(&self, ring: &KeyRing) -> Result<String, Fault> {
        TICKET.write(ring, self.account, self.id.bytes(), self.until)
    }

    /// Reads a text of ours; `None` for any other.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let (account, id, until) = TICKET.read(ring, text)?;
        Some(Self { account, id: TicketId::from_bytes(id), until })
    }
}

/// A number that was proven in a session and leads to another account: its holder need not prove it again to say that it is
/// theirs by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberTicket {
    /// In which.
    pub session: SessionId,
    /// It is over then.
    pub until: Timestamp,
    /// How it was proven.
    pub method: Method,
    /// The number.
    pub phone: PhoneNumber,
}

const WAYS: [Method; 3] = [Method::OneTap, Method::NumberCheck, Method::Otp];

impl NumberTicket {
    /// The text the client holds.
    ///
    /// # Errors
    /// [`Fault`] when the cipher refuses.
    pub fn write(&self, ring: &KeyRing) -> Result<String, Fault> {
        let way = WAYS.iter().zip(0..).find(|(way, _)| **way == self.method).map_or(0_u8, |(_, nth)| nth);
        let until = self.until.millis().to_be_bytes();
        let plain = [self.session.bytes().as_slice(), &until, &[way], self.phone.e164().as_bytes()].concat();
        Ok(format!("{NUMBER_PREFIX}{}", seal_unique(ring, NUMBER_CONTEXT, &plain)?.as_str()))
    }

    /// Reads a text of ours; `None` for any other.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let sealed = Sealed::from_text(text.strip_prefix(NUMBER_PREFIX)?);
        let plain = open(ring, NUMBER_CONTEXT, &sealed).ok()?;
        let (session, rest) = plain.expose().split_first_chunk::<16>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (way, phone) = rest.split_first()?;
        Some(Self {
            session: SessionId::from_bytes(*session),
            until: Timestamp::from_millis(i64::from_be_bytes(*until)),
            method: *WAYS.get(usize::from(*way))?,
            phone: PhoneNumber::parse(std::str::from_utf8(phone).ok()?).ok()?,
        })
    }
}

const NUMBER_PREFIX: &str = "ont_";
const NUMBER_CONTEXT: &str = "number ticket";

const TICKET: Form = Form { prefix: "otk_", context: "ticket" };

/// How something of an account is written that a client holds for a time: sealed, with its account.
pub(super) struct Form {
    /// What the text begins with.
    pub(super) prefix: &'static str,
    /// What is sealed.
    pub(super) context: &'static str,
}

impl Form {
    /// The text; always the same for one id, which must have been drawn for it alone.
    pub(super) fn write(
        &self,
        ring: &KeyRing,
        account: AccountId,
        id: &[u8; 16],
        until: Timestamp,
    ) -> Result<String, Fault> {
        let plain = [account.bytes().as_slice(), id, &until.millis().to_be_bytes()];
        Ok(format!("{}{}", self.prefix, seal_unique(ring, self.context, &plain.concat())?.as_str()))
    }

    /// What such a text says; `None` for any other.
    pub(super) fn read(&self, ring: &KeyRing, text: &str) -> Option<(AccountId, [u8; 16], Timestamp)> {
        let plain = open(ring, self.context, &Sealed::from_text(text.strip_prefix(self.prefix)?)).ok()?;
        let (account, rest) = plain.expose().split_first_chunk::<16>()?;
        let (id, until) = rest.split_first_chunk::<16>()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(until.try_into().ok()?));
        Some((AccountId::from_bytes(*account), *id, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::keys::tests::ring;

    #[test]
    fn says_nothing_and_cannot_be_forged() {
        let ring = ring("A256GCM", &[1]);
        let until = Timestamp::from_secs(5);
        let ticket =
            Ticket { account: AccountId::from_bytes([1; 16]), id: TicketId::from_bytes([2; 16]), until };
        let text = ticket.write(&ring).unwrap();
        assert_eq!((Ticket::read(&ring, &text), ticket.write(&ring).unwrap()), (Some(ticket), text.clone()));
        for forged in [text.replacen("otk_", "och_", 1), format!("{text}A"), text[..60].to_owned()] {
            assert_eq!(Ticket::read(&ring, &forged), None, "{forged}");
        }
        let number = NumberTicket {
            session: SessionId::from_bytes([3; 16]),
            until,
            method: Method::Otp,
            phone: PhoneNumber::parse("+8613800138000").unwrap(),
        };
        let proven = number.write(&ring).unwrap();
        assert_eq!(NumberTicket::read(&ring, &proven), Some(number));
        for other in [text.replacen("otk_", "ont_", 1), format!("{proven}A")] {
            assert_eq!(NumberTicket::read(&ring, &other), None, "{other}");
        }
        let same = data_encoding::BASE64URL_NOPAD.encode(&[1; 15]);
        assert!(!text.contains(&same));
    }
}
