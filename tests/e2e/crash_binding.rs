//! The Worker dies before each of its calls in turn while somebody binds, unbinds or changes something. However far it got:
//! the same request again ends in one holder, and what is given up somebody else can have.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    client::{Answer, Request, fresh_device, fresh_key, fresh_phone, get, post, random},
    crash::HOOK,
    emails,
    identities::{bind, came_back, fresh_person, log_in},
    leaks,
    login::{access_token, sign_in},
    numbers,
    stack::{self, Stack},
    story,
};

/// More calls than any of these requests makes.
const MOST_STEPS: u64 = 30;
/// Other objects learn of it by the outbox, whose second try comes after two seconds, the third four later.
const OUTBOX: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);
/// Another code may be asked for.
const NEXT_CODE: Duration = Duration::from_millis(1100);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("crash: at every step of binding a user name, the repeat binds it", async || {
            at_every_step("binding a user name", username).await;
        }),
        story("crash: at every step of binding a user name, it is bound or it is free", async || {
            at_every_step("binding a user name, once", left_alone).await;
        }),
        story("crash: at every step of binding an address, the repeat binds it", async || {
            at_every_step("binding an address", email).await;
        }),
        story(
            "crash: at every step of binding a third party with two names, both lead to one account",
            async || {
                at_every_step("binding a third party", third_party).await;
            },
        ),
        story("crash: at every step of unbinding, what was unbound is free", async || {
            at_every_step("unbinding", unbind).await;
        }),
        story(
            "crash: at every step of changing the number, there is one number and the old one is free",
            async || {
                at_every_step("changing the number", number).await;
            },
        ),
        story(
            "crash: at every step of registering by a third party and a number, both lead to one account",
            async || {
                at_every_step("registering", registration).await;
            },
        ),
    ]
}

/// Tells it with a crash before the first call, then before the second, until the request is answered.
async fn at_every_step(what: &str, tell: impl AsyncFn(&Stack, &Crash) -> bool) {
    let stack = stack::unwinding();
    let mut step = 0;
    while !tell(stack, &Crash(format!("crash-{step}"))).await {
        step += 1;
        assert!(step < MOST_STEPS, "{what} never ends");
    }
    assert!(step > 0, "{what} was not broken off");
    eprintln!("{what}: broken off before each of {step} calls");
}

/// Before which call.
struct Crash(String);

impl Crash {
    /// Sends a request that is broken off there; whether it was answered all the same.
    async fn hits(&self, request: Request) -> bool {
        let answer = request.header(HOOK, &self.0).send().await;
        let is_answered = [200, 204].contains(&answer.status);
        if !is_answered {
            answer.problem(500, "internal");
        }
        is_answered
    }
}

async fn two(stack: &Stack) -> [Value; 2] {
    [sign_in(stack, &fresh_phone("147")).await, sign_in(stack, &fresh_phone("147")).await]
}

fn fresh_name() -> Value {
    let name = format!(
        "user.{}",
        random::<12>().map(|byte| char::from(b'a' + byte % 26)).iter().collect::<String>()
    );
    leaks::note("user name", &name);
    json!({ "username": name })
}

fn binding(stack: &Stack, login: &Value, kind: &str, body: &Value) -> Request {
    post(stack, &format!("/v1/account/identities/{kind}"), body).bearer(access_token(login))
}

fn unbinding(stack: &Stack, login: &Value, kind: &str) -> Request {
    let path = format!("/v1/account/identities/{kind}");
    Request::new(stack, Method::DELETE, &path).bearer(access_token(login))
}

/// How many of a kind somebody has.
async fn has(stack: &Stack, login: &Value, kind: &str) -> usize {
    let list = get(stack, "/v1/account/identities").bearer(access_token(login)).send().await.ok();
    list["identities"].as_array().unwrap().iter().filter(|identity| identity["kind"] == kind).count()
}

fn must_be_done(answer: &Answer) {
    assert_eq!(answer.status, 204, "{}", answer.summary());
}

