//! Which request goes where.

use super::{
    Reply, account, accounts, appeals, approvals, backend, case_support, devices, friends, http::HttpIn,
    identities, identity_login, import, login_history, meta, numbers, oauth, objections, one_tap, otp,
    password, receipts, session, sessions, step_up,
};
use crate::{
    journeys::Service,
    kernel::id::{AccountId, ApprovalId, DeviceId, SessionId, TrustedPhoneId},
    ports::World,
};

pub use super::accounts::Put;
pub use paths::find;

mod paths;

/// A route with what its path carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`
    Health,
    /// `GET /.well-known/jwks.json`
    Jwks,
    /// `POST /v1/one-tap/login`
    OneTapLogin,
    /// `POST /v1/one-tap/failures`
    OneTapFailures,
    /// `POST /v1/one-tap/check`
    OneTapCheck,
    /// `POST /v1/one-tap/exchange`
    OneTapExchange,
    /// `POST /v1/otp/send`
    OtpSend,
    /// `POST /v1/otp/login`
    OtpLogin,
    /// `GET /v1/identities/{kind}/authorize`
    IdentityAuthorize,
    /// `POST /v1/identities/{kind}/login`
    IdentityLogin,
    /// `GET /v1/client-config`
    ClientConfig,
    /// `GET` or `POST /v1/receipts/{provider}/{token}`
    Receipts,
    /// `POST /v1/session/refresh`
    SessionRefresh,
    /// `GET /v1/session`
    Session,
    /// `DELETE /v1/session`
    SessionEnd,
    /// `GET /v1/sessions`
    Sessions,
    /// `DELETE /v1/sessions`
    SessionsEndOthers,
    /// `DELETE /v1/sessions/{id}`
    SessionsEndOne(SessionId),
    /// `GET /v1/devices`
    Devices,
    /// `PATCH /v1/devices/{id}`
    DeviceChange(DeviceId),
    /// `DELETE /v1/devices/{id}`
    DeviceRemove(DeviceId),
    /// `GET /v1/login-history`
    LoginHistory,
    /// `POST /oauth/introspect`
    Introspect,
    /// `POST /oauth/revoke`
    Revoke,
    /// `GET /v1/approvals`
    Approvals,
    /// `POST /v1/approvals/{id}`
    ApprovalAnswer(ApprovalId),
    /// `GET /v1/account/login-protection`
    LoginProtection,
    /// `PUT /v1/account/login-protection`
    LoginProtectionChange,
    /// `POST /v1/step-up`
    StepUp,
    /// `POST /v1/step-up/state`
    StepUpState,
    /// `POST /v1/step-up/claim`
    StepUpClaim,
    /// `POST /v1/step-up/start`
    StepUpStart,
    /// `POST /v1/step-up/complete`
    StepUpComplete,
    /// `POST /v1/password/login`
    PasswordLogin,
    /// `POST /v1/password/reset`
    PasswordReset,
    /// `PUT /v1/account/password`
    PasswordSet,
    /// `GET /v1/account`
    Account,
    /// `PATCH /v1/account`
    AccountChange,
    /// `DELETE /v1/account`
    AccountDelete,
    /// `GET /v1/account/export`
    AccountExport,
    /// `PUT /v1/account/phone`
    PhoneChange,
    /// `DELETE /v1/account/phone-change`
    PhoneChangeDrop,
    /// `GET /v1/account/phones`
    PhoneHistory,
    /// `GET /v1/account/trusted-phones`
    TrustedPhones,
    /// `POST /v1/account/trusted-phones`
    TrustedPhoneAdd,
    /// `DELETE /v1/account/trusted-phones/{id}`
    TrustedPhoneRemove(TrustedPhoneId),
    /// `GET /v1/account/identities`
    Identities,
    /// `POST /v1/account/identities/{kind}`
    IdentityBind,
    /// `DELETE /v1/account/identities/{kind}`
    IdentityUnbind,
    /// `POST /v1/session/proof`
    SessionProof,
    /// `POST /v1/accounts/{id}/restore`
    AccountRestore(AccountId),
    /// `GET /v1/accounts/{id}/phone`
    AccountPhone(AccountId),
    /// `PUT /v1/accounts/{id}/...`
    AccountPut(AccountId, Put),
    /// `POST /v1/friends/confirmations`
    FriendConfirm,
    /// `POST /v1/appeals`
    AppealMake,
    /// `GET /v1/appeals/{id}`
    Appeal,
    /// `POST /v1/appeals/{id}/images`
    AppealImage,
    /// `POST /v1/appeals/{id}/complete`
    AppealComplete,
    /// `GET /v1/account/appeals`
    OwnAppeals,
    /// `POST /v1/account/appeals/{id}/refuse`
    AppealRefuse,
    /// `GET /v1/account/phone/claims`
    NumberClaims,
    /// `POST /v1/account/phone/objection`
    NumberObjection,
    /// `GET /v1/cases`
    Cases,
    /// `GET /v1/cases/{id}`
    Case,
    /// `GET /v1/cases/{id}/images/{number}`
    CaseImage,
    /// `POST /v1/cases/{id}/decision`
    CaseDecision,
    /// `POST /v1/import`
    Import,
    /// `GET /v1/api-key`
    ApiKey,
}

