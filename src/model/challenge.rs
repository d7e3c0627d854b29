//! A code on its way to a number or an address: what is kept of it, and what the client holds of it.
//!
//! Nobody keeps the code. The record in KV is a MAC under a key that is not in the state (the pepper), over
//! everything the code is good for; so whoever reads the state cannot try the million codes against it.

use serde::{Deserialize, Serialize};

use super::{
    handle::{EMAIL, HandleName},
    otp_purpose::Purpose,
};
use crate::kernel::{
    digest::{derive, hmac_sha256},
    email::EmailAddress,
    encoding::base64url,
    fault::Fault,
    id::ChallengeId,
    keys::{Key, KeyRing},
    phone::PhoneNumber,
    seal::{Sealed, open, seal_unique},
    time::Timestamp,
};

/// What KV keeps under the challenge's id, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// See [`Subject::mac`].
    pub mac: String,
    /// Id of the key behind the pepper.
    pub key: String,
    /// The code is good until then.
    pub expires: Timestamp,
}

/// What a code is good for; it opens nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The challenge.
    pub id: ChallengeId,
    /// What the code was asked for.
    pub purpose: Purpose,
    /// The app, session or ticket that asked.
    pub binding: &'a str,
    /// Number or address, by the name of its handle.
    pub handle: &'a HandleName,
}

/// What `challengeId` says to us: sealed, so that a forged one is refused without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The challenge, and so its record.
    pub id: ChallengeId,
    /// What it was asked for.
    pub purpose: Purpose,
    /// The code is good until then.
    pub expires: Timestamp,
    /// Where it went, and so its handle.
    pub to: Destination,
}

/// Where a code goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// By SMS.
    Phone(PhoneNumber),
    /// By e-mail.
    Email(EmailAddress),
}

impl Subject<'_> {
    /// MAC of a code for this subject: base64url of HMAC-SHA-256 under a pepper derived from the key.
    pub fn mac(&self, key: &Key, code: &str) -> String {
        let pepper = derive(key.bytes.expose(), "onetap otp pepper");
        let parts = [self.purpose.name(), self.handle.as_str(), code, self.binding];
        let mut text = self.id.bytes().to_vec();
        for part in parts {
            // No part can run into the next.
            text.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            text.extend(part.as_bytes());
        }
        base64url(&hmac_sha256(&pepper, &text))
    }

    /// The record of a code under the current key.
    pub fn record(&self, ring: &KeyRing, code: &str, expires: Timestamp) -> Record {
        let key = ring.current();
        Record { mac: self.mac(key, code), key: key.id.clone(), expires }
    }
}

impl Reference {
    /// The text the client holds. The same reference has the same text, so a repeated request gets the same.
    ///
    /// # Errors
    /// [`Fault`] when the cipher refuses.
    pub fn write(&self, ring: &KeyRing) -> Result<String, Fault> {
        let plain = [
            self.id.bytes().as_slice(),
            &self.expires.millis().to_be_bytes(),
            &[self.purpose.number()],
            self.to.as_str().as_bytes(),
        ]
        .concat();
        Ok(format!("{PREFIX}{}", seal_unique(ring, CONTEXT, &plain)?.as_str()))
    }

    /// Reads a text of ours; `None` for any other.
    pub fn read(ring: &KeyRing, text: &str) -> Option<Self> {
        let sealed = Sealed::from_text(text.strip_prefix(PREFIX)?);
        let plain = open(ring, CONTEXT, &sealed).ok()?;
        let (id, rest) = plain.expose().split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (purpose, to) = rest.split_first()?;
        Some(Self {
            id: ChallengeId::from_bytes(*id),
            purpose: Purpose::from_number(*purpose)?,
            expires: Timestamp::from_millis(i64::from_be_bytes(*expires)),
            to: Destination::parse(std::str::from_utf8(to).ok()?)?,
        })
    }
}

impl Destination {
    /// A number or an address as people type them: nothing is both.
    pub fn parse(text: &str) -> Option<Self> {
        let phone = PhoneNumber::parse(text).ok().map(Self::Phone);
        phone.or_else(|| EmailAddress::parse(text).map(Self::Email))
    }

    /// In its canonical form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.e164(),
            Self::Email(address) => address.as_str(),
        }
    }

    /// Under which name its handle is found.
    pub fn handle(&self, ring: &KeyRing) -> HandleName {
        match self {
            Self::Phone(phone) => HandleName::of_phone(ring, phone),
            Self::Email(address) => HandleName::of(ring, EMAIL, address.as_str()),
        }
    }

    /// The number, if it is one.
    pub const fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Email(_) => None,
        }
    }
}

