//! A number in other hands: what is asked about it before its holder is let in, and what becomes of who says that the
//! account is not theirs.

use std::time::Duration;

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    entrance::{Entrance, Introduction, Proven, Seed},
    fresh_proof::Requester,
    numbers::{Brought, PhoneChangeView},
    own_account::Here,
    provider::Caller,
    sealed::{AVATAR_URL, DEVICE_NAME, DISPLAY_NAME, PASSWORD, PUSH_TOKEN, VERIFIED_NAME},
    sign_in::{DeviceClaim, Entry, Purpose, again_if_lost},
    step_up::Holder as TicketHolder,
};
use crate::{
    kernel::{
        address::Origin,
        digest::{derive, hmac_sha256, keyed_name},
        fault::Fault,
        id::{AccountId, CaseId},
        phone::PhoneNumber,
        seal::Sealed,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{
            Candidate, Contest, Deed, Identifier, NumberClaim, NumberFacts, Operation, Outcome, SignIn, Step,
        },
        device::Presented,
        evidence::Evidence,
        handle::{self, Holder},
        recycling::QUIET,
        refusal::Code,
        ticket::{NumberTicket, Ticket},
    },
    ports::World,
};

/// When a number was last proven of which nobody knows.
const NEVER: Timestamp = Timestamp::from_secs(0);

/// Carriers and registers have so long from when a request came, all together.
pub const EVIDENCE_TIME: Duration = Duration::from_secs(3);