/// What a method and path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A route.
    Route(Route),
    /// The path exists, with these methods.
    OtherMethods(&'static str),
    /// No such path.
    Nothing,
}

impl Found {
    /// Method and pattern for the log, never the path.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Route(route) => route.name(),
            Self::OtherMethods(_) => "other method",
            Self::Nothing => "no route",
        }
    }

    /// Whether it is one of the endpoints whose clients know OAuth.
    pub const fn is_oauth(&self) -> bool {
        matches!(self, Self::Route(Route::Introspect | Route::Revoke))
    }

    /// Whether one-tap is what the client is trying.
    pub const fn is_one_tap(&self) -> bool {
        matches!(
            self,
            Self::Route(
                Route::OneTapLogin | Route::OneTapFailures | Route::OneTapCheck | Route::OneTapExchange
            )
        )
    }
}

impl Route {
    const fn name(self) -> &'static str {
        match self {
            Self::Health => "GET /healthz",
            Self::Jwks => "GET /.well-known/jwks.json",
            Self::OneTapLogin => "POST /v1/one-tap/login",
            Self::OneTapFailures => "POST /v1/one-tap/failures",
            Self::OneTapCheck => "POST /v1/one-tap/check",
            Self::OneTapExchange => "POST /v1/one-tap/exchange",
            Self::OtpSend => "POST /v1/otp/send",
            Self::OtpLogin => "POST /v1/otp/login",
            Self::IdentityAuthorize => "GET /v1/identities/{kind}/authorize",
            Self::IdentityLogin => "POST /v1/identities/{kind}/login",
            Self::ClientConfig => "GET /v1/client-config",
            Self::Receipts => "POST /v1/receipts/{provider}/{token}",
            Self::SessionRefresh => "POST /v1/session/refresh",
            Self::Session => "GET /v1/session",
            Self::SessionEnd => "DELETE /v1/session",
            Self::Sessions => "GET /v1/sessions",
            Self::SessionsEndOthers => "DELETE /v1/sessions",
            Self::SessionsEndOne(_) => "DELETE /v1/sessions/{id}",
            Self::Devices => "GET /v1/devices",
            Self::DeviceChange(_) => "PATCH /v1/devices/{id}",
            Self::DeviceRemove(_) => "DELETE /v1/devices/{id}",
            Self::LoginHistory => "GET /v1/login-history",
            Self::Introspect => "POST /oauth/introspect",
            Self::Revoke => "POST /oauth/revoke",
            Self::Approvals => "GET /v1/approvals",
            Self::ApprovalAnswer(_) => "POST /v1/approvals/{id}",
            Self::LoginProtection => "GET /v1/account/login-protection",
            Self::LoginProtectionChange => "PUT /v1/account/login-protection",
            Self::StepUp => "POST /v1/step-up",
            Self::StepUpState => "POST /v1/step-up/state",
            Self::StepUpClaim => "POST /v1/step-up/claim",
            Self::StepUpStart => "POST /v1/step-up/start",
            Self::StepUpComplete => "POST /v1/step-up/complete",
            Self::PasswordLogin => "POST /v1/password/login",
            Self::PasswordReset => "POST /v1/password/reset",
            Self::PasswordSet => "PUT /v1/account/password",
            Self::Account => "GET /v1/account",
            Self::AccountChange => "PATCH /v1/account",
            Self::AccountDelete => "DELETE /v1/account",
            Self::AccountExport => "GET /v1/account/export",
            Self::PhoneChange => "PUT /v1/account/phone",
            Self::PhoneChangeDrop => "DELETE /v1/account/phone-change",
            Self::PhoneHistory => "GET /v1/account/phones",
            Self::TrustedPhones => "GET /v1/account/trusted-phones",
            Self::TrustedPhoneAdd => "POST /v1/account/trusted-phones",
            Self::TrustedPhoneRemove(_) => "DELETE /v1/account/trusted-phones/{id}",
            Self::Identities => "GET /v1/account/identities",
            Self::IdentityBind => "POST /v1/account/identities/{kind}",
            Self::IdentityUnbind => "DELETE /v1/account/identities/{kind}",
            Self::SessionProof => "POST /v1/session/proof",
            Self::AccountRestore(_) => "POST /v1/accounts/{id}/restore",
            Self::AccountPhone(_) => "GET /v1/accounts/{id}/phone",
            Self::AccountPut(_, put) => put.name(),
            Self::FriendConfirm => "POST /v1/friends/confirmations",
            Self::AppealMake => "POST /v1/appeals",
            Self::Appeal => "GET /v1/appeals/{id}",
            Self::AppealImage => "POST /v1/appeals/{id}/images",
            Self::AppealComplete => "POST /v1/appeals/{id}/complete",
            Self::OwnAppeals => "GET /v1/account/appeals",
            Self::AppealRefuse => "POST /v1/account/appeals/{id}/refuse",
            Self::NumberClaims => "GET /v1/account/phone/claims",
            Self::NumberObjection => "POST /v1/account/phone/objection",
            Self::Cases => "GET /v1/cases",
            Self::Case => "GET /v1/cases/{id}",
            Self::CaseImage => "GET /v1/cases/{id}/images/{number}",
            Self::CaseDecision => "POST /v1/cases/{id}/decision",
            Self::Import => "POST /v1/import",
            Self::ApiKey => "GET /v1/api-key",
        }
    }
}

