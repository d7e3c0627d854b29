//! After a whole day of business nothing personal stands anywhere: not in objects, edge copies, tables, metrics
//! or log lines.

use std::time::Duration;

use onetap::kernel::http::HttpFailure;
use serde_json::json;

use crate::world::{
    Broken, Port, World,
    client::{DEVICE_NAME, PUSH_TOKEN, device, device_with, login_body},
    provider::Script,
};

const PHONES: [&str; 3] = ["13800138000", "13900139000", "19912345678"];
const FRIEND: &str = "18612345678";
const ANOTHER: &str = "17712345678";
const ADDRESSES: [&str; 3] = ["daiyu.lin@mail.example", "baoyu.jia@mail.example", "xifeng.wang@mail.example"];
const KEYS: [&str; 2] = ["Zk7Qp2LmXw9TbR4sVn6YcA", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"];

/// Does everything that can be done, and returns the secrets that the service gave out.
fn a_day(world: &World) -> Vec<String> {
    let mut given = Vec::new();
    let backend = world.api_key("crm", &["one_tap:exchange", "phone:read"]);
    for (phone, key) in PHONES.iter().zip(KEYS.iter().cycle()) {
        // Login, repeat, refused repeats, a second day on the same device.
        let token = world.providers.token(phone);
        let login = world.log_in_with(&token).key(key).send().signed_in();
        world.log_in_with(&token).key(key).send().signed_in();
        world.log_in_with(&token).send().falls_back(422, "one_tap_rejected");
        world.run_alarms();
        world.pass(Duration::from_secs(86_400));
        let mut body = login_body("flash_v2", &world.providers.token(phone));
        body["device"] = device_with(login.text("/device/token"));
        let second = world.post("/v1/one-tap/login", &body).send().signed_in();
        // Checks that match and do not, an exchange, a read, a report.
        for checked in PHONES {
            let credential = json!({"provider": "cmcc", "token": world.providers.token(phone)});
            let check = json!({"credential": credential, "phone": checked, "platform": "ios"});
            world.post("/v1/one-tap/check", &check).send();
            let credential = json!({"provider": "aliyun", "token": world.providers.token(phone)});
            let login =
                json!({"mode": "check", "credential": credential, "phone": checked, "device": device()});
            world.post("/v1/one-tap/login", &login).key(key).send();
        }
        let credential = json!({"provider": "flash_v2", "token": world.providers.token(phone)});
        let exchange = json!({"credential": credential, "platform": "ios"});
        let exchange =
            world.post("/v1/one-tap/exchange", &exchange).bearer(&backend).header("x-request-id", phone);
        assert_eq!(exchange.send().status, 200);
        let read = world.get(&format!("/v1/accounts/{}/phone", login.text("/account/id")));
        assert_eq!(read.bearer(&backend).header("x-request-id", &format!("0086{phone}")).send().status, 200);
        // A trusted phone, and another number, there and back.
        let bearer = second.text("/session/accessToken");
        for (method, path, number) in [
            ("POST", "/v1/account/trusted-phones", FRIEND),
            ("PUT", "/v1/account/phone", ANOTHER),
            ("PUT", "/v1/account/phone", *phone),
        ] {
            let token = world.providers.token(number);
            let number = json!({"type": "one_tap", "credential": {"provider": "cmcc", "token": token}});
            let body = json!({"numberProof": number});
            let ask = if method == "PUT" { world.put(path, &body) } else { world.post(path, &body) };
            let done = ask.bearer(bearer).send();
            assert!([201, 204].contains(&done.status), "{}", done.body);
            world.run_alarms();
        }
        let report = json!({"sdkCode": "1", "phone": phone, "device": device()});
        world.post("/v1/one-tap/failures", &report).send().falls_back(422, "one_tap_rejected");
        // What fails: providers that echo the number, bodies and paths that hold it, crashes.
        let echo = json!({"resultCode": phone, "resultDesc": phone}).to_string();
        let scripts = [
            Script::Says(200, echo),
            Script::Says(200, (*phone).to_owned()),
            Script::Fails(HttpFailure::TimedOut),
        ];
        for script in scripts {
            world.log_in_with(&world.providers.token_that(script)).key(key).send();
        }
        world.post("/v1/one-tap/login", &json!({*phone: 1, "phone": phone})).send();
        world.get(&format!("/v1/accounts/{phone}/phone?phone={phone}")).bearer(&backend).send();
        for (port, way) in [(Port::Handle, Broken::DiesAfter), (Port::Account, Broken::AnswerLost)] {
            world.faults.break_call(port, 0, way);
            let _ = world.log_in_with(&world.providers.token(phone)).key(key).try_send();
        }
        let refresh = json!({"refreshToken": login.text("/session/refreshToken")});
        let refreshed = world.post("/v1/session/refresh", &refresh).send();
        given.push(login.text("/device/token").to_owned());
        for answer in [&login, &second, &refreshed] {
            given.push(answer.text("/session/accessToken").to_owned());
            given.push(answer.text("/session/refreshToken").to_owned());
        }
    }
    world.run_alarms();
    given.push(backend);
    given.extend(an_account_of_its_own(world));
    given
}

/// Profile, user name and password, and what is made of them.
fn an_account_of_its_own(world: &World) -> Vec<String> {
    let login = world.login(PHONES[0]).signed_in();
    let bearer = login.text("/session/accessToken");
    let said = ["林黛玉潇湘馆", "https://cdn.example.com/daiyu.png", "daiyu.1759", "burial-of-flowers"];
    let [name, url, username, password] = said;
    let profile = json!({"displayName": name, "avatarUrl": url, "locale": "zh-CN"});
    assert_eq!(world.patch("/v1/account", &profile).bearer(bearer).send().status, 204);
    let bind = json!({"username": username});
    assert_eq!(world.post("/v1/account/identities/username", &bind).bearer(bearer).send().status, 204);
    let set = json!({"newPassword": password});
    assert_eq!(world.put("/v1/account/password", &set).bearer(bearer).send().status, 204);
    // What the app knows, and who comes from elsewhere by name.
    let keys = ["account:facts", "account:friends", "account:import"];
    let app = world.api_key("app", &keys);
    let question = json!({"zh": "最常收货的城市", "en": "Where were you born?"});
    let fact = json!({"kind": "city", "question": question, "answer": "乌鲁木齐"});
    let path = format!("/v1/accounts/{}/facts", login.text("/account/id"));
    for answer in [fact.clone(), json!({"kind": "city", "question": question, "answer": "铁岭莲花池"})] {
        world.put(&path, &json!({"facts": [answer, fact]})).bearer(&app).header("x-request-id", name).send();
    }
    let real = json!({"state": "verified", "name": "贾宝玉怡红院", "idNumber": "11010519491231002X"});
    for phone in ["13700137000", PHONES[0]] {
        let mut ask =
            world.post("/v1/import", &json!({"externalId": phone, "phone": phone, "realName": real}));
        ask = ask.header("content-type", "application/x-ndjson").bearer(&app);
        assert_eq!(ask.send().status, 200);
    }
    // Addresses that are bound, refused, and nobody's; vendors that echo them.
    for (address, code) in
        [(ADDRESSES[0], None), (ADDRESSES[1], Some("000000")), (ADDRESSES[2], Some("000001"))]
    {
        let body = json!({"email": address, "purpose": "bind", "device": device()});
        let sent = world.post("/v1/otp/send", &body).bearer(bearer).header("x-request-id", address).send();
        let code = code.map_or_else(|| world.phones.mailed_code(address), str::to_owned);
        let body = json!({"challengeId": sent.text("/challengeId"), "code": code});
        world.post("/v1/account/identities/email", &body).bearer(bearer).send();
        let body = json!({"identifier": address, "password": password, "device": device()});
        world.post("/v1/password/login", &body).send();
        world
            .post("/v1/otp/send", &json!({address: 1, "email": format!(" {address}x")}))
            .bearer(bearer)
            .send();
    }
    for typed in [password, "another-password"] {
        let body = json!({"identifier": username, "password": typed, "device": device()});
        world.post("/v1/password/login", &body).send();
    }
    world.run_alarms();
    let typed = [username, password, "another-password"].map(str::to_uppercase);
    let known = [
        "最常收货的城市",
        "Where were you born?",
        "乌鲁木齐",
        "铁岭莲花池",
        "贾宝玉怡红院",
        "11010519491231002X",
    ];
    said.iter()
        .chain(&known)
        .map(|text| (*text).to_owned())
        .chain(["another-password".to_owned()])
        .chain(typed)
        .collect()
}

#[test]
fn nothing_personal_is_kept_in_the_clear() {
    let world = World::new();
    let given = a_day(&world);
    let mut secrets: Vec<String> = PHONES.iter().chain(&KEYS).map(|text| (*text).to_owned()).collect();
    secrets.extend(
        ADDRESSES
            .iter()
            .flat_map(|address| [(*address).to_owned(), address.split('@').next().unwrap().to_owned()]),
    );
    secrets.extend([FRIEND.to_owned(), ANOTHER.to_owned(), DEVICE_NAME.to_owned(), PUSH_TOKEN.to_owned()]);
    secrets.extend(world.providers.tokens());
    secrets.extend(given);
    assert!(secrets.len() > 60, "{}", secrets.len());
    for secret in &secrets {
        assert_eq!(world.places_of(secret), [""; 0], "{secret}");
    }
}

#[test]
fn nothing_that_looks_like_a_mobile_number_is_kept_either() {
    let world = World::new();
    a_day(&world);
    for (place, text) in world.dump() {
        for run in text.split(|c: char| !c.is_ascii_digit()) {
            let national = if run.len() == 13 { run.strip_prefix("86") } else { Some(run) };
            let looks = national.is_some_and(|digits| digits.len() == 11 && digits.starts_with('1'));
            assert!(!looks, "{run} in {place}");
        }
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let world = World::new();
    let login = world.login(PHONES[0]).signed_in();
    world.run_alarms();
    // Ids are everywhere, plain; the digest of a device token stands in base64.
    assert!(world.places_of(login.text("/account/id")).len() >= 3);
    assert!(!world.places_of("one_tap").is_empty());
    world.objects.plant("note", &data_encoding::BASE64.encode(b"call 13800138000 back"));
    assert_eq!(world.places_of(PHONES[0]), ["note"]);
}
