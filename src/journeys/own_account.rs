//! What people do with the sessions and devices of their own account.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    device_proof::needs_key,
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
        account::{Act, Deed, Operation, Outcome, ProvenInSession, Seen},
        device::{Device, Trust},
        login_history::Place,
        refusal::{Code, Refusal},
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

/// The session in which something is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    /// Whose.
    pub(super) account: AccountId,
    /// Which.
    pub(super) session: SessionId,
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

    /// Sessions, devices and events, all of them.
    pub(super) async fn export_history(&self, doer: Doer<'_>) -> Result<View, Failure> {
        self.see(doer, Deed::Export).await
    }

    /// Ends a session; `None`: this one.
    ///
    /// # Errors
    /// As [`Service::look`]; `not_found` for none of this account's.
    pub async fn end_session(&self, doer: Doer<'_>, which: Option<SessionId>) -> Result<(), Failure> {
        let here = self.here(doer).await?;
        self.act(here, doer.place, Deed::EndSession(which.unwrap_or(here.session))).await.map(|_| ())
    }

    /// Ends all other sessions.
    ///
    /// # Errors
    /// As [`Service::look`].
    pub async fn end_other_sessions(&self, doer: Doer<'_>) -> Result<(), Failure> {
        self.carry_out(doer, Deed::EndOtherSessions).await
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
        let here = self.here(doer).await?;
        let name = name.map(|name| self.seal_for(here.account, DEVICE_NAME, name.as_bytes())).transpose()?;
        self.act(here, doer.place, Deed::ChangeDevice { device, name, trusted }).await.map(|_| ())
    }

    /// Forgets a device and ends its sessions.
    ///
    /// # Errors
    /// As [`Service::change_device`]: a new device removes no known or trusted one.
    pub async fn remove_device(&self, doer: Doer<'_>, device: DeviceId) -> Result<(), Failure> {
        self.carry_out(doer, Deed::RemoveDevice(device)).await
    }

    async fn see(&self, doer: Doer<'_>, deed: Deed) -> Result<View, Failure> {
        let here = self.here(doer).await?;
        match self.act(here, doer.place, deed).await? {
            Outcome::Seen(seen) => self.view(here.account, *seen).map_err(Failure::from),
            _ => Err(UNEXPECTED_OUTCOME.into()),
        }
    }

    pub(super) async fn carry_out(&self, doer: Doer<'_>, deed: Deed) -> Result<(), Failure> {
        let here = self.here(doer).await?;
        self.act(here, doer.place, deed).await.map(|_| ())
    }

    /// Who it is: the token is ours. Whether its session still lives the account says when something is done.
    pub(super) async fn here(&self, doer: Doer<'_>) -> Result<Here, Failure> {
        let claims = self.authenticate(doer.access_token, Freshness::Token).await?;
        Ok(Here { account: claims.sub, session: claims.sid })
    }

    /// Does it, in one call to the account.
    pub(super) async fn act(&self, here: Here, place: &Place, deed: Deed) -> Result<Outcome, Failure> {
        self.act_with(here, place, deed, None).await
    }

    /// The same, by somebody who has just proven something.
    pub(super) async fn act_with(
        &self,
        here: Here,
        place: &Place,
        deed: Deed,
        proof: Option<ProvenInSession>,
    ) -> Result<Outcome, Failure> {
        let Here { account, session } = here;
        let rules = self.settings.account_rules();
        let act = Act { account, session, deed, proof, place: place.clone(), rules };
        match self.world.account(account, Operation::Act(Box::new(act))).await? {
            Outcome::Ended { .. } => Err(Code::Unauthenticated.into()),
            Outcome::NotFound => Err(Code::NotFound.into()),
            Outcome::NeedsStanding => Err(Code::ReauthenticationRequired.into()),
            Outcome::Forbidden => Err(Code::Forbidden.into()),
            Outcome::NeedsKey => Err(needs_key()),
            Outcome::NeedsProof { proofs } => {
                Err(Refusal { proofs: Some(proofs.into()), ..Refusal::new(Code::ReauthenticationRequired) }
                    .into())
            }
            Outcome::Full => Err(Code::IdentityInUse.into()),
            Outcome::LastWayIn => Err(Code::LastIdentity.into()),
            Outcome::ProofFailed => Err(Code::ProofFailed.into()),
            outcome => Ok(outcome),
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