/// Binds what was given up: before its handle has heard of that, it is still in use. So it is while a claim that was lost has won
/// after all, by the outbox of whoever was told so, until that is taken back.
async fn must_be_free(code: &str, bind: impl AsyncFn() -> Answer) {
    let began = Instant::now();
    loop {
        let answer = bind().await;
        if answer.status == 204 {
            return;
        }
        answer.problem(409, code);
        assert!(began.elapsed() < OUTBOX, "still not free");
        sleep(POLL).await;
    }
}

async fn username(stack: &Stack, crash: &Crash) -> bool {
    let [owner, other] = two(stack).await;
    let name = fresh_name();
    let is_answered = crash.hits(binding(stack, &owner, "username", &name)).await;
    must_be_done(&binding(stack, &owner, "username", &name).send().await);
    assert_eq!(has(stack, &owner, "username").await, 1);
    binding(stack, &other, "username", &name).send().await.problem(409, "identity_in_use");
    must_be_done(&unbinding(stack, &owner, "username").send().await);
    must_be_free("identity_in_use", async || binding(stack, &other, "username", &name).send().await).await;
    assert_eq!((has(stack, &owner, "username").await, has(stack, &other, "username").await), (0, 1));
    is_answered
}

/// Nobody repeats it. The account and the handle come to agree.
async fn left_alone(stack: &Stack, crash: &Crash) -> bool {
    let [owner, other] = two(stack).await;
    let name = fresh_name();
    let is_answered = crash.hits(binding(stack, &owner, "username", &name)).await;
    let is_taken = match binding(stack, &other, "username", &name).send().await {
        answer if answer.status == 204 => false,
        answer => answer.problem(409, "identity_in_use").is_object(),
    };
    let began = Instant::now();
    while has(stack, &owner, "username").await != usize::from(is_taken) {
        assert!(began.elapsed() < OUTBOX, "half bound");
        sleep(POLL).await;
    }
    assert_eq!(has(stack, &other, "username").await, usize::from(!is_taken));
    // Nor does an intention stand in the way of another name.
    let another = if is_taken { &other } else { &owner };
    must_be_done(&binding(stack, another, "username", &fresh_name()).send().await);
    is_answered
}

async fn email(stack: &Stack, crash: &Crash) -> bool {
    let [owner, other] = two(stack).await;
    let address = emails::fresh_address();
    let key = fresh_key();
    let body = emails::code_for(stack, access_token(&owner), &address, "bind").await;
    let is_answered = crash.hits(binding(stack, &owner, "email", &body).key(&key)).await;
    must_be_done(&binding(stack, &owner, "email", &body).key(&key).send().await);
    assert_eq!(has(stack, &owner, "email").await, 1);
    let with_a_code = async || {
        sleep(NEXT_CODE).await;
        let body = emails::code_for(stack, access_token(&other), &address, "bind").await;
        binding(stack, &other, "email", &body).send().await
    };
    with_a_code().await.problem(409, "identity_in_use");
    must_be_done(&unbinding(stack, &owner, "email").send().await);
    must_be_free("identity_in_use", with_a_code).await;
    assert_eq!((has(stack, &owner, "email").await, has(stack, &other, "email").await), (0, 1));
    is_answered
}

async fn third_party(stack: &Stack, crash: &Crash) -> bool {
    let [owner, other] = two(stack).await;
    let subject = fresh_person();
    let person = json!({ "subject": subject, "unionid": format!("o6_{subject}") });
    // The same person, known by the narrower of the two names only.
    let alone = json!({ "subject": subject });
    let come_back = async |login: &Value, hook: Option<&Crash>| {
        let (body, own) = came_back(stack, "wechat", "default", person.clone()).await;
        let request = binding(stack, login, "wechat", &body).header("x-onetap-device", &own);
        match hook {
            Some(crash) => crash.hits(request).await,
            None => {
                must_be_done(&request.send().await);
                true
            }
        }
    };
    let leads_to = async |login: &Value| {
        for name in [&person, &alone] {
            let found = log_in(stack, "wechat", "default", name.clone()).await.ok();
            assert_eq!(found["account"]["id"], login["account"]["id"], "{}", name.as_object().unwrap().len());
        }
    };
    let is_answered = come_back(&owner, Some(crash)).await;
    // The code is spent: who repeats it comes back with another.
    come_back(&owner, None).await;
    assert_eq!(has(stack, &owner, "wechat").await, 1);
    leads_to(&owner).await;
    let bind = async || {
        let (body, own) = came_back(stack, "wechat", "default", person.clone()).await;
        binding(stack, &other, "wechat", &body).header("x-onetap-device", &own).send().await
    };
    bind().await.problem(409, "identity_in_use");
    must_be_done(&unbinding(stack, &owner, "wechat").send().await);
    must_be_free("identity_in_use", bind).await;
    // Of two names that are given up one may be free before the other.
    come_back(&other, None).await;
    assert_eq!((has(stack, &owner, "wechat").await, has(stack, &other, "wechat").await), (0, 1));
    leads_to(&other).await;
    is_answered
}

