//! Asking a provider: one question, one provider, one request.

use std::time::Duration;

use super::{Failure, Service, UNEXPECTED_OUTCOME, Upstream, settings::Environment};
use crate::{
    kernel::{
        fault::Fault,
        http::{HttpFailure, HttpRequest},
        phone::PhoneNumber,
        secret::Secret,
        table::Table,
    },
    model::{
        evidence::Reassignment,
        platform::Platform,
        refusal::{Code, FieldProblem, Refusal},
    },
    ports::{ProviderCall, World},
    providers::{self, Account, Answer, Call, CallError, Capability, Document, Inquiry, Message, RiskLevel},
};

/// What the client got from a provider's SDK.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Provider id.
    pub provider: String,
    /// The SDK's values, as the provider's document names them.
    pub fields: Table<String, Secret<String>>,
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

/// A provider, and our account with it.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) document: &'static Document,
    pub(super) account: &'a Account,
}

impl Choice<'_> {
    /// Whether it does this for numbers of a country, by E.164 country code.
    pub(super) fn serves_country(&self, capability: Capability, country: &str) -> bool {
        self.document.serves_country(capability, country) && self.account.serves_country(country)
    }

    /// What the widget of a bot check is started with.
    pub(super) fn site_key(&self) -> Option<&str> {
        self.account.public_setting("siteKey").or_else(|| self.account.public_setting("captchaId"))
    }

    /// The parameters of its templates, in the order in which the operator registered them.
    pub(super) fn params(&self, values: &[(&str, String)]) -> Vec<(String, String)> {
        let value = |wanted: &String| values.iter().find(|(name, _)| name == wanted);
        let params = self.account.template_params().iter().filter_map(value);
        params.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }
}

/// One question to a provider that needs no credential of a carrier.
#[derive(Clone, Copy)]
pub(super) struct Tender<'a> {
    pub(super) choice: Choice<'a>,
    pub(super) caller: &'a Caller<'a>,
    pub(super) capability: Capability,
    pub(super) timeout: Duration,
    pub(super) credential: &'a Table<String, Secret<String>>,
    pub(super) phone: Option<&'a PhoneNumber>,
    pub(super) message: Option<Message<'a>>,
    pub(super) inquiry: Option<Inquiry<'a>>,
}

