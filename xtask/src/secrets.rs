//! Makes keys: for production (printed once, kept nowhere) and for development (`.dev.vars`, made once, never committed).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXUPPER};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::shell::{root, say, write_private};

/// Limits for development.
const RELAXED: &str = "\
    # Whoever develops asks for many codes and redeems few: the guard against pumping looks away.\n\
    PUMPING_PREFIX_MIN_SENDS=1000\n\
    PUMPING_COUNTRY_MIN_SENDS=100000\n";

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Where the sandbox listens when nobody says otherwise.
pub(crate) const SANDBOX: &str = "http://127.0.0.1:8788";

/// Stands in 【】 before the texts of development.
const SIGN_NAME: &str = "一键登录";

/// Whom development mails are from.
const MAIL_FROM: &str = "code@login.example";

/// Prints fresh production secrets as the JSON object that `wrangler secret bulk` takes.
pub(crate) fn print_production() -> Result<()> {
    let mut secrets = serde_json::Map::new();
    for (name, value) in key_sets()? {
        secrets.insert(name.to_owned(), Value::String(value.to_string()));
    }
    say(
        "fresh keys for production: keep them in a vault (they cannot be read back, and rotation needs them), then `npx wrangler secret bulk FILE`",
    );
    say(
        "never put them again over keys in use: sealed numbers would be lost and everybody signed out; to rotate, add a key to a set",
    );
    say(
        "the vendors' credentials go in by hand: `npx wrangler secret put PROVIDER_ACCOUNTS`, a JSON array as in .dev.vars",
    );
    println!("{}", serde_json::to_string_pretty(&secrets)?);
    Ok(())
}

/// Where development settings stand; wrangler reads this file by itself.
pub(crate) fn dev_vars_path() -> PathBuf {
    root().join(".dev.vars")
}

/// Makes `.dev.vars` with random keys and invented vendor accounts, unless it exists.
pub(crate) fn ensure_dev_vars() -> Result<()> {
    let path = dev_vars_path();
    if path.exists() {
        return complete_accounts(&path);
    }
    say("making development secrets (.dev.vars)");
    let mut text = String::from(
        "# Made by `make setup`: random keys and invented vendor accounts for this machine only. Delete to make new ones.\n\
         ENVIRONMENT=development\n\
         ISSUER=http://127.0.0.1:8787\n\
         PROVIDER_BASE_URL=http://127.0.0.1:8788\n\
         APPS=default\n",
    );
    text.push_str(RELAXED);
    for (name, value) in key_sets()? {
        text.push_str(&format!("{name}='{value}'\n"));
    }
    text.push_str(&format!("RECEIPT_TOKEN={}\n", word(26)?));
    text.push_str(&webhooks()?);
    text.push_str(REDIRECTS);
    text.push_str(&format!("PROVIDER_ACCOUNTS='{}'\n", sandbox_accounts()?));
    write_private(&path, &text)
}

/// Adds the vendors that are missing to a file that an earlier version made; everything else in it stays.
fn complete_accounts(path: &Path) -> Result<()> {
    let text = fs::read_to_string(path).context("cannot read .dev.vars")?;
    let Some(line) = text.lines().find(|line| line.starts_with("PROVIDER_ACCOUNTS=")) else { return Ok(()) };
    let json = line.trim_start_matches("PROVIDER_ACCOUNTS=").trim_matches('\'');
    let Ok(Value::Array(mut accounts)) = serde_json::from_str(json) else { return Ok(()) };
    let has = |provider: &str| accounts.iter().any(|account| account["provider"] == provider);
    let relaxed = if has("chuanglan_sms") { "" } else { RELAXED };
    let webhooks =
        if text.lines().any(|line| line.starts_with("WEBHOOKS=")) { String::new() } else { webhooks()? };
    let redirects =
        if text.lines().any(|line| line.starts_with("IDENTITY_REDIRECTS=")) { "" } else { REDIRECTS };
    let has_all = ["wechat", "resend", "chuanglan_data"].into_iter().all(has);
    if has_all && webhooks.is_empty() && redirects.is_empty() {
        return Ok(());
    }
    say("adding what is missing to .dev.vars");
    for account in sandbox_accounts()?.as_array().into_iter().flatten() {
        if accounts.iter().all(|known| known["provider"] != account["provider"]) {
            accounts.push(account.clone());
        }
    }
    let completed = text.replace(line, &format!("PROVIDER_ACCOUNTS='{}'", Value::Array(accounts)));
    write_private(path, &format!("{completed}{relaxed}{webhooks}{redirects}"))
}