async fn unbind(stack: &Stack, crash: &Crash) -> bool {
    let [owner, other] = two(stack).await;
    let name = fresh_name();
    must_be_done(&binding(stack, &owner, "username", &name).send().await);
    let is_answered = crash.hits(unbinding(stack, &owner, "username")).await;
    let repeat = unbinding(stack, &owner, "username").send().await;
    if repeat.status != 204 {
        repeat.problem(404, "not_found");
    }
    assert_eq!(has(stack, &owner, "username").await, 0);
    must_be_free("identity_in_use", async || binding(stack, &other, "username", &name).send().await).await;
    assert_eq!(has(stack, &other, "username").await, 1);
    binding(stack, &owner, "username", &name).send().await.problem(409, "identity_in_use");
    is_answered
}

async fn number(stack: &Stack, crash: &Crash) -> bool {
    let [old, new] = ["147", "147"].map(fresh_phone);
    let owner = sign_in(stack, &old).await;
    let other = sign_in(stack, &fresh_phone("147")).await;
    let key = fresh_key();
    let body = json!({ "numberProof": numbers::otp(stack, &owner, &new, "change_phone").await });
    let changing = || {
        let request = Request::new(stack, Method::PUT, numbers::PHONE).json(&body);
        request.bearer(access_token(&owner)).key(&key)
    };
    let is_answered = crash.hits(changing()).await;
    must_be_done(&changing().send().await);
    assert_eq!(numbers::account(stack, &owner).await["phone"], numbers::masked(&new));
    assert_eq!(has(stack, &owner, "phone").await, 1);
    numbers::to(stack, &other, &new).await.problem(409, "phone_in_use");
    assert_eq!(sign_in(stack, &new).await["account"]["id"], owner["account"]["id"]);
    must_be_free("phone_in_use", async || numbers::to(stack, &other, &old).await).await;
    assert_eq!(sign_in(stack, &old).await["account"]["id"], other["account"]["id"]);
    is_answered
}

async fn registration(stack: &Stack, crash: &Crash) -> bool {
    let phone = fresh_phone("147");
    let person = json!({ "subject": fresh_person() });
    // Code and credential are spent: who repeats it has others.
    let registering = async || {
        let (mut body, own) = came_back(stack, "wechat", "default", person.clone()).await;
        body["device"] = fresh_device();
        body["numberProof"] = numbers::one_tap(stack, &phone).await;
        post(stack, "/v1/identities/wechat/login", &body).header("x-onetap-device", &own)
    };
    let is_answered = crash.hits(registering().await).await;
    let login = registering().await.send().await.ok();
    assert_eq!((has(stack, &login, "wechat").await, has(stack, &login, "phone").await), (1, 1));
    let by_number = sign_in(stack, &phone).await;
    let by_identity = log_in(stack, "wechat", "default", person.clone()).await.ok();
    assert_eq!(by_number["account"]["id"], login["account"]["id"]);
    assert_eq!(by_identity["account"]["id"], login["account"]["id"]);
    let other = sign_in(stack, &fresh_phone("147")).await;
    bind(stack, &other, "wechat", person).await.problem(409, "identity_in_use");
    is_answered
}
