//! One module per vendor: its paths, its signature, its codes, and the credential its SDK would produce.
//!
//! A vendor's module is complete in itself. What it needs from here: fields as they came over the wire, and the routes, minting
//! and receipt functions collected in one place. The path `/` has no vendor of its own: headers tell whose call it is.

mod acs3;
mod aliyun;
mod aliyun_email;
mod aliyun_number;
mod aliyun_sms;
mod camara;
mod chuanglan_data;
mod chuanglan_sms;
mod chuanglan_sms_v2;
mod cmcc;
mod flash_v1;
mod flash_v2;
mod geetest;
mod jpush_push;
mod jpush_risk;
mod mobtech;
mod oidc;
mod qq;
mod resend;
mod tc3;
mod tencent_email;
mod tencent_sms;
mod turnstile;
mod twilio;
mod wechat;
mod weibo;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, Response, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    routing::post,
};
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use openssl::error::ErrorStack;
use serde_json::Value;

use crate::{
    crypto,
    reply::deliver,
    sms::Message,
    state::{Account, World},
    tokens::{Carrier, Provider},
};

/// All vendors' paths.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .merge(flash_v2::routes())
        .merge(flash_v1::routes())
        .merge(cmcc::routes())
        .merge(mobtech::routes())
        .merge(chuanglan_sms::routes())
        .merge(chuanglan_sms_v2::routes())
        .merge(twilio::routes())
        .merge(resend::routes())
        .merge(turnstile::routes())
        .merge(geetest::routes())
        .merge(jpush_risk::routes())
        .merge(chuanglan_data::routes())
        .merge(camara::routes())
        .merge(jpush_push::routes())
        .merge(wechat::routes())
        .merge(qq::routes())
        .merge(weibo::routes())
        .merge(oidc::routes())
        .route("/", post(root))
}

/// The clouds' path: each of their products has a host of its own, which a relay hides.
async fn root(State(world): State<Arc<World>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let action = |name: &str| headers.get(name).and_then(|action| action.to_str().ok());
    let answer = match (action("x-tc-action"), action("x-acs-action")) {
        (Some("SendEmail"), _) => tencent_email::exchange(&world, &uri, &headers, &body),
        (Some(_), _) => tencent_sms::exchange(&world, &uri, &headers, &body),
        (None, Some("SingleSendMail")) => aliyun_email::exchange(&world, &uri, &headers, &body),
        (None, Some("SendSms")) => aliyun_sms::exchange(&world, &uri, &headers, &body),
        (None, Some(action)) if aliyun_number::is_asked(action) => {
            aliyun_number::exchange(&world, &uri, &headers, &body)
        }
        (None, _) => aliyun::exchange(&world, &uri, &headers, &body),
    };
    deliver(answer).await
}

/// What a credential is made from.
pub(crate) struct Minting<'a> {
    pub(crate) account: &'a Account,
    pub(crate) carrier: Carrier,
    pub(crate) now_ms: i64,
    /// Made by an Android phone: some SDKs add the certificate's digest.
    pub(crate) android: bool,
    /// Made for somebody else's application, where a token shows that.
    pub(crate) foreign: bool,
}

/// A credential and the part of it that the vendor looks up.
pub(crate) struct Credential {
    pub(crate) token: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Credential {
    /// The common case: one field, `token`.
    fn of_token(token: String) -> Credential {
        Credential { fields: BTreeMap::from([("token", token.clone())]), token }
    }
}

/// What the vendor's SDK hands to the app.
pub(crate) fn credential(minting: &Minting<'_>) -> Result<Credential, ErrorStack> {
    match minting.account.provider {
        Provider::FlashV2 => flash_v2::credential(minting),
        Provider::FlashV1 => flash_v1::credential(minting),
        Provider::Cmcc => cmcc::credential(minting),
        Provider::Aliyun => aliyun::credential(minting),
        Provider::Mobtech => mobtech::credential(minting),
        // The control API asks for carriers only.
        _ => Ok(Credential::of_token(String::new())),
    }
}

/// What a vendor knows of a message's fate.
pub(crate) struct Delivery<'a> {
    pub(crate) account: &'a Account,
    pub(crate) message: &'a Message,
    pub(crate) delivered: bool,
    /// Where it is told.
    pub(crate) url: &'a str,
    pub(crate) now_ms: i64,
}