/// A page on this machine, as front-end tools serve it.
const REDIRECTS: &str = "IDENTITY_REDIRECTS=http://localhost:5173/back\n";

/// The sandbox as the backend that listens to webhooks.
fn webhooks() -> Result<String> {
    let secret = BASE64.encode(&entropy::<32>()?);
    let hooks = json!([{"url": format!("{SANDBOX}/sandbox/webhooks"), "secret": format!("whsec_{secret}")}]);
    Ok(format!("WEBHOOKS='{hooks}'\n"))
}

/// `bytes` of fresh entropy.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().context("the machine gives no entropy")?;
    Ok(bytes)
}

/// One fresh key of each set that the service demands.
fn key_sets() -> Result<[(&'static str, Value); 4]> {
    let seed = entropy::<32>()?;
    let public = SigningKey::from_bytes(&seed).verifying_key();
    let signing = json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": word(8)?,
        "x": BASE64URL_NOPAD.encode(public.as_bytes()), "d": BASE64URL_NOPAD.encode(&seed),
    }]});
    Ok([
        ("SIGNING_KEYS", signing),
        ("SEALING_KEYS", symmetric("A256GCM")?),
        ("MAC_KEYS", symmetric("HS256")?),
        ("DIGEST_KEYS", symmetric("HS256")?),
    ])
}

fn symmetric(algorithm: &str) -> Result<Value> {
    let key = BASE64URL_NOPAD.encode(&entropy::<32>()?);
    Ok(json!({"keys": [{"kty": "oct", "alg": algorithm, "kid": word(8)?, "k": key}]}))
}

