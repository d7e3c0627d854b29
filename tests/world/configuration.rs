//! The configuration of the world: invented keys and accounts, read as the edge reads them.

use data_encoding::BASE64URL_NOPAD;
use onetap::{journeys::settings::Settings, kernel::digest::sha256};
use serde_json::{Value, json};

/// `iss` of the world's access tokens.
pub(crate) const ISSUER: &str = "https://login.example";

/// Secret of the world's Flash V2 account.
pub(crate) const FLASH_APP_KEY: &str = "Zk7Qp2LmXw9T";

/// Secret of the world's China Mobile account.
pub(crate) const CMCC_APP_KEY: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F9";

/// The symmetric secrets of the world: setting and bytes.
pub(crate) fn secrets() -> Vec<(&'static str, [u8; 32])> {
    ["SEALING_KEYS", "MAC_KEYS", "DIGEST_KEYS"].map(|name| (name, sha256(name.as_bytes()))).to_vec()
}

/// The settings, where `setting` has the first word.
pub(super) fn read(setting: impl Fn(&str) -> Option<String>) -> Settings {
    Settings::read(|name| setting(name).or_else(|| usual(name))).unwrap()
}

/// What is wrong with the settings, where `setting` has the first word.
pub(crate) fn problems(setting: impl Fn(&str) -> Option<String>) -> Vec<String> {
    Settings::read(|name| setting(name).or_else(|| usual(name))).unwrap_err()
}

fn usual(name: &str) -> Option<String> {
    let oct = |alg: &str| {
        let (_, key) = secrets().into_iter().find(|(known, _)| *known == name).unwrap();
        keys(&json!({"kty": "oct", "alg": alg, "kid": "k1", "k": BASE64URL_NOPAD.encode(&key)}))
    };
    match name {
        "ISSUER" => Some(ISSUER.to_owned()),
        "APPS" => Some("default,shop".to_owned()),
        // The key pair of RFC 8037 appendix A.
        "SIGNING_KEYS" => Some(keys(&json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "s1",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        }))),
        "SEALING_KEYS" => Some(oct("A256GCM")),
        "MAC_KEYS" | "DIGEST_KEYS" => Some(oct("HS256")),
        "PROVIDER_ACCOUNTS" => Some(accounts().to_string()),
        _ => None,
    }
}

/// The usual accounts with providers, and one more for each of `more`.
pub(crate) fn accounts_and(more: &[Value]) -> String {
    let usual = accounts();
    Value::from_iter(usual.as_array().unwrap().iter().chain(more).cloned()).to_string()
}

/// Password of the world's account with a vendor of messages.
pub(crate) const SMS_PASSWORD: &str = "InventedPassword1";

fn accounts() -> Value {
    let cmcc = json!({"appId": "300012345678", "appSecret": "4E6F7441526561C5", "appKey": CMCC_APP_KEY});
    let aliyun = json!({"accessKeyId": "LTAIexample", "accessKeySecret": "notARealSecret0123456789"});
    let flash = json!({"appId": "aB3dE6gH", "appKey": FLASH_APP_KEY});
    let chuanglan = json!({"account": "N1234567", "password": SMS_PASSWORD});
    let twilio = json!({"accountSid": "AC00000000000000000000000000000001", "authToken": "0123456789abcdef",
        "from": "+15005550006"});
    let turnstile = json!({"siteKey": "0x4AAAAAAA", "secretKey": "0x4AAAAAAAsecret"});
    json!([
        {"provider": "chuanglan_sms", "settings": chuanglan},
        {"provider": "twilio", "weight": 0, "settings": twilio},
        {"provider": "resend", "settings": {"apiKey": "re_invented", "from": "Onetap <code@login.example>"}},
        {"provider": "aliyun_email", "weight": 0, "settings": {"accessKeyId": "LTAIexample",
            "accessKeySecret": "notARealSecret0123456789", "accountName": "code@login.example"}},
        {"provider": "turnstile", "platforms": ["web"], "settings": turnstile},
        {"provider": "cmcc", "settings": cmcc},
        {"provider": "cmcc", "app": "shop", "settings": cmcc},
        {"provider": "aliyun", "settings": aliyun},
        {"provider": "flash_v2", "platforms": ["ios", "android"], "settings": flash}
    ])
}

fn keys(key: &Value) -> String {
    json!({"keys": [key]}).to_string()
}
