//! Accounts from elsewhere, all or nothing each: what leads to one there leads to it here, or it does not come to be.
//!
//! The account's id is derived from what the account is called there, so the same line leads to the same account,
//! however often it comes. Whatever breaks, the same line once more, or the account's outbox, ends it.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    backend_access::Backend,
    sealed::{AVATAR_URL, DISPLAY_NAME, LOCALE, VERIFIED_NAME},
    sign_in::again_if_lost,
};
use crate::{
    kernel::{
        digest::{derive, hmac_sha256, keyed_name},
        email::EmailAddress,
        fault::Fault,
        id::AccountId,
        id_number::IdNumber,
        password::PasswordHash,
        phone::PhoneNumber,
        secret::Secret,
        time::Timestamp,
    },
    model::{
        account::{
            Candidate, Identifier, Import, Importing, Operation, Outcome, Profile, RealName, Verified,
        },
        api_key::Mode,
        audit::{Action, AuditEntry},
        handle::{self, EMAIL, HandleName, PHONE, Proof, USERNAME},
        login::Method,
        refusal::{Code, FieldProblem},
    },
    ports::World,
    providers::{self, Capability},
};

/// An account as somebody else kept it.
#[derive(Debug)]
pub struct ImportedAccount {
    /// What it is called there.
    pub external_id: String,
    /// Its number, and when that was last proven.
    pub phone: Option<(PhoneNumber, Option<Timestamp>)>,
    /// Its e-mail address, and when that was last proven.
    pub email: Option<(EmailAddress, Option<Timestamp>)>,
    /// Its user name, in canonical form.
    pub username: Option<String>,
    /// Third-party accounts: kind, and the name under which the third party knows the person.
    pub identities: Vec<(String, Secret<String>)>,
    /// What its password is compared with.
    pub password: Option<PasswordHash>,
    /// How its owner wants to be called.
    pub display_name: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// Their language and region.
    pub locale: Option<String>,
    /// Whether it is known who they are.
    pub real_name: RealName,
    /// By what, where that was told.
    pub verified: Option<VerifiedName>,
    /// Since when there is an account; `None`: since now.
    pub created_at: Option<Timestamp>,
}

/// Who somebody is by law.
#[derive(Debug)]
pub struct VerifiedName {
    /// The name.
    pub name: Secret<String>,
    /// The ID number.
    pub id_number: Option<IdNumber>,
}

/// What became of it.
#[derive(Debug)]
pub enum Imported {
    /// It stands.
    Now(AccountId),
    /// It was there before, and is as it was.
    Before(AccountId),
    /// It does not.
    Refused(Vec<FieldProblem>),
}

/// How an import ended that had begun.
#[derive(Debug)]
pub(super) enum Finished {
    /// The account stands.
    Stands,
    /// This is another account's.
    Lost(HandleName),
    /// Somebody else's attempt came in between.
    Overtaken,
}

