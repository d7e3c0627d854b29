//! Third-party login, up to the person that a third party knows. What account they have is another story.

mod accounts;
mod bindings;
mod openid;
mod proofs;
mod refusals;

use onetap::{
    journeys::{
        Failure,
        claim::{Attempt, IdempotencyKey},
        identity_exchange::{IdentityCode, ProvenIdentity},
        provider::Caller,
        spent::Spent,
    },
    kernel::secret::Secret,
    model::{
        platform::Platform,
        refusal::{Code, Fallback, Refusal},
    },
};

use crate::world::{
    Answer, World,
    client::at_once,
    identities::{BACK, Person, XIAOMING, world},
};

/// What an app binds its logins to.
const OWN: &str = "Zk7Qp2LmXw9TbR4sVn6YcA";

/// A code and what goes with it.
#[derive(Clone)]
struct Login {
    kind: &'static str,
    app: &'static str,
    platform: Platform,
    code: String,
    state: Option<String>,
    back: Option<&'static str>,
    own: Option<&'static str>,
    key: Option<&'static str>,
}

impl Login {
    /// Of an app's SDK.
    fn native(kind: &'static str, app: &'static str, code: String) -> Self {
        Self { kind, app, platform: Platform::Ios, code, state: None, back: None, own: None, key: None }
    }

    fn prove(&self, world: &World) -> Result<ProvenIdentity, Failure> {
        self.prove_and_spend(world).0
    }

    fn prove_and_spend(&self, world: &World) -> (Result<ProvenIdentity, Failure>, Spent) {
        let key = self.key.map(|key| IdempotencyKey::parse(key).unwrap());
        let (code, own) = (Secret::new(self.code.clone()), self.own.map(|own| Secret::new(own.to_owned())));
        let caller =
            Caller { app: self.app, platform: self.platform, address: "203.0.113.7", request_id: "req_1" };
        let code = IdentityCode {
            kind: self.kind,
            code: &code,
            state: self.state.as_deref(),
            redirect_uri: self.back,
            binding: own.as_ref(),
            attempt: Attempt { key: key.as_ref(), request: b"body" },
        };
        let mut spent = Spent::default();
        let service = world.service();
        let result = at_once(service.prove_identity(&code, &caller, &mut spent)).expect("the service hangs");
        (result, spent)
    }

