//! Tests of more than one file of this room.

mod accounts;
mod emails;
mod inquiries;
mod logins;
mod messages;
mod receipts;
mod replies;
mod requests;
mod rules;
mod signatures;

use serde_json::{Map, Value, json};

use crate::{
    kernel::{email::EmailAddress, phone::PhoneNumber, secret::Secret, time::Timestamp},
    model::platform::Platform,
};

use super::{Account, Call, Capability, Credential, Document, Inquiry, Mail, Message, find};

/// 2026-07-23T20:30:00Z, on the next day in China.
const SINCE: Timestamp = Timestamp::from_secs(1_784_838_600);

const NAME: &str = "王小明";

/// A provider, an account with it, and a credential that fits.
struct Bench {
    document: &'static Document,
    account: Account,
    credential: Credential,
    phone: PhoneNumber,
    address: EmailAddress,
    params: [(String, String); 2],
}

const TEXT: &str = "【Shop】您的验证码是271828，5分钟内有效。";

impl Bench {
    fn new(provider: &str) -> Self {
        let (settings, credential) = match provider {
            "flash_v1" => (
                json!({"appId": "aB3dE6gH", "appKey": "Zk7Qp2Lm"}),
                json!({"appId": "aB3dE6gH", "accessToken": "t", "telecom": "CMCC", "timestamp": "1", "randoms": "r",
                       "version": "2.0.6", "device": "d", "sign": "s"}),
            ),
            "flash_v2" => (json!({"appId": "aB3dE6gH", "appKey": "Zk7Qp2Lm"}), json!({"token": "A2-t"})),
            "cmcc" => (json!({"appId": "1", "appSecret": "s", "appKey": "k"}), json!({"token": "t"})),
            "aliyun" => (json!({"accessKeyId": "i", "accessKeySecret": "s"}), json!({"token": "t"})),
            "chuanglan_sms" | "chuanglan_sms_intl" => (json!({"account": "a", "password": "p"}), json!({})),
            "chuanglan_sms_v2" => (json!({"account": "a", "password": "p", "signature": "s"}), json!({})),
            "aliyun_sms" => (json!({"accessKeyId": "i", "accessKeySecret": "s", "signName": "n"}), json!({})),
            "tencent_sms" => (
                json!({"secretId": "i", "secretKey": "s", "sdkAppId": "1", "signName": "n", "region": "r"}),
                json!({}),
            ),
            "twilio" => (json!({"accountSid": "AC1", "authToken": "t", "from": "+15005550006"}), json!({})),
            "aliyun_email" => (
                json!({"accessKeyId": "i", "accessKeySecret": "s", "accountName": "code@shop.example"}),
                json!({}),
            ),
            "tencent_email" => (
                json!({"secretId": "i", "secretKey": "s", "from": "code@shop.example", "region": "r"}),
                json!({}),
            ),
            "resend" => (json!({"apiKey": "re_1", "from": "Shop <code@shop.example>"}), json!({})),
            "turnstile" => (json!({"siteKey": "k", "secretKey": "s"}), json!({"token": "t"})),
            "geetest" => (
                json!({"captchaId": "k", "captchaKey": "s"}),
                json!({"lot_number": "l", "captcha_output": "o", "pass_token": "p", "gen_time": "1"}),
            ),
            "aliyun_number" => (
                json!({"accessKeyId": "i", "accessKeySecret": "s", "authCode": "c", "statusAuthCode": "d"}),
                json!({}),
            ),
            "chuanglan_data" => (json!({"appId": "i", "appSecret": "s"}), json!({})),
            "camara" => (json!({"accessToken": "t"}), json!({})),
            "jpush_risk" => (json!({"appKey": "k", "masterSecret": "s"}), json!({})),
            "jpush_push" => (
                json!({"appKey": "k", "masterSecret": "s"}),
                json!({"to": "190e35f7e07f7c3fe2a", "text": "您的账号在新设备上登录。", "notice": "ntc_1", "event": "e"}),
            ),
            "wechat" => (json!({"appId": "wx1", "appSecret": "s"}), identity()),
            "qq" => (json!({"appId": "101", "appKey": "s"}), identity()),
            "weibo" => (json!({"appKey": "1", "appSecret": "s"}), identity()),
            "oidc" | "oidc_post" => (
                json!({"issuer": "https://issuer.example/oidc", "clientId": "c", "clientSecret": "s", "scope": "openid"}),
                identity(),
            ),
            _ => (
                json!({"appKey": "k", "appSecret": "c0ffee00c0ffee00c0ffee00c0ffee00"}),
                json!({"token": "t", "opToken": "o", "operator": "CTCC"}),
            ),
        };
        let document = find(provider).unwrap();
        Self {
            document,
            account: Account::new(document, "default", object(settings)).unwrap(),
            credential: object(credential)
                .into_iter()
                .map(|(name, value)| (name, Secret::new(value.as_str().unwrap().to_owned())))
                .collect(),
            phone: PhoneNumber::parse("13800138000").unwrap(),
            address: EmailAddress::parse("xiaoming@mail.example").unwrap(),
            params: [("code", "271828"), ("minutes", "5")].map(|(name, text)| (name.into(), text.into())),
        }
    }

    fn call(&self, capability: Capability) -> Call<'_> {
        Call {
            document: self.document,
            capability,
            account: &self.account,
            credential: &self.credential,
            phone: (capability.has_countries()
                || [Capability::NumberCheck, Capability::Risk].contains(&capability))
            .then_some(&self.phone),
            message: [Capability::Sms, Capability::Email].contains(&capability).then(|| Message {
                text: TEXT,
                code: "271828",
                template: self.document.is_template().then_some("T1"),
                params: &self.params,
                mail: (capability == Capability::Email)
                    .then_some(Mail { to: &self.address, subject: "绑定邮箱验证码" }),
            }),
            inquiry: capability.is_inquiry().then_some(Inquiry { since: SINCE, name: Some(NAME) }),
            platform: Platform::Android,
            address: "203.0.113.7",
            request_id: "req_1",
            now: Timestamp::from_secs(1_795_147_200),
            nonce: [7; 16],
            base_url: None,
        }
    }
}

/// What the calls of a third-party login know by and by.
fn identity() -> Value {
    json!({"code": "c0de", "redirect_uri": "https://shop.example/back", "code_verifier": "v", "access_token": "AT-1",
           "openid": "o-1", "uid": "7", "token_endpoint": "https://issuer.example/token",
           "userinfo_endpoint": "https://issuer.example/me"})
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}