impl<W: World> Service<'_, W> {
    /// Lets a backend import so many accounts, on record.
    ///
    /// # Errors
    /// `forbidden` in test mode; a fault when the record cannot be written, and then nothing must be imported.
    pub async fn begin_import(
        &self,
        backend: &Backend,
        lines: usize,
        request_id: &str,
    ) -> Result<(), Failure> {
        if backend.mode == Mode::Test {
            return Err(Code::Forbidden.into());
        }
        let entry = AuditEntry {
            at: self.world.now(),
            actor: backend.actor.clone(),
            action: Action::Import,
            subject: format!("lines:{lines}"),
            request: request_id.to_owned(),
        };
        Ok(self.world.audit(entry).await?)
    }

    /// Imports an account.
    ///
    /// # Errors
    /// Faults alone: the same once more ends it.
    pub async fn import(&self, imported: &ImportedAccount) -> Result<Imported, Fault> {
        let account = self.account_called(&imported.external_id);
        // 1. The account writes down what it intends.
        let candidates = match self.leading_to(account, imported)? {
            Ok(candidates) => candidates,
            Err(problem) => return Ok(Imported::Refused(vec![problem])),
        };
        let seal = |what, text: Option<&String>| {
            text.map(|text| self.seal_for(account, what, text.as_bytes())).transpose()
        };
        let import = Operation::Import(Box::new(Import {
            account,
            attempt: u64::from_be_bytes(self.fresh()?),
            candidates,
            password: self.sealed_password(account, imported.password.as_ref().map(PasswordHash::text))?,
            profile: Profile {
                display_name: seal(DISPLAY_NAME, imported.display_name.as_ref())?,
                avatar_url: seal(AVATAR_URL, imported.avatar_url.as_ref())?,
                locale: seal(LOCALE, imported.locale.as_ref())?,
            },
            real_name: imported.real_name,
            verified: imported.verified.as_ref().map(|known| self.sealed_name(account, known)).transpose()?,
            created_at: imported.created_at.unwrap_or_else(|| self.world.now()),
        }));
        let finished = match again_if_lost(async || self.world.account(account, import.clone()).await).await?
        {
            Outcome::Done => return Ok(Imported::Before(account)),
            // 2. What leads to it decides.
            Outcome::Importing(importing) => self.finish_import(account, &importing).await?,
            // What it claimed the last time is not free yet.
            Outcome::Limited { .. } => Finished::Overtaken,
            _ => return Err(UNEXPECTED_OUTCOME),
        };
        Ok(match finished {
            Finished::Stands => Imported::Now(account),
            Finished::Lost(handle) => {
                Imported::Refused(vec![problem(field(&handle), "is another account's")])
            }
            Finished::Overtaken => Imported::Refused(vec![problem(
                "externalId",
                "was refused a moment ago, which is not quite over: send the line again",
            )]),
        })
    }

    /// Claims what an account that is being imported intends, and tells the account.
    pub(super) async fn finish_import(
        &self,
        account: AccountId,
        importing: &Importing,
    ) -> Result<Finished, Fault> {
        let (mut won, mut lost) = (Vec::new(), None);
        for claim in &importing.claims {
            let holder = self.claim_once(account, &claim.handle, 0, claim.proof).await?;
            if holder.account != account {
                lost = Some(claim.handle.clone());
                break;
            }
            won.push((&claim.handle, holder.since));
        }
        let settle = Operation::SettleImport {
            account,
            attempt: importing.attempt,
            handles: importing.claims.iter().map(|claim| claim.handle.clone()).collect(),
            is_won: lost.is_none(),
        };
        match again_if_lost(async || self.world.account(account, settle.clone()).await).await? {
            Outcome::Done => Ok(Finished::Stands),
            Outcome::Importing(_) => Ok(Finished::Overtaken),
            Outcome::NotFound => {
                // The account's outbox does the same, a moment later. Whoever claims anew does so since then.
                for (handle, since) in won {
                    let undo = handle::Operation::Undo { account, since: Some(since) };
                    let undone = self.world.handle(handle, undo).await;
                    self.pass_over(undone);
                }
                Ok(lost.map_or(Finished::Overtaken, Finished::Lost))
            }
            _ => Err(UNEXPECTED_OUTCOME),
        }
    }

    /// The name can be read once more, to be compared; the ID number cannot.
    fn sealed_name(&self, account: AccountId, known: &VerifiedName) -> Result<Verified, Fault> {
        let id = known.id_number.as_ref();
        Ok(Verified {
            name: self.seal_for(account, VERIFIED_NAME, known.name.expose().as_bytes())?,
            id: id.map(|number| keyed_name(&self.settings.digest, "id-number", number.expose())),
        })
    }

    /// The account of what is called so elsewhere. By the key that never changes, as names of identifiers.
    fn account_called(&self, external_id: &str) -> AccountId {
        let ours = derive(self.settings.digest.current().bytes.expose(), "onetap import");
        let digest = hmac_sha256(&ours, external_id.as_bytes());
        AccountId::from_bytes(digest.first_chunk().copied().unwrap_or_default())
    }

    /// What leads to the account, in the order in which it is claimed; or what is wrong with it.
    fn leading_to(
        &self,
        account: AccountId,
        imported: &ImportedAccount,
    ) -> Result<Result<Vec<Candidate>, FieldProblem>, Fault> {
        let now = self.world.now();
        let ImportedAccount { phone, email, username, identities, .. } = imported;
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut lead = |kind: &str, value: &str, proof, alias_of| -> Result<(), Fault> {
            let handle = HandleName::of(&self.settings.digest, kind, value);
            let value = self.seal_for(account, kind, value.as_bytes())?;
            let identifier = Identifier { handle, value, since: now, alias_of, claim: 0, claiming: true };
            candidates.push(Candidate { identifier, proof });
            Ok(())
        };
        // Where nobody knows when it was proven, it was too long ago for whoever asks.
        let proof = |at: Option<Timestamp>, method| {
            Some(match at {
                Some(at) => Proof { at, method },
                None => Proof { at: Timestamp::from_secs(0), method: Method::Imported },
            })
        };
        if let Some((phone, at)) = phone {
            lead(PHONE, phone.e164(), proof(*at, Method::Otp), None)?;
        }
        if let Some((email, at)) = email {
            lead(EMAIL, email.as_str(), proof(*at, Method::Email), None)?;
        }
        if let Some(username) = username {
            lead(USERNAME, username, None, None)?;
        }
        let mut main: Vec<(&str, &str)> = Vec::new();
        for (at, (kind, subject)) in identities.iter().enumerate() {
            if !self.knows_third_party(kind) {
                let field = format!("identities.{at}.kind");
                return Ok(Err(problem(&field, "is no third party of this service")));
            }
            let subject = subject.expose();
            // A name in one app beside one in all apps is another name of the same person.
            let is_wider = |(known, wide): &&(&str, &str)| {
                known == kind && wide.starts_with(OF_ALL_APPS) && !subject.starts_with(OF_ALL_APPS)
            };
            let wider = main.iter().find(is_wider);
            let alias_of = wider.map(|(_, wide)| HandleName::of(&self.settings.digest, kind, wide));
            if alias_of.is_none() {
                main.push((kind, subject));
            }
            lead(kind, subject, proof(None, Method::Imported), alias_of)?;
        }
        let most = self.settings.account_rules().identities_of_a_kind;
        if main.iter().any(|(kind, _)| main.iter().filter(|(other, _)| other == kind).count() > most) {
            return Ok(Err(problem("identities", "has more of a kind than IDENTITIES_OF_A_KIND allows")));
        }
        Ok(Ok(candidates))
    }

    fn knows_third_party(&self, kind: &str) -> bool {
        let is_it = |account: &&providers::Account| account.kind == kind;
        self.settings.provider_accounts.iter().filter(is_it).any(|account| {
            providers::find(&account.provider).is_some_and(|document| document.offers(Capability::Identity))
        })
    }
}

/// How the name of a person begins that all apps of one developer know, as in the documents of third parties.
pub const OF_ALL_APPS: &str = "u:";

/// How one begins that a single app knows, or an issuer.
pub const OF_ONE_APP: &str = "o:";

/// The field of an import in which an identifier stands.
fn field(handle: &HandleName) -> &str {
    match handle.kind() {
        kind @ (PHONE | EMAIL | USERNAME) => kind,
        _ => "identities",
    }
}

fn problem(name: &str, problem: &str) -> FieldProblem {
    FieldProblem { name: name.to_owned(), problem: problem.to_owned() }
}