/// Invented credentials in the shapes that the vendors give out; the sandbox is started with the same.
fn sandbox_accounts() -> Result<Value> {
    let account = |provider: &str, settings: Value| json!({"provider": provider, "app": "default", "settings": settings});
    let first = |provider: &str, settings: Value| with(account(provider, settings), json!({"weight": 1}));
    // Takes over when the vendors before it refuse. Templates are the vendors' own: here, any name will do.
    let reserve = |provider: &str, template: Option<&str>, settings: Value| {
        let entry = with(account(provider, settings), json!({"weight": 0}));
        match template {
            Some(template) => with(entry, json!({"templates": {"default": template}})),
            None => entry,
        }
    };
    let on = |platforms: &[&str], entry: Value| with(entry, json!({"platforms": platforms}));
    let hex = || -> Result<String> { Ok(HEXUPPER.encode(&entropy::<16>()?)) };
    Ok(json!([
        account("flash_v2", json!({"appId": word(8)?, "appKey": word(8)?})),
        account("flash_v1", json!({"appId": word(8)?, "appKey": word(8)?})),
        account("cmcc", json!({"appId": word(12)?, "appSecret": hex()?, "appKey": hex()?})),
        account("aliyun", json!({"accessKeyId": word(24)?, "accessKeySecret": word(30)?})),
        account("mobtech", json!({"appKey": word(13)?, "appSecret": hex()?.to_lowercase()})),
        first("chuanglan_sms", json!({"account": word(8)?, "password": word(16)?})),
        reserve(
            "chuanglan_sms_v2",
            Some("1000001"),
            json!({"account": word(10)?, "password": word(16)?, "signature": SIGN_NAME})
        ),
        reserve(
            "aliyun_sms",
            Some("SMS_100000001"),
            json!({"accessKeyId": word(24)?, "accessKeySecret": word(30)?, "signName": SIGN_NAME})
        ),
        reserve(
            "tencent_sms",
            Some("1000001"),
            json!({
                "secretId": word(36)?, "secretKey": word(32)?, "sdkAppId": "1400000001", "signName": SIGN_NAME, "region": "ap-guangzhou",
            })
        ),
        first("chuanglan_sms_intl", json!({"account": word(8)?, "password": word(16)?})),
        reserve(
            "twilio",
            None,
            json!({"accountSid": format!("AC{}", hex()?.to_lowercase()), "authToken": hex()?.to_lowercase(), "from": "+15005550006"})
        ),
        first("resend", json!({"apiKey": format!("re_{}", word(32)?), "from": MAIL_FROM})),
        reserve(
            "aliyun_email",
            None,
            json!({"accessKeyId": word(24)?, "accessKeySecret": word(30)?, "accountName": MAIL_FROM})
        ),
        reserve(
            "tencent_email",
            Some("100001"),
            json!({"secretId": word(36)?, "secretKey": word(32)?, "from": MAIL_FROM, "region": "ap-guangzhou"})
        ),
        on(&["web"], account("turnstile", json!({"siteKey": word(24)?, "secretKey": word(35)?}))),
        on(
            &["ios", "android", "harmony", "miniprogram"],
            account(
                "geetest",
                json!({"captchaId": hex()?.to_lowercase(), "captchaKey": hex()?.to_lowercase()})
            )
        ),
        account("jpush_risk", json!({"appKey": word(24)?, "masterSecret": word(24)?})),
        account("jpush_push", json!({"appKey": word(24)?, "masterSecret": word(24)?})),
        first("chuanglan_data", json!({"appId": word(12)?, "appSecret": word(32)?})),
        reserve(
            "aliyun_number",
            None,
            json!({
                "accessKeyId": word(24)?, "accessKeySecret": word(30)?, "authCode": word(10)?, "statusAuthCode": word(10)?,
            })
        ),
        with(
            account(
                "wechat",
                json!({"appId": format!("wx{}", word(16)?), "appSecret": hex()?.to_lowercase()})
            ),
            json!({"native": true})
        ),
        account("qq", json!({"appId": "101000001", "appKey": hex()?.to_lowercase(), "askUnionid": "1"})),
        account("weibo", json!({"appKey": word(10)?, "appSecret": hex()?.to_lowercase()})),
        // Whatever the host, it is reached at the sandbox.
        with(
            account(
                "oidc",
                json!({
                    "issuer": "https://issuer.example/oidc", "clientId": word(12)?, "clientSecret": word(32)?,
                    "scope": "openid profile",
                })
            ),
            json!({"kind": "corp"})
        ),
    ]))
}

/// An object with the fields of another added.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut object, more) {
        fields.extend(more);
    }
    object
}

/// A random word of letters and digits that cannot be misread.
fn word(length: usize) -> Result<String> {
    let letters = entropy::<64>()?.map(|byte| ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'x'));
    Ok(letters.iter().take(length).copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_the_shapes_the_service_demands() {
        for (name, set) in key_sets().unwrap() {
            let keys = set["keys"].as_array().unwrap();
            assert_eq!(keys.len(), 1, "{name}");
            let secret = keys[0].get("k").or(keys[0].get("d")).unwrap().as_str().unwrap();
            assert_eq!(BASE64URL_NOPAD.decode(secret.as_bytes()).unwrap().len(), 32, "{name}");
            assert_eq!(keys[0]["kid"].as_str().unwrap().len(), 8, "{name}");
        }
        assert_ne!(key_sets().unwrap(), key_sets().unwrap());
    }

    #[test]
    fn invented_accounts_fit_the_vendors_ciphers() {
        let accounts = sandbox_accounts().unwrap();
        let flash_v1 = accounts.as_array().unwrap().iter().find(|a| a["provider"] == "flash_v1").unwrap();
        assert_eq!(flash_v1["settings"]["appKey"].as_str().unwrap().len(), 8);
        let aliyun_sms = accounts.as_array().unwrap().iter().find(|a| a["provider"] == "aliyun_sms").unwrap();
        assert_eq!((&aliyun_sms["weight"], aliyun_sms["templates"].is_object()), (&json!(0), true));
        assert!(!accounts.to_string().contains('\''), "must stand in single quotes");
    }
}
