//! What a carrier knows of a token it gave out: whose number, for which use, until when, used or not.
//!
//! Invariants: a token is used up by the first request whose signature was right, whatever the answer to it was; one-tap and
//! check tokens never stand in for each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A number that passes decryption and is no Chinese mobile number.
pub(crate) const NOT_A_PHONE: &str = "12345678901";

/// The simulated vendors, named as in the service's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    FlashV2,
    FlashV1,
    Cmcc,
    Aliyun,
    Mobtech,
    ChuanglanSms,
    ChuanglanSmsV2,
    ChuanglanSmsIntl,
    AliyunSms,
    TencentSms,
    Twilio,
    AliyunEmail,
    TencentEmail,
    Resend,
    Turnstile,
    Geetest,
    JpushRisk,
    JpushPush,
    ChuanglanData,
    AliyunNumber,
    Camara,
    Wechat,
    Qq,
    Weibo,
    Oidc,
    OidcPost,
}

/// What a vendor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// To vouch for the number of a SIM.
    Carrier,
    /// To deliver a message.
    Sms,
    /// To deliver a message to a letter-box.
    Email,
    /// To tell people from machines.
    Captcha,
    /// To rate a number or an address.
    Risk,
    /// To say what it knows of a number.
    Register,
    /// To show something on a device.
    Push,
    /// To say who somebody is.
    Identity,
}

impl Provider {
    /// The settings an account must have, each with its least length in bytes. The first names the account to the vendor.
    pub(crate) fn settings(self) -> &'static [(&'static str, usize)] {
        match self {
            Provider::FlashV2 => &[("appId", 1), ("appKey", 1)],
            // The first 8 bytes are a DES key, here and at MobTech.
            Provider::FlashV1 => &[("appId", 1), ("appKey", 8)],
            Provider::Cmcc => &[("appId", 1), ("appSecret", 1), ("appKey", 1)],
            Provider::Aliyun => &[("accessKeyId", 1), ("accessKeySecret", 1)],
            Provider::Mobtech => &[("appKey", 1), ("appSecret", 8)],
            Provider::ChuanglanSms | Provider::ChuanglanSmsIntl => &[("account", 1), ("password", 1)],
            Provider::ChuanglanSmsV2 => &[("account", 1), ("password", 1), ("signature", 1)],
            Provider::AliyunSms => &[("accessKeyId", 1), ("accessKeySecret", 1), ("signName", 1)],
            Provider::TencentSms => {
                &[("secretId", 1), ("secretKey", 1), ("sdkAppId", 1), ("signName", 1), ("region", 1)]
            }
            Provider::Twilio => &[("accountSid", 1), ("authToken", 1)],
            Provider::AliyunEmail => &[("accessKeyId", 1), ("accessKeySecret", 1), ("accountName", 3)],
            Provider::TencentEmail => &[("secretId", 1), ("secretKey", 1), ("from", 3), ("region", 1)],
            Provider::Resend => &[("apiKey", 1), ("from", 3)],
            Provider::Turnstile => &[("siteKey", 1), ("secretKey", 1)],
            Provider::Geetest => &[("captchaId", 1), ("captchaKey", 1)],
            Provider::JpushRisk | Provider::JpushPush => &[("appKey", 1), ("masterSecret", 1)],
            Provider::ChuanglanData | Provider::Wechat => &[("appId", 1), ("appSecret", 1)],
            Provider::AliyunNumber => &[("accessKeyId", 1), ("accessKeySecret", 1), ("authCode", 1)],
            Provider::Camara => &[("accessToken", 1)],
            Provider::Qq => &[("appId", 1), ("appKey", 1)],
            Provider::Weibo => &[("appKey", 1), ("appSecret", 1)],
            Provider::Oidc | Provider::OidcPost => &[("clientId", 1), ("clientSecret", 1), ("issuer", 1)],
        }
    }

    /// What the vendor is asked for.
    pub(crate) fn service(self) -> Service {
        match self {
            Provider::FlashV2 | Provider::FlashV1 | Provider::Cmcc | Provider::Aliyun | Provider::Mobtech => {
                Service::Carrier
            }
            Provider::ChuanglanSms
            | Provider::ChuanglanSmsV2
            | Provider::ChuanglanSmsIntl
            | Provider::AliyunSms
            | Provider::TencentSms
            | Provider::Twilio => Service::Sms,
            Provider::AliyunEmail | Provider::TencentEmail | Provider::Resend => Service::Email,
            Provider::Turnstile | Provider::Geetest => Service::Captcha,
            Provider::JpushRisk => Service::Risk,
            Provider::ChuanglanData | Provider::AliyunNumber | Provider::Camara => Service::Register,
            Provider::JpushPush => Service::Push,
            Provider::Wechat | Provider::Qq | Provider::Weibo | Provider::Oidc | Provider::OidcPost => {
                Service::Identity
            }
        }
    }

    /// Whether the vendor compares a typed number with the SIM's (本机号码校验) in this simulator.
    pub(crate) fn checks_numbers(self) -> bool {
        matches!(self, Provider::FlashV2 | Provider::Cmcc | Provider::Aliyun)
    }
}

/// What a token may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    #[default]
    OneTap,
    Check,
}

/// The network that vouches for the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carrier {
    Cmcc,
    Cucc,
    Ctcc,
}

