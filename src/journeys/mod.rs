//! Floor 4: one file per journey, over the ports.
//!
//! A journey knows the steps and their order. It knows neither HTTP statuses nor JSON nor Cloudflare: the API
//! hands it parsed values and makes answers of what it returns.

pub mod account_support;
pub mod appeals;
pub mod approval;
mod attestation;
pub mod backend_access;
pub mod binding;
mod budget;
pub mod case_support;
pub mod claim;
pub mod client_config;
pub mod delivery;
pub mod device_proof;
mod email;
mod entrance;
pub mod evidence;
pub mod fresh_proof;
pub mod friends;
pub mod identity;
pub mod identity_exchange;
pub mod identity_login;
pub mod import;
pub mod introspection;
pub mod notices;
pub mod number_proof;
pub mod numbers;
pub mod objections;
pub mod one_tap;
mod openid;
pub mod otp;
mod otp_budget;
pub mod own_account;
pub mod own_profile;
pub mod owner_proof;
pub mod password;
mod password_budget;
pub mod password_login;
pub mod phone_lookup;
pub mod provider;
pub mod questions;
pub mod receipts;
pub mod recycling;
mod screening;
mod sealed;
pub mod session;
pub mod settings;
mod side_by_side;
pub mod sign_in;
mod sms;
pub mod spent;
pub mod step_up;
pub mod supplied;
mod test_mode;
pub mod trusted_phones;
mod vendors;

use crate::{
    kernel::{fault::Fault, secret::Secret},
    model::{
        counter,
        refusal::{Code, Refusal},
    },
    ports::World,
};
use settings::Settings;
use side_by_side::Asking;

/// The service: the journeys of one deployment in one world.
#[derive(Debug)]
pub struct Service<'a, W> {
    /// Configuration, checked.
    pub settings: &'a Settings,
    /// The outside.
    pub world: &'a W,
}

impl<W> Clone for Service<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Service<'_, W> {}

/// Why a journey did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The client's doing, or policy.
    Refusal(Refusal),
    /// A provider could not be asked or not be understood.
    Upstream(Upstream),
    /// Ours.
    Fault(Fault),
    /// None: the first of these equal requests got this reply, as kept. It travels as a failure so that every step of a
    /// journey ends by `?`.
    Answered(Secret<Vec<u8>>),
}

/// A provider that failed us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its id.
    pub provider: String,
    /// Whether another credential may succeed soon. `false`: our account with it is at fault, an operator must act.
    pub is_transient: bool,
}

impl Failure {
    /// The same, where what it names stands in this field of the request.
    fn within(mut self, field: &str) -> Self {
        if let Self::Refusal(refusal) = &mut self {
            for wrong in &mut refusal.fields {
                wrong.name = format!("{field}.{}", wrong.name);
            }
        }
        self
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::Refusal(Refusal::new(code))
    }
}

impl From<Upstream> for Failure {
    fn from(upstream: Upstream) -> Self {
        Self::Upstream(upstream)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<W: World> Service<'_, W> {
    /// Asks several counters at once.
    async fn counters(
        &self,
        calls: Vec<(String, counter::Operation)>,
    ) -> Vec<Result<counter::Outcome, Fault>> {
        let mut outcomes = vec![Err(UNEXPECTED_OUTCOME); calls.len()];
        let asks = calls.into_iter().zip(&mut outcomes);
        let asks = asks.map(|((name, operation), outcome)| -> Asking<'_> {
            Box::pin(async move { *outcome = self.world.counter(&name, operation).await })
        });
        side_by_side::all(asks.collect()).await;
        outcomes
    }

    /// Goes on without something that the answer does not depend on; the operator is told.
    fn pass_over<T>(&self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.world.fault_passed_over(fault)).ok()
    }

    /// Fresh entropy for an id, a nonce or a token.
    fn fresh<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.world.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// An object answered something that its operation cannot lead to.
const UNEXPECTED_OUTCOME: Fault = Fault::new("unexpected_outcome");
