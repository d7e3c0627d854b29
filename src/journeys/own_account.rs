//! What people do with the sessions and devices of their own account.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    session::Freshness,
    sign_in::{DEVICE_NAME, context},
};
use crate::{
    kernel::{
        fault::Fault,
        id::{AccountId, DeviceId, SessionId},
        seal::open,
    },
    model::{
        account::{Act, Deed, Operation, Outcome, Seen},
        device::{Device, Trust},
        login_history::Place,
        refusal::Code,
    },
    ports::World,
};

/// Who does it, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Doer<'a> {
    /// Their access token.
    pub access_token: &'a str,
    /// Where they are.
    pub place: &'a Place,
}

/// A device as its owner sees it.
#[derive(Debug)]
pub struct DeviceView {
    /// As it is kept.
    pub device: Device,
    /// Its name.
    pub name: String,
    /// How well the account knows it.
    pub trust: Trust,
}

/// Sessions, devices and events of an account.
#[derive(Debug)]
pub struct View {
    /// As they are kept.
    pub seen: Seen,
    /// Devices with their names.
    pub devices: Vec<DeviceView>,
}

impl View {
    /// A device by its id; `None`: it was removed.
    pub fn device(&self, id: DeviceId) -> Option<&DeviceView> {
        self.devices.iter().find(|view| view.device.id == id)
    }
}

impl<W: World> Service<'_, W> {
    /// What there is.
    ///
    /// # Errors
    /// `unauthenticated`, by the account's own word.
    pub async fn look(&self, doer: Doer<'_>) -> Result<View, Failure> {
        self.see(doer, Deed::Look).await
    }

    /// Up to `most` events before the one of that number, newest first.
    ///
    /// # Errors
    /// As [`Service::look`].
    pub async fn login_history(
        &self,
        doer: Doer<'_>,
        before: Option<u64>,
        most: usize,
    ) -> Result<View, Failure> {
        self.see(doer, Deed::ReadHistory { before, most }).await
    }

    /// Ends a session; `None`: this one.
    ///
    /// # Errors
    /// As [`Service::look`]; `not_found` for none of this account's.
    pub async fn end_session(&self, doer: Doer<'_>, which: Option<SessionId>) -> Result<(), Failure> {
        self.act(doer, |here| Ok(Deed::EndSession(which.unwrap_or(here.1)))).await.map(|_| ())
    }

    /// Ends all other sessions.
    ///
    /// # Errors
    /// As [`Service::look`].
    pub async fn end_other_sessions(&self, doer: Doer<'_>) -> Result<(), Failure> {
        self.act(doer, |_| Ok(Deed::EndOtherSessions)).await.map(|_| ())
    }

    /// Renames a device, trusts it, or trusts it no more.
    ///
    /// # Errors
    /// As [`Service::look`]; `not_found`; `reauthentication_required` for trust given on a device that is new itself.
    pub async fn change_device(
        &self,
        doer: Doer<'_>,
        device: DeviceId,
        name: Option<&str>,
        trusted: Option<bool>,
    ) -> Result<(), Failure> {
        let deed = |here: (AccountId, SessionId)| {
            let name = name.map(|name| self.seal_for(here.0, DEVICE_NAME, name.as_bytes())).transpose()?;
            Ok(Deed::ChangeDevice { device, name, trusted })
        };
        self.act(doer, deed).await.map(|_| ())
    }

    /// Forgets a device and ends its sessions.
    ///
    /// # Errors
    /// As [`Service::change_device`]: a new device removes no known or trusted one.
    pub async fn remove_device(&self, doer: Doer<'_>, device: DeviceId) -> Result<(), Failure> {
        self.act(doer, |_| Ok(Deed::RemoveDevice(device))).await.map(|_| ())
    }

    async fn see(&self, doer: Doer<'_>, deed: Deed) -> Result<View, Failure> {
        match self.act(doer, |_| Ok(deed)).await? {
            (account, Outcome::Seen(seen)) => self.view(account, *seen).map_err(Failure::from),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    pub(super) async fn act(
        &self,
        doer: Doer<'_>,
        deed: impl FnOnce((AccountId, SessionId)) -> Result<Deed, Fault>,
    ) -> Result<(AccountId, Outcome), Failure> {
        // 1. The token is ours; whether its session still lives the account says in the same breath.
        let claims = self.authenticate(doer.access_token, Freshness::Token).await?;
        let (account, session) = (claims.sub, claims.sid);
        // 2. One call.
        let act = Act {
            account,
            session,
            deed: deed((account, session))?,
            place: doer.place.clone(),
            rules: self.settings.account_rules(),
        };
        match self.world.account(account, Operation::Act(Box::new(act))).await? {
            Outcome::Ended { .. } => Err(Code::Unauthenticated.into()),
            Outcome::NotFound => Err(Code::NotFound.into()),
            Outcome::NeedsStanding => Err(Code::ReauthenticationRequired.into()),
            Outcome::Forbidden => Err(Code::Forbidden.into()),
            Outcome::ProofFailed => Err(Code::ProofFailed.into()),
            outcome => Ok((account, outcome)),
        }
    }

    fn view(&self, account: AccountId, mut seen: Seen) -> Result<View, Fault> {
        let (now, rules) = (self.world.now(), self.settings.account_rules().trust);
        let devices = std::mem::take(&mut seen.devices).into_iter().map(|device| {
            let name = open(&self.settings.sealing, &context(account, DEVICE_NAME), &device.profile.name)?;
            let name = String::from_utf8_lossy(name.expose()).into_owned();
            let trust = rules.trust(device.usage, device.trusted_since, now);
            Ok(DeviceView { device, name, trust })
        });
        Ok(View { devices: devices.collect::<Result<_, Fault>>()?, seen })
    }
}
