//! Asking a provider: one credential, one provider, one request.

use std::{collections::BTreeMap, time::Duration};

use super::{Failure, Service, Upstream, settings::Environment};
use crate::{
    kernel::{
        http::{HttpFailure, HttpRequest},
        phone::PhoneNumber,
        secret::Secret,
    },
    model::{
        platform::Platform,
        refusal::{Code, FieldProblem, Refusal},
    },
    ports::{ProviderCall, World},
    providers::{self, Account, Answer, Call, Capability, Document},
};

/// What the client got from a provider's SDK.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Provider id.
    pub provider: String,
    /// The SDK's values, as the provider's document names them.
    pub fields: BTreeMap<String, Secret<String>>,
}

/// Who asks, as far as providers and their accounts care.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// App id.
    pub app: &'a str,
    /// Kind of client.
    pub platform: Platform,
    /// The client's IP address; providers use it against abuse.
    pub address: &'a str,
    /// Id of our request, for the provider's log.
    pub request_id: &'a str,
}

/// A credential with the document and account that belong to it: ready to be asked, not asked yet.
#[derive(Debug)]
pub(super) struct Question<'a> {
    document: &'static Document,
    account: &'a Account,
    capability: Capability,
    credential: &'a Credential,
}

impl<'a> Question<'a> {
    /// What the credential is claimed by: its single-use token, whichever provider the client names.
    pub(super) fn subject(&self) -> &str {
        self.document.primary(self.capability, &self.credential.fields).map_or("", |token| token.expose())
    }
}

impl<W: World> Service<'_, W> {
    /// Finds document and account for a credential and checks the credential's fields. Nothing is sent.
    pub(super) fn question<'q>(
        &'q self,
        capability: Capability,
        credential: &'q Credential,
        caller: &Caller<'_>,
    ) -> Result<Question<'q>, Failure> {
        let Some(document) = providers::find(&credential.provider) else {
            return Err(Refusal::field("credential.provider", "is not a provider we know").into());
        };
        if !document.offers(capability) {
            return Err(Refusal::field("credential.provider", "does not offer this check").into());
        }
        if !self.settings.apps.iter().any(|app| app == caller.app) {
            return Err(Refusal::field("app", "is not an app of this service").into());
        }
        let problems = document.credential_problems(capability, &credential.fields);
        if !problems.is_empty() {
            let fields = problems
                .into_iter()
                .map(|(name, problem)| FieldProblem { name: format!("credential.{name}"), problem });
            return Err(Refusal { fields: fields.collect(), ..Refusal::new(Code::InvalidRequest) }.into());
        }
        let account = self.settings.provider_accounts.iter().find(|account| {
            account.provider == document.id() && account.app == caller.app && account.serves(caller.platform)
        });
        match account {
            Some(account) if self.may_use(account, document) => {
                Ok(Question { document, account, capability, credential })
            }
            // What the operator has not set up is no fault of an account: anybody could raise the alarm.
            _ => {
                self.note(document.id(), capability, "not_set_up", None, 0);
                Err(Upstream { provider: document.id().to_owned(), is_transient: false }.into())
            }
        }
    }

    /// Sends the credential to its provider, once, and reads the answer.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        phone: Option<&PhoneNumber>,
        caller: &Caller<'_>,
    ) -> Result<Answer, Failure> {
        let call = Call {
            document: question.document,
            capability: question.capability,
            account: question.account,
            credential: &question.credential.fields,
            phone,
            platform: caller.platform,
            address: caller.address,
            request_id: caller.request_id,
            now: self.world.now(),
            nonce: self.fresh()?,
            base_url: self.settings.provider_base_url.as_deref(),
        };
        let started = self.world.now();
        let answer = match call.request() {
            Ok(request) => self.send(&call, request).await,
            Err(error) => error.answer(),
        };
        let millis = u64::try_from(self.world.now().since(started).as_millis()).unwrap_or(u64::MAX);
        let (outcome, vendor_code) = summary(&answer);
        self.note(question.document.id(), question.capability, outcome, vendor_code, millis);
        let upstream = |is_transient| Upstream { provider: question.document.id().to_owned(), is_transient };
        match answer {
            Answer::Number { .. } | Answer::Checked { .. } => Ok(answer),
            Answer::Rejected { .. } => Err(Refusal::to_otp(Code::OneTapRejected).into()),
            Answer::Unavailable { .. } => Err(upstream(true).into()),
            Answer::AccountFault { .. } => Err(upstream(false).into()),
        }
    }
}

impl<W: World> Service<'_, W> {
    // Facts that are only assumed stay off in production until an operator has confirmed them.
    fn may_use(&self, account: &Account, document: &Document) -> bool {
        self.settings.environment == Environment::Development || account.fit_for_production(document)
    }

    async fn send(&self, call: &Call<'_>, mut request: HttpRequest) -> Answer {
        request.timeout =
            request.timeout.min(Duration::from_millis(self.settings.limits.provider_timeout_ms));
        let failed = |code: &str| Answer::Unavailable { code: code.to_owned() };
        match self.world.send(request).await {
            Ok(reply) => call.read(&reply),
            Err(HttpFailure::TimedOut) => failed("timed_out"),
            Err(HttpFailure::Broken) => failed("broken"),
        }
    }

    fn note(
        &self,
        provider: &str,
        capability: Capability,
        outcome: &'static str,
        vendor_code: Option<String>,
        millis: u64,
    ) {
        let (provider, capability) = (provider.to_owned(), capability.name());
        self.world.provider_called(ProviderCall { provider, capability, outcome, vendor_code, millis });
    }
}

fn summary(answer: &Answer) -> (&'static str, Option<String>) {
    match answer {
        Answer::Number { .. } | Answer::Checked { matches: true, .. } => ("ok", None),
        Answer::Checked { matches: false, .. } => ("mismatch", None),
        Answer::Rejected { code } => ("rejected", Some(code.clone())),
        Answer::Unavailable { code } => ("unavailable", Some(code.clone())),
        Answer::AccountFault { code } => ("account_fault", Some(code.clone())),
    }
}
