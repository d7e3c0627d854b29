//! From somebody whom a third party knows to their account here: signing in, binding, and proving anew who one is.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::{Entrance, Introduction, Proven, Seed},
    fresh_proof::Requester,
    identity_exchange::{IdentityCode, ProvenIdentity},
    number_proof::{NumberProof, binding_of_app},
    own_account::Here,
    provider::Caller,
    sign_in::{Entry, Purpose},
    spent::Spent,
};
use crate::{
    kernel::{id::AccountId, secret::Secret},
    model::{
        account::{Deed, ProvenInSession},
        device::Presented,
        handle::{self, HandleName},
        login::Method,
        otp_purpose,
        refusal::Code,
    },
    ports::World,
};

/// A login with a third party.
#[derive(Debug)]
pub struct IdentitySignIn<'a> {
    /// The code.
    pub code: IdentityCode<'a>,
    /// Who asks.
    pub caller: Caller<'a>,
    /// A number, which leads to the account if the identity leads to none.
    pub number: Option<&'a NumberProof<'a>>,
    /// What for.
    pub purpose: Purpose<'a>,
}

impl<W: World> Service<'_, W> {
    /// Signs somebody in whom a third party knows.
    ///
    /// # Errors
    /// Those of [`Service::prove_identity`] and of the number's proof; `phone_in_use` for a number of another account than
    /// the identity's; `identity_in_use` where the number's account has another identity of the kind.
    pub async fn identity_sign_in(
        &self,
        sign_in: &IdentitySignIn<'_>,
        spent: &mut Spent,
    ) -> Result<Entry, Failure> {
        // 1. What can be tried again comes first: a mistyped code must not cost the third party's.
        let presented = self.presented(sign_in.purpose.device).await?;
        let number = self.number_at_sign_in(sign_in, spent).await?;
        // 2. The third party's word.
        let identity = self.prove_identity(&sign_in.code, &sign_in.caller, spent).await?;
        self.enter(identity, number, sign_in, presented).await
    }

    async fn number_at_sign_in(
        &self,
        sign_in: &IdentitySignIn<'_>,
        spent: &mut Spent,
    ) -> Result<Option<Proven>, Failure> {
        let Some(proof) = sign_in.number else { return Ok(None) };
        let binding = binding_of_app(sign_in.purpose.caller.app);
        let accepted = [(otp_purpose::Purpose::Login, binding.as_str())];
        let proven = self.prove_number(proof, &accepted, &sign_in.caller, spent).await;
        proven.map(|(proven, _)| Some(proven)).map_err(|failure| failure.within("numberProof"))
    }

    async fn enter(
        &self,
        identity: ProvenIdentity,
        number: Option<Proven>,
        sign_in: &IdentitySignIn<'_>,
        presented: Presented,
    ) -> Result<Entry, Failure> {
        // Whom nobody would be led to must not be taken for somebody else than the number's holder.
        let mut known = self.find(&identity, &|_| number.is_some()).await?;
        let mut entrance: Entrance = match (known.account, number) {
            // 1. It leads to an account, which gets the number if nobody has it.
            (Some(account), Some(number)) => {
                match self.world.handle(&number.handle, handle::Operation::Look).await? {
                    handle::Outcome::Free => known.others.push(number),
                    handle::Outcome::Held(holder) if holder.account == account => {}
                    _ => return Err(Code::PhoneInUse.into()),
                }
                known.by.into()
            }
            // 2. The number does, or comes to lead to a new one, and the identity with it.
            (None, Some(number)) => {
                known.others.insert(0, known.by);
                number.into()
            }
            (_, None) => known.by.into(),
        };
        entrance.binds = known.others;
        entrance.introduction =
            Introduction { display_name: identity.display_name, avatar_url: identity.avatar_url };
        let entry = self.sign_in(&entrance, &sign_in.purpose, presented, &Seed::new(self.fresh()?)).await?;
        Ok(entry)
    }

    /// Binds an identity to the account of who is signed in.
    ///
    /// # Errors
    /// `reauthentication_required`; those of [`Service::prove_identity`]; `identity_in_use`.
    pub async fn bind_identity(
        &self,
        from: &Requester<'_>,
        code: &IdentityCode<'_>,
        spent: &mut Spent,
    ) -> Result<(), Failure> {
        // 1. Before the code is spent.
        let here = self.here(from.doer).await?;
        self.act(here, from.doer.place, Deed::NeedFreshProof).await?;
        // 2. Who it is, and to whom it leads.
        let identity = self.identified_in_session(here, from, code, spent).await?;
        let known = self.find(&identity, &|account| account != here.account).await?;
        if known.account.is_some_and(|account| account != here.account) || known.leads_elsewhere {
            return Err(Code::IdentityInUse.into());
        }
        // 3. The account, the handle, the account.
        let candidate = self.candidate(here.account, &known.by)?;
        self.bind(here, from.doer.place, candidate).await?;
        for other in &known.others {
            // Another name of it that leads elsewhere changes nothing about this one.
            let other = self.candidate(here.account, other)?;
            if let Err(Failure::Fault(fault)) = self.bind(here, from.doer.place, other).await {
                self.pass_over(Err::<(), _>(fault));
            }
        }
        Ok(())
    }

    /// What an identity proves of who is signed in.
    pub(super) async fn given_identity(
        &self,
        here: Here,
        from: &Requester<'_>,
        code: &IdentityCode<'_>,
        spent: &mut Spent,
    ) -> Result<ProvenInSession, Failure> {
        let identity = self.identified_in_session(here, from, code, spent).await?;
        let known = self.find(&identity, &|_| false).await?;
        match known.account == Some(here.account) {
            true => Ok(ProvenInSession::Identifier(known.by.handle)),
            false => Err(Code::ProofFailed.into()),
        }
    }

    async fn identified_in_session(
        &self,
        here: Here,
        from: &Requester<'_>,
        code: &IdentityCode<'_>,
        spent: &mut Spent,
    ) -> Result<ProvenIdentity, Failure> {
        // Which of our accounts with the third party counts depends on app and platform, which the account knows.
        let own = self.own_profile_of(here, from.doer.place).await?;
        let (address, request_id) = (from.address, from.request_id);
        let caller = Caller { app: &own.app, platform: own.platform, address, request_id };
        self.prove_identity(code, &caller, spent).await
    }

    /// To whom an identity leads. Asked are its names from the app's own to the widest: whoever was known to this app
    /// stays the same when it comes to share names with others. `doubts`: whether an account is asked if it knows of the name,
    /// which leads to nobody if it does not; who signs in by the name finds that out by themselves.
    async fn find(
        &self,
        identity: &ProvenIdentity,
        doubts: &dyn Fn(AccountId) -> bool,
    ) -> Result<Found, Failure> {
        let method = Method::of_identity(&identity.kind);
        let mut names: Vec<Proven> = Vec::new();
        for subject in &identity.subjects {
            let handle = HandleName::of(&self.settings.digest, &identity.kind, subject);
            names.push(Proven { handle, value: Secret::new(subject.clone()), method, alias_of: None });
        }
        let mut found: Option<(usize, AccountId)> = None;
        let mut leads_elsewhere = false;
        for (at, name) in names.iter().enumerate().rev() {
            match self.world.handle(&name.handle, handle::Operation::Look).await? {
                handle::Outcome::Free => {}
                handle::Outcome::Held(holder)
                    if doubts(holder.account) && self.free_if_stray(&name.handle, &holder).await? => {}
                handle::Outcome::Held(holder) => match found {
                    None => found = Some((at, holder.account)),
                    Some((_, account)) => leads_elsewhere |= account != holder.account,
                },
                _ => return Err(UNEXPECTED_OUTCOME.into()),
            }
        }
        // The widest is the one to be bound.
        let at = found.map_or(0, |(at, _)| at);
        if at >= names.len() {
            return Err(UNEXPECTED_OUTCOME.into());
        }
        let by = names.remove(at);
        for other in &mut names {
            other.alias_of = Some(by.handle.clone());
        }
        // What leads to another account cannot be another name of this one.
        let others = if leads_elsewhere { Vec::new() } else { names };
        Ok(Found { by, others, account: found.map(|(_, account)| account), leads_elsewhere })
    }
}

/// An identity, and to whom it leads.
struct Found {
    /// The name by which it was found, or is to be bound.
    by: Proven,
    /// Other names of it.
    others: Vec<Proven>,
    /// `None`: to nobody.
    account: Option<AccountId>,
    /// One of its names leads to another account than the others.
    leads_elsewhere: bool,
}
