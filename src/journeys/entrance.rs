//! By what somebody comes in.

use super::settings::Settings;
use crate::{
    kernel::{digest::derive, id::AccountId, phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::{handle::HandleName, login::Method},
};

/// An identifier whose holder has shown to be it.
#[derive(Debug, Clone)]
pub(super) struct Proven {
    /// Its handle.
    pub(super) handle: HandleName,
    /// The identifier in its canonical form.
    pub(super) value: Secret<String>,
    /// How.
    pub(super) method: Method,
    /// It is another name of that one.
    pub(super) alias_of: Option<HandleName>,
}

/// What is known about somebody who may be new.
#[derive(Debug, Clone, Default)]
pub(super) struct Introduction {
    /// How they want to be called.
    pub(super) display_name: Option<String>,
    /// Where their picture is.
    pub(super) avatar_url: Option<String>,
}

/// By what somebody comes in, and what is done along with it.
#[derive(Debug)]
pub(super) struct Entrance {
    /// The identifier.
    pub(super) by: Proven,
    /// With the password of this account that was set then; `None`: the identifier itself was proven.
    pub(super) password: Option<(AccountId, Timestamp)>,
    /// It leads elsewhere still, and this account waits for it.
    pub(super) awaited_by: Option<AccountId>,
    /// More that were proven, which shall be bound.
    pub(super) binds: Vec<Proven>,
    /// What a new account says about its owner.
    pub(super) introduction: Introduction,
    /// The hash of a new password.
    pub(super) new_password: Option<Secret<String>>,
    /// By an app and on a device that are genuine, as the operator's verifier says.
    pub(super) is_attested: bool,
}

impl Proven {
    /// A number.
    pub(super) fn number(settings: &Settings, phone: &PhoneNumber, method: Method) -> Self {
        let handle = HandleName::of_phone(&settings.digest, phone);
        Self { handle, value: Secret::new(phone.e164().to_owned()), method, alias_of: None }
    }
}

impl From<Proven> for Entrance {
    fn from(by: Proven) -> Self {
        Self {
            by,
            password: None,
            awaited_by: None,
            binds: Vec::new(),
            introduction: Introduction::default(),
            new_password: None,
            is_attested: false,
        }
    }
}

/// What the ids and the device token of a sign-in are drawn from. The same seed leads to the same sign-in, so a
/// step whose answer was lost can be repeated.
#[derive(Debug)]
pub(super) struct Seed(Secret<[u8; 32]>);

impl Seed {
    pub(super) const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// 16 bytes for one use.
    pub(super) fn draw(&self, what: &str) -> [u8; 16] {
        derive(self.0.expose(), what).first_chunk().copied().unwrap_or_default()
    }
}