impl<W: World> Service<'_, W> {
    /// Whether the account is theirs who wait. *Mine* must be proven then; *not mine*: the number leaves the account, at
    /// once or when its owner could object, and they are signed in to one of their own.
    ///
    /// # Errors
    /// `ticket_invalid`; `invalid_request` where there is no such choice.
    pub async fn choose_account(
        &self,
        holder: &TicketHolder<'_>,
        mine: bool,
        caller: &Caller<'_>,
    ) -> Result<Entry, Failure> {
        let ticket = self.read_ticket(holder)?;
        let seed = self.seed_of(&ticket);
        let heir = AccountId::from_bytes(seed.draw("account"));
        let case = CaseId::from_bytes(seed.draw("case"));
        // 1. The account decides, in one write.
        match self.at_ticket(holder, Step::Choose { mine, heir, case }, false).await? {
            // 2. Who has no part in it signs in anew, by the same proof of the number.
            Outcome::GivenUp { sign_in, claim } => {
                self.sign_in_anew(ticket.account, *sign_in, claim, &seed, caller).await
            }
            outcome => self.entry(ticket.account, outcome),
        }
    }

    /// Whether a number that leads to another account may come to who is signed in and has proven it, by the same rule that
    /// decides about sign-ins. `None`: nothing keeps it there any more.
    pub(super) async fn contest(
        &self,
        here: Here,
        from: &Requester<'_>,
        proven: &Proven,
        mut holder: Holder,
        not_mine: bool,
    ) -> Result<Option<Brought>, Failure> {
        let (now, rules, place) = (self.world.now(), self.settings.account_rules(), from.doer.place);
        // 1. Nothing more is said of one that was proven lately.
        if now.since(holder.proven_at()) < QUIET {
            return Err(Code::PhoneInUse.into());
        }
        // 2. What is asked of everybody who takes a number is asked before anybody loses one.
        self.act(here, place, Deed::NeedFreshProof).await?;
        let own = self.own_profile_of(here, place).await?;
        let (address, request_id) = (from.address, from.request_id);
        let caller = Caller { app: &own.app, platform: own.platform, address, request_id };
        let case = CaseId::from_bytes(self.fresh()?);
        // 3. The other account decides, in one write, perhaps when the carrier was asked.
        for _ in 0..2 {
            let evidence = holder.evidence.filter(|known| known.counts(now));
            let number = NumberFacts { last_proof: holder.proven_at(), evidence };
            let (account, handle, theirs) = (holder.account, proven.handle.clone(), here.account);
            let contest = Contest { account, handle, number, theirs, case, not_mine, rules };
            let operation = Operation::Contest(Box::new(contest));
            match again_if_lost(async || self.world.account(account, operation.clone()).await).await? {
                Outcome::NeedsEvidence { name } => {
                    let asked = (&caller, now.plus(EVIDENCE_TIME));
                    let evidence = self.gather_evidence(proven, &holder, name.as_ref(), asked);
                    holder.evidence = Some(evidence.await);
                }
                Outcome::NotMine { heir, .. } if heir.is_none_or(|heir| heir == here.account) => {
                    return Ok(None);
                }
                Outcome::MayBeRecycled => return self.number_ticket(here, proven, now).map(Some),
                Outcome::NumberClaimed(claim) if claim.heir.is_none_or(|heir| heir == here.account) => {
                    let phone = PhoneNumber::parse(proven.value.expose()).map_err(|_| UNEXPECTED_OUTCOME)?;
                    let (requested_at, effective_at) = (claim.requested_at, claim.effective_at);
                    return Ok(Some(Brought::Waits(PhoneChangeView { phone, requested_at, effective_at })));
                }
                // Somebody else waits for it, or its owner is who has it.
                _ => break,
            }
        }
        Err(Code::PhoneInUse.into())
    }

    fn number_ticket(&self, here: Here, proven: &Proven, now: Timestamp) -> Result<Brought, Failure> {
        let phone = PhoneNumber::parse(proven.value.expose()).map_err(|_| UNEXPECTED_OUTCOME)?;
        let time = Duration::from_secs(self.settings.limits.step_up_seconds);
        let ticket =
            NumberTicket { session: here.session, until: now.plus(time), method: proven.method, phone };
        Ok(Brought::Asks(ticket.write(&self.settings.sealing)?, time.as_secs()))
    }

    /// What carriers and registers say of a number, kept for whoever asks next. Silence keeps nobody out.
    pub(super) async fn gather_evidence(
        &self,
        proven: &Proven,
        holder: &Holder,
        name: Option<&Sealed>,
        (caller, by): (&Caller<'_>, Timestamp),
    ) -> Evidence {
        let (since, now) = (holder.proven_at(), self.world.now());
        let opened = |name| self.pass_over(self.open_text(holder.account, VERIFIED_NAME, name));
        let name = name.and_then(opened).map(Secret::new);
        let evidence = match PhoneNumber::parse(proven.value.expose()) {
            // Every number was somebody else's once: nobody is asked since when there is no such day.
            _ if since <= NEVER => Evidence::none(since, now),
            Ok(phone) => self.evidence(&phone, since, name.as_ref(), caller, by).await,
            Err(_) => Evidence::none(since, now),
        };
        let note = handle::Operation::NoteEvidence { account: holder.account, evidence };
        let noted = self.world.handle(&proven.handle, note).await;
        self.pass_over(noted);
        evidence
    }

    /// Who asks, where tries are counted for long: the network they come from.
    pub(super) fn network_of(&self, address: &str) -> String {
        keyed_name(&self.settings.digest, "asker", &Origin::of(address).site)
    }

    /// The same who waited, at the account that they are led to now. What was sealed for the other one is sealed anew.
    async fn sign_in_anew(
        &self,
        from: AccountId,
        sign_in: SignIn,
        claim: Option<NumberClaim>,
        seed: &Seed,
        caller: &Caller<'_>,
    ) -> Result<Entry, Failure> {
        let text = |what, sealed: &Option<Sealed>| {
            sealed.as_ref().map(|sealed| self.open_text(from, what, sealed)).transpose()
        };
        let by = self.reopened(from, &sign_in.identifier, sign_in.method)?;
        let method_of = |candidate: &Candidate| candidate.proof.map_or(sign_in.method, |proof| proof.method);
        let binds = sign_in.binds.iter();
        let binds = binds.map(|bound| self.reopened(from, &bound.identifier, method_of(bound)));
        let entrance = Entrance {
            awaited_by: claim.and_then(|claim| claim.heir),
            binds: binds.collect::<Result<_, Fault>>()?,
            introduction: Introduction {
                display_name: text(DISPLAY_NAME, &sign_in.introduction.display_name)?,
                avatar_url: text(AVATAR_URL, &sign_in.introduction.avatar_url)?,
            },
            new_password: text(PASSWORD, &sign_in.new_password)?.map(Secret::new),
            ..by.into()
        };
        let profile = &sign_in.profile;
        let device = DeviceClaim {
            name: self.open_text(from, DEVICE_NAME, &profile.name)?,
            model: profile.model.clone(),
            os: profile.os.clone(),
            app_version: profile.app_version.clone(),
            push_token: text(PUSH_TOKEN, &profile.push_token)?.map(Secret::new),
            ..DeviceClaim::unknown(profile.platform)
        };
        let caller = Caller { app: &sign_in.app, platform: profile.platform, ..caller.clone() };
        let (consent, place) = (sign_in.consent.as_deref(), &sign_in.place);
        let evidence_by = self.world.now().plus(EVIDENCE_TIME);
        let purpose = Purpose { caller, consent, device: &device, place, evidence_by };
        // The token of the other account's device is worth nothing here; a key is the same everywhere.
        let presented = Presented { token: None, key: sign_in.presented.key.clone() };
        self.sign_in(&entrance, &purpose, presented, seed).await
    }

    fn reopened(
        &self,
        account: AccountId,
        identifier: &Identifier,
        method: crate::model::login::Method,
    ) -> Result<Proven, Fault> {
        let Identifier { handle, value, alias_of, .. } = identifier;
        let value = Secret::new(self.open_text(account, handle.kind(), value)?);
        Ok(Proven { handle: handle.clone(), value, method, alias_of: alias_of.clone() })
    }

    /// Under what an appeal by whoever holds a ticket is kept.
    pub(super) fn case_of(&self, ticket: &Ticket) -> CaseId {
        CaseId::from_bytes(self.seed_of(ticket).draw("appeal"))
    }

    /// Under what it is kept that whoever holds a ticket has asked friends.
    pub(super) fn friends_case_of(&self, ticket: &Ticket) -> CaseId {
        CaseId::from_bytes(self.seed_of(ticket).draw("friends"))
    }

    /// What is drawn for whoever holds a ticket: always the same, so that a repeat ends as the first did.
    fn seed_of(&self, ticket: &Ticket) -> Seed {
        let ours = derive(self.settings.mac.current().bytes.expose(), "onetap ticket seed");
        Seed::new(hmac_sha256(&ours, &[ticket.account.bytes().as_slice(), ticket.id.bytes()].concat()))
    }
}
