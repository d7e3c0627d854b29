//! `/v1/password/...` and `/v1/account/password`.

use super::{
    Reply,
    body::Fields,
    fresh_proof::GivenProof,
    http::HttpIn,
    login::{self, Common},
    login_result::{login_reply, login_result},
    number_proof, own,
    problem::Problem,
};
use crate::{
    journeys::{
        Service,
        claim::Attempt,
        password::{PasswordChange, PasswordReset},
        password_login::PasswordLogin,
        spent::Spent,
    },
    kernel::secret::Secret,
    ports::World,
};

/// Longest identifier looked at, characters.
pub const MAX_IDENTIFIER: usize = 254;

/// Longest password looked at, characters; longer ones cannot be set.
pub const MAX_PASSWORD: usize = 1024;

/// `POST /v1/password/login`
pub(super) async fn login<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let mut body = Fields::read(request)?;
    let identifier = body.text("identifier", MAX_IDENTIFIER).map(Secret::new);
    let password = password(&mut body, "password");
    let common = login::common(request, &mut body);
    let ((identifier, password), common) = body.finish(identifier.zip(password).zip(common))?;
    let Common { app, consent, device, captcha, transport } =
        common.transported(service.settings, request)?;
    let (app, consent) = (app.as_str(), consent.as_deref());
    let purpose = login::purpose(service.world.now(), request, app, consent, &device);
    let (identifier, password, captcha) = (&identifier, &password, captcha.as_ref());
    let caller = login::caller(request, app, device.platform);
    let login = PasswordLogin { identifier, password, caller, captcha, purpose };
    let entry = service.password_login(&login).await?;
    login_result(&entry, transport, device.token.as_ref())
}

/// `POST /v1/password/reset`
pub(super) async fn reset<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let proof = number_proof::any(&mut body, "numberProof");
    let new_password = password(&mut body, "newPassword");
    let common = login::common(request, &mut body);
    let ((proof, new_password), common) = body.finish(proof.zip(new_password).zip(common))?;
    let Common { app, consent, device, transport, .. } = common.transported(service.settings, request)?;
    let purpose = login::purpose(service.world.now(), request, &app, consent.as_deref(), &device);
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let reset = PasswordReset {
        proof: &proof.as_proof(attempt),
        new_password: &new_password,
        caller: login::caller(request, &app, device.platform),
        purpose,
    };
    let mut spent = Spent::default();
    let entry = service.reset_password(&reset, &mut spent).await;
    Ok(login_reply(entry, transport, device.token.as_ref(), spent))
}

/// `PUT /v1/account/password`
pub(super) async fn set<W: World>(service: Service<'_, W>, request: &HttpIn) -> Result<Reply, Problem> {
    let doer = own::doer(service.settings, request)?;
    let key = login::idempotency_key(request)?;
    let mut body = Fields::read(request)?;
    let canonical = body.canonical(request);
    let new_password = password(&mut body, "newPassword");
    let end_others = body.flag("signOutOthers");
    let proof = match (body.has("currentPassword"), body.has("numberProof")) {
        (true, true) => {
            password(&mut body, "currentPassword");
            number_proof::any(&mut body, "numberProof");
            body.wrong("numberProof", "is one proof too many beside currentPassword")
        }
        (true, false) => password(&mut body, "currentPassword").map(GivenProof::Password).map(Some),
        (false, true) => number_proof::any(&mut body, "numberProof").map(GivenProof::Number).map(Some),
        (false, false) => Some(None),
    };
    let (new_password, proof) = body.finish(new_password.zip(proof))?;
    let attempt = Attempt { key: key.as_ref(), request: &canonical };
    let proof = proof.as_ref().map(|proof| proof.as_proof(attempt));
    let change = PasswordChange { new_password: &new_password, proof, end_others, attempt };
    let mut spent = Spent::default();
    let set = service.set_password(&own::from(doer, request), &change, &mut spent).await;
    Ok(Reply::done(set).after(spent))
}

/// Reads a password.
pub fn password(body: &mut Fields, name: &str) -> Option<Secret<String>> {
    body.text(name, MAX_PASSWORD).map(Secret::new)
}