impl Carrier {
    /// The carrier a prefix was given to; China Mobile when in doubt. Numbers are ported, so this is a default only.
    pub(crate) fn of_phone(phone: &str) -> Carrier {
        match phone.get(..3).unwrap_or_default() {
            "130" | "131" | "132" | "155" | "156" | "166" | "175" | "176" | "185" | "186" | "196" => {
                Carrier::Cucc
            }
            "133" | "153" | "173" | "177" | "180" | "181" | "189" | "190" | "191" | "193" | "199" => {
                Carrier::Ctcc
            }
            _ => Carrier::Cmcc,
        }
    }

    /// Lifetime of a token in milliseconds, as Flash and Aliyun document it.
    pub(crate) fn lifetime_ms(self) -> i64 {
        match self {
            Carrier::Cmcc => 120_000,
            Carrier::Ctcc => 600_000,
            Carrier::Cucc => 1_800_000,
        }
    }

    /// The name vendors use in their fields.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Carrier::Cmcc => "CMCC",
            Carrier::Cucc => "CUCC",
            Carrier::Ctcc => "CTCC",
        }
    }
}

/// How the vendor behaves when it is asked about a token, or about anything while a fault lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    /// The right answer.
    #[default]
    Ok,
    /// As if the lifetime were over.
    Expired,
    /// As if it had been used before.
    Used,
    /// As if it had been given to another application.
    WrongApp,
    /// The right answer after 1.2 s.
    Slow,
    /// No answer for 30 s.
    Hang,
    /// HTTP 500 with an HTML page.
    #[serde(rename = "http_500")]
    Http500,
    /// HTTP 200 with bytes that are no JSON.
    Garbage,
    /// The success code with a value that cannot be decrypted, or is no number where values come in plain.
    BadCipher,
    /// The right answer cut in the middle, correctly framed.
    Truncated,
    /// The success code with a value that decrypts to something else than a mobile number.
    NotAPhone,
    /// The vendor's code for a fault of our account with it: balance or address list.
    AccountFault,
    /// The vendor's code for a refusal that passes: busy, over a rate. Not for carriers.
    Refused,
    /// The vendor's code for a number or address that gets nothing: on a list of people who want none, or nobody's. For
    /// pushes: for a device that nobody knows.
    Undeliverable,
}

impl Behaviour {
    /// Whether a vendor of this kind can behave so.
    pub(crate) fn fits(self, service: Service) -> bool {
        match self {
            Behaviour::Slow
            | Behaviour::Hang
            | Behaviour::Http500
            | Behaviour::Garbage
            | Behaviour::Truncated
            | Behaviour::AccountFault => true,
            Behaviour::Refused => service != Service::Carrier,
            Behaviour::Undeliverable => matches!(service, Service::Sms | Service::Email | Service::Push),
            _ => service == Service::Carrier,
        }
    }
}

/// One token as the carrier remembers it.
pub(crate) struct Token {
    /// 11 digits.
    pub(crate) phone: String,
    pub(crate) purpose: Purpose,
    /// The vendor's name of the account it was minted for.
    pub(crate) account_id: String,
    pub(crate) expires_ms: i64,
    pub(crate) behaviour: Behaviour,
    /// The client's credential fields as handed out.
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) used: bool,
}

/// A request about a token, its signature already found right.
pub(crate) struct Attempt<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) purpose: Purpose,
    /// Fields that travel beside the token and must be those it was minted with.
    pub(crate) companions: &'a [(&'static str, &'a str)],
    pub(crate) now_ms: i64,
}

/// What the vendor makes of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The SIM's number. Not always 11 digits of a mobile number: see [`Behaviour::NotAPhone`].
    Phone(String),
    /// Success with a value nobody can read.
    Unreadable,
    Refused(Refusal),
}

/// Why a token is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Expired,
    Used,
    WrongApp,
    WrongPurpose,
    /// A field that travels with the token is not the one it was minted with.
    WrongCompanion,
    AccountFault,
}

impl Token {
    /// Uses the token up and says what comes of it; `behaviour` is the token's own or the fault of the moment.
    pub(crate) fn redeem(&mut self, behaviour: Behaviour, attempt: &Attempt<'_>) -> Outcome {
        let used = std::mem::replace(&mut self.used, true);
        if self.purpose != attempt.purpose {
            return Outcome::Refused(Refusal::WrongPurpose);
        }
        if self.account_id != attempt.account_id || behaviour == Behaviour::WrongApp {
            return Outcome::Refused(Refusal::WrongApp);
        }
        if used || behaviour == Behaviour::Used {
            return Outcome::Refused(Refusal::Used);
        }
        if attempt.now_ms >= self.expires_ms || behaviour == Behaviour::Expired {
            return Outcome::Refused(Refusal::Expired);
        }
        if attempt
            .companions
            .iter()
            .any(|(name, value)| self.fields.get(name).map_or("", String::as_str) != *value)
        {
            return Outcome::Refused(Refusal::WrongCompanion);
        }
        match behaviour {
            Behaviour::AccountFault => Outcome::Refused(Refusal::AccountFault),
            Behaviour::BadCipher => Outcome::Unreadable,
            Behaviour::NotAPhone => Outcome::Phone(NOT_A_PHONE.to_owned()),
            _ => Outcome::Phone(self.phone.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_follow_the_carrier() {
        for (phone, minutes) in [("13800138000", 2), ("18900138000", 10), ("18600138000", 30)] {
            assert_eq!(Carrier::of_phone(phone).lifetime_ms(), minutes * 60_000, "{phone}");
        }
    }
}