impl<'a> Tender<'a> {
    /// A question of a capability, with nothing in it yet.
    pub(super) fn of(
        choice: Choice<'a>,
        caller: &'a Caller<'a>,
        capability: Capability,
        timeout_ms: u64,
    ) -> Self {
        static NOTHING: Table<String, Secret<String>> = Table::new();
        let timeout = Duration::from_millis(timeout_ms);
        let (credential, phone, message, inquiry) = (&NOTHING, None, None, None);
        Self { choice, caller, capability, timeout, credential, phone, message, inquiry }
    }
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
    /// The document of a credential's provider, if there is such a provider and such an app.
    pub(super) fn document(
        &self,
        capability: Capability,
        credential: &Credential,
        caller: &Caller<'_>,
    ) -> Result<&'static Document, Failure> {
        let Some(document) = providers::find(&credential.provider) else {
            return Err(Refusal::field("credential.provider", "is not a provider we know").into());
        };
        if !document.offers(capability) {
            return Err(Refusal::field("credential.provider", "does not offer this check").into());
        }
        if !self.settings.apps.iter().any(|app| app == caller.app) {
            return Err(Refusal::field("app", "is not an app of this service").into());
        }
        Ok(document)
    }

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
        let document = self.document(capability, credential, caller)?;
        let problems = document.credential_problems(capability, &credential.fields);
        if !problems.is_empty() {
            let fields = problems
                .into_iter()
                .map(|(name, problem)| FieldProblem { name: format!("credential.{name}"), problem });
            return Err(Refusal { fields: fields.collect(), ..Refusal::new(Code::InvalidRequest) }.into());
        }
        // 2. Our account with the provider.
        let mut ours = self.choices(capability, caller);
        let Some(Choice { account, .. }) = ours.find(|choice| choice.document.id() == document.id()) else {
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
            message: None,
            inquiry: None,
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
        let (answer, millis) = self.exchange_with(&call, request).await;
        self.conclude(&call, answer, millis)
    }

    /// Asks a provider once; whatever it answers, or does not, is an answer.
    ///
    /// # Errors
    /// [`Fault`]: no entropy; nothing was sent.
    pub(super) async fn offer(&self, tender: &Tender<'_>) -> Result<Answer, Fault> {
        let Tender { choice, caller, capability, .. } = *tender;
        let call = Call {
            document: choice.document,
            capability,
            account: choice.account,
            credential: tender.credential,
            phone: tender.phone,
            message: tender.message,
            inquiry: tender.inquiry,
            platform: caller.platform,
            address: caller.address,
            request_id: caller.request_id,
            now: self.world.now(),
            nonce: self.fresh()?,
            base_url: self.settings.provider_base_url.as_deref(),
        };
        let (answer, millis) = match call.request() {
            Ok(mut request) => {
                request.timeout = request.timeout.min(tender.timeout);
                self.exchange_with(&call, request).await
            }
            Err(error) => (error.answer(), 0),
        };
        let (outcome, vendor_code) = summary(&answer);
        self.note(choice.document.id(), capability, outcome, vendor_code, millis);
        Ok(answer)
    }

    /// Our accounts that can be asked this for the caller's app and platform.
    pub(super) fn choices(
        &self,
        capability: Capability,
        caller: &Caller<'_>,
    ) -> impl Iterator<Item = Choice<'_>> {
        let (app, platform) = (caller.app.to_owned(), caller.platform);
        let ours = self.settings.provider_accounts.iter();
        let ours = ours.filter(move |account| account.app == app && account.serves(platform));
        let choices = ours
            .filter_map(|account| Some(Choice { document: providers::find(&account.provider)?, account }));
        choices.filter(move |choice| {
            choice.document.offers(capability) && self.may_use(choice.account, choice.document)
        })
    }

    async fn exchange_with(&self, call: &Call<'_>, request: HttpRequest) -> (Answer, u64) {
        let started = self.world.now();
        let failed = |code: &str, definite| Answer::Unavailable { code: code.to_owned(), definite };
        let answer = match self.world.send(request).await {
            Ok(reply) => call.read(&reply),
            Err(HttpFailure::TimedOut) => failed("timed_out", false),
            Err(HttpFailure::Broken) => failed("broken", true),
            Err(HttpFailure::Unread) => failed("unread", false),
        };
        let millis = u64::try_from(self.world.now().since(started).as_millis()).unwrap_or(u64::MAX);
        (answer, millis)
    }

    /// What an answer means for the client; operators learn of it either way.
    fn conclude(&self, call: &Call<'_>, answer: Answer, millis: u64) -> Result<Answer, Failure> {
        let provider = call.document.id();
        let (outcome, vendor_code) = summary(&answer);
        self.note(provider, call.capability, outcome, vendor_code, millis);
        let upstream = |is_transient| Upstream { provider: provider.to_owned(), is_transient };
        match answer {
            Answer::Rejected { .. } => Err(Refusal::to_otp(Code::OneTapRejected).into()),
            Answer::Unavailable { .. } | Answer::Limited { .. } => Err(upstream(true).into()),
            Answer::AccountFault { .. } => Err(upstream(false).into()),
            answer => Ok(answer),
        }
    }

    // Facts that are only assumed stay off in production until an operator has confirmed them.
    fn may_use(&self, account: &Account, document: &Document) -> bool {
        self.settings.environment == Environment::Development || account.fit_for_production(document)
    }

    pub(super) fn note(
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
        Answer::Accepted { .. } | Answer::Human | Answer::Taken(_) => ("ok", None),
        Answer::Risk { level: RiskLevel::Allow } => ("allow", None),
        Answer::Risk { level: RiskLevel::Challenge } => ("challenge", None),
        Answer::Risk { level: RiskLevel::Deny } => ("deny", None),
        Answer::Checked { matches: false, .. } | Answer::NameCheck { matches: Some(false) } => {
            ("mismatch", None)
        }
        Answer::NameCheck { matches: Some(true) } | Answer::NumberStatus(_) => ("ok", None),
        Answer::NameCheck { matches: None } | Answer::Reassignment(Reassignment::Unknown) => {
            ("unknown", None)
        }
        Answer::Reassignment(Reassignment::Reassigned) => ("reassigned", None),
        Answer::Reassignment(Reassignment::Cancelled) => ("cancelled", None),
        Answer::Reassignment(Reassignment::NotReassigned) => ("not_reassigned", None),
        Answer::Rejected { code } => ("rejected", Some(code.clone())),
        Answer::Limited { code } => ("limited", Some(code.clone())),
        Answer::Unavailable { code, .. } => ("unavailable", Some(code.clone())),
        Answer::AccountFault { code } => ("account_fault", Some(code.clone())),
    }
}