/// A delivery receipt as the vendor calls back with it: POST with a body, GET without.
#[derive(Default)]
pub(crate) struct Push {
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

/// The receipt in the vendor's format. `None`: this one delivers no messages.
pub(crate) fn receipt(delivery: &Delivery<'_>) -> Result<Option<Push>, ErrorStack> {
    Ok(Some(match delivery.account.provider {
        Provider::ChuanglanSms | Provider::ChuanglanSmsV2 | Provider::ChuanglanSmsIntl => {
            chuanglan_sms::receipt(delivery)
        }
        Provider::AliyunSms => aliyun_sms::receipt(delivery),
        Provider::TencentSms => tencent_sms::receipt(delivery),
        Provider::Twilio => twilio::receipt(delivery)?,
        _ => return Ok(None),
    }))
}

/// The parameters of a request exactly as received, in ASCII order of their names. Empty values are kept: they are signed.
#[derive(Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// From a URL-encoded form. `None`: another content type, or a name given twice.
    pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Option<Fields> {
        if !is_content_type(headers, "application/x-www-form-urlencoded") {
            return None;
        }
        Fields::pairs(body)
    }

    fn pairs(text: &[u8]) -> Option<Fields> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Fields(fields))
    }

    /// From a query. `None`: a name given twice.
    pub(crate) fn query(uri: &Uri) -> Option<Fields> {
        Fields::pairs(uri.query().unwrap_or_default().as_bytes())
    }

    /// From a JSON object of strings; whole numbers count as their decimal text, `true` and `false` as the words. `None`: anything else.
    pub(crate) fn json(headers: &HeaderMap, body: &[u8]) -> Option<Fields> {
        if !is_content_type(headers, "application/json") {
            return None;
        }
        Fields::object(serde_json::from_slice(body).ok()?)
    }

    /// As [`Fields::json`], from a parsed value.
    pub(crate) fn object(value: Value) -> Option<Fields> {
        let Value::Object(object) = value else { return None };
        let mut fields = BTreeMap::new();
        for (name, value) in object {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) if number.is_i64() => number.to_string(),
                Value::Bool(is) => is.to_string(),
                _ => return None,
            };
            fields.insert(name, text);
        }
        Some(Fields(fields))
    }

    /// The value, empty when absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether all of these are present and not empty.
    pub(crate) fn have(&self, names: &[&str]) -> bool {
        names.iter().all(|name| !self.get(name).is_empty())
    }

    /// Every field but `sign`, in ASCII order.
    pub(crate) fn signed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| *name != "sign").map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `keyvaluekeyvalue...` of [`Fields::signed`], as both Flash versions sign it.
    pub(crate) fn concatenated(&self) -> String {
        self.signed().flat_map(|(name, value)| [name, value]).collect()
    }
}

/// Reads 17 digits `yyyyMMddHHmmssSSS` of Beijing time. Milliseconds since 1970.
///
/// CMCC names no zone; its published request carries systemtime 20190226111842617 and a token made at 1551151128045 ms, which
/// are six seconds apart in Beijing and eight hours in UTC.
pub(crate) fn parse_beijing(text: &str) -> Option<i64> {
    if text.len() != 17 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (seconds, millis) = text.split_at(14);
    let civil = DateTime::strptime("%Y%m%d%H%M%S", seconds).ok()?;
    let timestamp = Offset::constant(8).to_timestamp(civil).ok()?;
    timestamp.as_millisecond().checked_add(millis.parse().ok()?)
}

/// The reverse of [`parse_beijing`]; empty for times no calendar has.
pub(crate) fn format_beijing(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .map(|timestamp| Offset::constant(8).to_datetime(timestamp).strftime("%Y%m%d%H%M%S%3f").to_string())
        .unwrap_or_default()
}

/// Name and password of HTTP Basic.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = crypto::text_of_base64(encoded)?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn is_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon in Beijing is 04:00 UTC.
    #[test]
    fn beijing_time_both_ways() {
        assert_eq!(parse_beijing("20261120120000123"), Some(1_795_147_200_123));
        assert_eq!(format_beijing(1_795_147_200_123), "20261120120000123");
        for bad in ["20261320120000123", "2026112012000012", "2026112012000012x", ""] {
            assert_eq!(parse_beijing(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        assert!(Fields::form(&headers, b"a=1&a=2").is_none());
        assert_eq!(Fields::form(&headers, b"b=&a=1%202").unwrap().concatenated(), "a1 2b");
    }
}