    #[track_caller]
    fn proven(&self, world: &World) -> ProvenIdentity {
        self.prove(world).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    #[track_caller]
    fn is_refused(&self, world: &World) {
        assert_eq!(refusal(self.prove(world)).code, Code::InvalidCredentials);
    }

    #[track_caller]
    fn is_unavailable(&self, world: &World) {
        let refusal = refusal(self.prove(world));
        assert_eq!((refusal.code, refusal.fallback), (Code::IdentityUnavailable, Some(Fallback::Otp)));
    }
}

#[track_caller]
fn refusal(result: Result<ProvenIdentity, Failure>) -> Refusal {
    match result {
        Err(Failure::Refusal(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Somebody whom a third party knows, and who has nothing else.
pub(super) fn log_in(world: &World, kind: &'static str) -> Answer {
    accounts::log_in(world, kind, "default", XIAOMING).signed_in()
}

/// Somebody's code, to be bound.
pub(super) fn body_to_bind(world: &World, kind: &'static str) -> serde_json::Value {
    accounts::bind_body(world, kind, XIAOMING)
}

/// Somebody's code, to sign in with.
pub(super) fn body_to_log_in(world: &World, kind: &'static str) -> serde_json::Value {
    accounts::body(world, kind, "default", XIAOMING)
}

fn authorize(world: &World, kind: &str, app: &str) -> Answer {
    let path = format!("/v1/identities/{kind}/authorize?app={app}&redirectUri={BACK}");
    world.get(&path).header("x-onetap-device", OWN).send()
}

/// Somebody signs in in a browser.
fn sign_in(world: &World, kind: &'static str, app: &'static str, person: Person) -> Login {
    let departure = authorize(world, kind, app);
    assert_eq!(departure.status, 200, "{}", departure.body);
    let code = world.third_parties.agree(departure.text("/url"), person);
    let state = Some(departure.text("/state").to_owned());
    Login { kind, app, platform: Platform::Web, code, state, back: Some(BACK), own: Some(OWN), key: None }
}

#[test]
fn every_third_party_says_who_it_is() {
    let world = world();
    for (kind, subject, avatar) in [
        ("wechat", "o:wx-default:oMing@wx-default", "https://thirdwx.qlogo.cn/ming/132"),
        ("qq", "o:101:oMing@101", "https://q.example/1"),
        ("weibo", "u:oMing", "https://thirdwx.qlogo.cn/ming/132"),
        ("corp", "o:https://issuer.example/oidc oMing", "https://thirdwx.qlogo.cn/ming/132"),
    ] {
        let identity = sign_in(&world, kind, "default", XIAOMING).proven(&world);
        assert_eq!((identity.kind.as_str(), identity.subjects.as_slice()), (kind, &[subject.to_owned()][..]));
        let shown = (identity.display_name.as_deref(), identity.avatar_url.as_deref());
        assert_eq!(shown, (Some("小明"), Some(avatar)), "{kind}");
        assert!(!format!("{identity:?}").contains("Ming"));
    }
}

#[test]
fn the_apps_of_one_developer_share_a_person_only_with_a_unionid() {
    let world = world();
    let subjects = |app, person| sign_in(&world, "wechat", app, person).proven(&world).subjects;
    let alone = [subjects("default", XIAOMING), subjects("shop", XIAOMING)];
    assert!(alone[0].iter().all(|subject| !alone[1].contains(subject)), "{alone:?}");
    let joined = Person { union: Some("uMing"), ..XIAOMING };
    let [one, other] = [subjects("default", joined), subjects("shop", joined)];
    assert_eq!((one[0].as_str(), &one[0]), ("u:uMing", &other[0]));
    // Who was known to the app before it was joined to others still is.
    assert_eq!((one.last(), other.last()), (alone[0].last(), alone[1].last()));
    let qq = sign_in(&world, "qq", "default", joined).proven(&world).subjects;
    assert_eq!(qq, ["u:UID_uMing", "o:101:oMing@101"]);
}

#[test]
fn an_apps_sdk_needs_no_browser_where_the_account_says_so() {
    let world = world();
    let code = world.third_parties.native("wx-shop-app", XIAOMING);
    let identity = Login::native("wechat", "shop", code).proven(&world);
    assert_eq!(identity.subjects, ["o:wx-shop-app:oMing@wx-shop-app"]);
    // The other accounts take only codes that they have sent a browser for.
    let code = world.third_parties.native("wx-default", XIAOMING);
    let refused = refusal(Login::native("wechat", "default", code).prove(&world));
    assert_eq!((refused.code, refused.fields[0].name.as_str()), (Code::InvalidRequest, "state"));
    // A code of the page is none of the app's.
    let page = sign_in(&world, "wechat", "shop", XIAOMING);
    Login::native("wechat", "shop", page.code).is_refused(&world);
}

#[test]
fn a_profile_that_fails_keeps_nobody_out() {
    for kind in ["wechat", "qq", "weibo", "corp"] {
        let world = world();
        world.third_parties.break_it("profile");
        let identity = sign_in(&world, kind, "default", XIAOMING).proven(&world);
        assert_eq!(
            (identity.subjects.len(), identity.display_name, identity.avatar_url),
            (1, None, None),
            "{kind}"
        );
    }
}

#[test]
fn names_and_pictures_are_made_fit_to_be_shown() {
    let world = world();
    let shown = |name, avatar| {
        let identity =
            sign_in(&world, "weibo", "default", Person { name, avatar, ..XIAOMING }).proven(&world);
        (identity.display_name, identity.avatar_url)
    };
    assert_eq!(shown(" a\u{7}b\n", "javascript:alert(1)"), (Some("ab".to_owned()), None));
    assert_eq!(shown(" \t", "https://a.example/\"onload="), (None, None));
    let long: &str = Box::leak("长".repeat(100).into_boxed_str());
    assert_eq!(shown(long, "https://").0.unwrap().chars().count(), 64);
}

#[test]
fn a_repeat_gets_the_reply_of_the_first() {
    let world = world();
    let login = Login { key: Some(OWN), ..sign_in(&world, "wechat", "default", XIAOMING) };
    let (first, mut spent) = login.prove_and_spend(&world);
    assert!(first.is_ok());
    let claim = spent.claims.pop().unwrap();
    assert_eq!(refusal(login.prove(&world)).code, Code::TryAgain);
    at_once(world.service().keep_reply(claim, b"kept")).unwrap().unwrap();
    // Also when its state is over by now.
    world.pass(std::time::Duration::from_secs(60));
    match login.prove(&world) {
        Err(Failure::Answered(reply)) => assert_eq!(reply.expose(), b"kept"),
        other => panic!("{other:?}"),
    }
    let other = Login { key: Some("AcY6nVs4RbT9wXmL2pQ7kZ"), ..login.clone() };
    other.is_refused(&world);
    Login { key: None, ..login }.is_refused(&world);
    assert_eq!(world.third_parties.times_asked("/sns/oauth2/access_token"), 1);
}