/// A code of `digits` digits from random bytes: each code is as likely as any other, leading zeroes included.
/// `None` when every draw fell into the uneven rest, which eight draws do once in 10^13 times.
pub fn code(digits: u32, random: &[u8; 32]) -> Option<String> {
    let codes = 10_u32.checked_pow(digits)?;
    let even = u32::MAX.checked_sub(u32::MAX.checked_rem(codes)?)?;
    let draws = random.chunks_exact(4).filter_map(|chunk| Some(u32::from_be_bytes(chunk.try_into().ok()?)));
    let code = draws.into_iter().find(|draw| *draw < even)?.checked_rem(codes)?;
    Some(format!("{code:0width$}", width = usize::try_from(digits).ok()?))
}

const PREFIX: &str = "och_";
const CONTEXT: &str = "challenge";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::keys::tests::ring;

    fn reference(to: &str) -> Reference {
        Reference {
            id: ChallengeId::from_bytes([7; 16]),
            purpose: Purpose::Bind,
            expires: Timestamp::from_secs(300),
            to: Destination::parse(to).unwrap(),
        }
    }

    #[test]
    fn the_client_holds_it_and_cannot_read_or_change_it() {
        let ring = ring("A256GCM", &[1]);
        for to in ["13800138000", "ming@a.cn.com"] {
            let text = reference(to).write(&ring).unwrap();
            assert_eq!(Reference::read(&ring, &text), Some(reference(to)));
            assert_eq!(reference(to).write(&ring).unwrap(), text);
            let sealed = text.rsplit_once('.').unwrap().1;
            let bytes = data_encoding::BASE64URL_NOPAD.decode(sealed.as_bytes()).unwrap();
            assert!(!bytes.windows(to.len()).any(|window| window == to.as_bytes()));
            for at in 0..text.len() {
                let other = if &text[at..=at] == "A" { "B" } else { "A" };
                let mut changed = text.clone();
                changed.replace_range(at..=at, other);
                assert_eq!(Reference::read(&ring, &changed), None, "at {at}");
            }
        }
        for text in ["", "och_", "och_k1.", "och_k1.AAAA", "ort_k1.AAAA"] {
            assert_eq!(Reference::read(&ring, text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_addresses_are_told_apart() {
        let is_phone = |text| Destination::parse(text).map(|to| to.phone().is_some());
        assert_eq!([is_phone("+8613800138000"), is_phone("13800138000@139.com")], [Some(true), Some(false)]);
        assert_eq!([is_phone("xiaoming"), is_phone("@"), is_phone("")], [None; 3]);
        let ring = ring("HS256", &[1]);
        let handle = |text| Destination::parse(text).unwrap().handle(&ring);
        assert_eq!(handle("Ming@Example.com"), handle("ming@example.COM"));
        assert_eq!((handle("ming@example.com").kind(), handle("13800138000").kind()), ("email", "phone"));
    }

    #[test]
    fn a_code_opens_only_what_it_was_sent_for() {
        let ring = ring("HS256", &[1, 2]);
        let phone = |text: &str| HandleName::of_phone(&ring, &PhoneNumber::parse(text).unwrap());
        let (handle, other_handle) = (phone("13800138000"), phone("13900139000"));
        let (id, key) = (ChallengeId::from_bytes([7; 16]), ring.current());
        let subject = Subject { id, purpose: Purpose::Login, binding: "app:default", handle: &handle };
        let mac = subject.mac(key, "123456");
        assert_eq!(subject.mac(key, "123456"), mac);
        let others = [
            subject.mac(key, "123457"),
            subject.mac(ring.find("k2").unwrap(), "123456"),
            Subject { id: ChallengeId::from_bytes([8; 16]), ..subject }.mac(key, "123456"),
            Subject { purpose: Purpose::Bind, ..subject }.mac(key, "123456"),
            Subject { binding: "app:shop", ..subject }.mac(key, "123456"),
            Subject { handle: &other_handle, ..subject }.mac(key, "123456"),
            Subject { binding: "6app:default", ..subject }.mac(key, "12345"),
        ];
        assert!(!others.contains(&mac));
    }

    #[test]
    fn every_code_is_as_likely_as_any_other() {
        let of = |draws: [u32; 8]| {
            let bytes: Vec<u8> = draws.iter().flat_map(|draw| draw.to_be_bytes()).collect();
            code(6, &bytes.try_into().unwrap())
        };
        assert_eq!(of([7, 0, 0, 0, 0, 0, 0, 0]).as_deref(), Some("000007"));
        assert_eq!(of([4_293_999_999; 8]).as_deref(), Some("999999"));
        // 4 294 000 000 is the greatest multiple of a million below 2^32: from there on the draw is repeated.
        assert_eq!(of([4_294_000_000, 42, 0, 0, 0, 0, 0, 0]).as_deref(), Some("000042"));
        assert_eq!(of([u32::MAX; 8]), None);
    }

    #[test]
    fn persisted_format() {
        let json = r#"{"mac":"m","key":"k1","expires":300000}"#;
        let record: Record = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), json);
    }
}
