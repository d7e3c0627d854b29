//! Asking a provider: one credential, one provider, one request.

use std::{collections::BTreeMap, time::Duration};

use super::{Failure, Service, UNEXPECTED_OUTCOME, Upstream, settings::Environment};
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
    providers::{self, Account, Answer, Call, CallError, Capability, Document},
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

/// A credential with the request that asks its provider: ready to be sent, not sent yet.
pub(super) struct Question<'a> {
    call: Call<'a>,
    request: HttpRequest,
}

impl Question<'_> {
    /// What the credential is claimed by: its single-use token, whichever provider the client names.
    pub(super) fn subject(&self) -> &str {
        let Call { document, capability, credential, .. } = self.call;
        document.primary(capability, credential).map_or("", |token| token.expose())
    }
}

impl<W: World> Service<'_, W> {
    /// Finds document and account for a credential and makes the request. Whatever the client got wrong shows
    /// here, before the credential is spent.
    pub(super) fn question<'q>(
        &'q self,
        capability: Capability,
        credential: &'q Credential,
        phone: Option<&'q PhoneNumber>,
        caller: &Caller<'q>,
    ) -> Result<Question<'q>, Failure> {
        // 1. The document, and what it asks of the client.
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
        // 2. Our account with the provider.
        let account = self.settings.provider_accounts.iter().find(|account| {
            account.provider == document.id() && account.app == caller.app && account.serves(caller.platform)
        });
        let Some(account) = account.filter(|account| self.may_use(account, document)) else {
            // What the operator has not set up is no fault of an account: anybody could raise the alarm.
            self.note(document.id(), capability, "not_set_up", None, 0);
            return Err(Upstream { provider: document.id().to_owned(), is_transient: false }.into());
        };
        // 3. The request.
        let call = Call {
            document,
            capability,
            account,
            credential: &credential.fields,
            phone,
            platform: caller.platform,
            address: caller.address,
            request_id: caller.request_id,
            now: self.world.now(),
            nonce: self.fresh()?,
            base_url: self.settings.provider_base_url.as_deref(),
        };
        match call.request() {
            Ok(mut request) => {
                let timeout = Duration::from_millis(self.settings.limits.provider_timeout_ms);
                request.timeout = request.timeout.min(timeout);
                Ok(Question { call, request })
            }
            Err(CallError::Phone) => {
                let fields = Refusal::field("phone", "is not a number that this provider can compare").fields;
                Err(Refusal { fields, ..Refusal::new(Code::InvalidPhone) }.into())
            }
            Err(error) => {
                let concluded = self.conclude(&call, error.answer(), 0);
                Err(concluded.err().unwrap_or(UNEXPECTED_OUTCOME.into()))
            }
        }
    }

    /// Sends the credential to its provider, once, and reads the answer.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Answer, Failure> {
        let Question { call, request } = question;
        let started = self.world.now();
        let failed = |code: &str| Answer::Unavailable { code: code.to_owned() };
        let answer = match self.world.send(request).await {
            Ok(reply) => call.read(&reply),
            Err(HttpFailure::TimedOut) => failed("timed_out"),
            Err(HttpFailure::Broken) => failed("broken"),
        };
        let millis = u64::try_from(self.world.now().since(started).as_millis()).unwrap_or(u64::MAX);
        self.conclude(&call, answer, millis)
    }

    /// What an answer means for the client; operators learn of it either way.
    fn conclude(&self, call: &Call<'_>, answer: Answer, millis: u64) -> Result<Answer, Failure> {
        let provider = call.document.id();
        let (outcome, vendor_code) = summary(&answer);
        self.note(provider, call.capability, outcome, vendor_code, millis);
        let upstream = |is_transient| Upstream { provider: provider.to_owned(), is_transient };
        match answer {
            Answer::Number { .. } | Answer::Checked { .. } => Ok(answer),
            Answer::Rejected { .. } => Err(Refusal::to_otp(Code::OneTapRejected).into()),
            Answer::Unavailable { .. } => Err(upstream(true).into()),
            Answer::AccountFault { .. } => Err(upstream(false).into()),
        }
    }

    // Facts that are only assumed stay off in production until an operator has confirmed them.
    fn may_use(&self, account: &Account, document: &Document) -> bool {
        self.settings.environment == Environment::Development || account.fit_for_production(document)
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