/// Runs a route.
pub(super) async fn run<W: World>(service: Service<'_, W>, route: &Route, request: &HttpIn) -> Reply {
    let result = match route {
        Route::Health => Ok(meta::health()),
        Route::Jwks => meta::jwks(service),
        Route::OneTapLogin => one_tap::login(service, request).await,
        Route::OneTapFailures => one_tap::failures(service, request).await,
        Route::OneTapCheck => one_tap::check(service, request).await,
        Route::OneTapExchange => one_tap::exchange(service, request).await,
        Route::OtpSend => otp::send(service, request).await,
        Route::OtpLogin => otp::login(service, request).await,
        Route::IdentityAuthorize => identity_login::authorize(service, request).await,
        Route::IdentityLogin => identity_login::login(service, request).await,
        Route::ClientConfig => meta::client_config(service, request),
        Route::Receipts => receipts::receive(service, request).await,
        Route::SessionRefresh => session::refresh(service, request).await,
        Route::Session => session::who_am_i(service, request).await,
        Route::SessionEnd => sessions::sign_out(service, request).await,
        Route::Sessions => sessions::list(service, request).await,
        Route::SessionsEndOthers => sessions::end_others(service, request).await,
        Route::SessionsEndOne(id) => sessions::end(service, request, Some(*id)).await,
        Route::Devices => devices::list(service, request).await,
        Route::DeviceChange(id) => devices::change(service, request, *id).await,
        Route::DeviceRemove(id) => devices::remove(service, request, *id).await,
        Route::LoginHistory => login_history::page(service, request).await,
        Route::Introspect => oauth::introspect(service, request).await,
        Route::Revoke => oauth::revoke(service, request).await,
        Route::Approvals => approvals::list(service, request).await,
        Route::ApprovalAnswer(id) => approvals::answer(service, request, *id).await,
        Route::LoginProtection => approvals::protection(service, request).await,
        Route::LoginProtectionChange => approvals::protect(service, request).await,
        Route::StepUp => step_up::ask(service, request).await,
        Route::StepUpState => step_up::take(service, request, step_up::Step::State).await,
        Route::StepUpClaim => step_up::take(service, request, step_up::Step::Claim).await,
        Route::StepUpStart => step_up::take(service, request, step_up::Step::Start).await,
        Route::StepUpComplete => step_up::take(service, request, step_up::Step::Complete).await,
        Route::PasswordLogin => password::login(service, request).await,
        Route::PasswordReset => password::reset(service, request).await,
        Route::PasswordSet => password::set(service, request).await,
        Route::Account => account::read(service, request).await,
        Route::AccountChange => account::change(service, request).await,
        Route::AccountDelete => account::delete(service, request).await,
        Route::AccountExport => account::export(service, request).await,
        Route::PhoneChange => numbers::change(service, request).await,
        Route::PhoneChangeDrop => numbers::drop_change(service, request).await,
        Route::PhoneHistory => numbers::history(service, request).await,
        Route::TrustedPhones => numbers::trusted(service, request).await,
        Route::TrustedPhoneAdd => numbers::trust(service, request).await,
        Route::TrustedPhoneRemove(id) => numbers::distrust(service, request, *id).await,
        Route::Identities => identities::list(service, request).await,
        Route::IdentityBind => identities::bind(service, request).await,
        Route::IdentityUnbind => identities::unbind(service, request).await,
        Route::SessionProof => session::prove(service, request).await,
        Route::AccountRestore(id) => accounts::restore(service, request, *id).await,
        Route::AccountPhone(id) => accounts::phone(service, request, *id).await,
        Route::AccountPut(id, put) => accounts::put(service, request, *id, *put).await,
        Route::FriendConfirm => friends::confirm(service, request).await,
        Route::AppealMake => appeals::make(service, request).await,
        Route::Appeal => appeals::look(service, request).await,
        Route::AppealImage => appeals::add_image(service, request).await,
        Route::AppealComplete => appeals::complete(service, request).await,
        Route::OwnAppeals => objections::appeals(service, request).await,
        Route::AppealRefuse => objections::refuse(service, request).await,
        Route::NumberClaims => objections::claims(service, request).await,
        Route::NumberObjection => objections::object(service, request).await,
        Route::Cases => case_support::list(service, request).await,
        Route::Case => case_support::read(service, request).await,
        Route::CaseImage => case_support::image(service, request).await,
        Route::CaseDecision => case_support::decide(service, request).await,
        Route::Import => import::import(service, request).await,
        Route::ApiKey => backend::api_key(service, request).await,
    };
    result.unwrap_or_else(Reply::from)
}
