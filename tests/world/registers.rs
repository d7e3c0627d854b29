//! Carriers and registers that are asked about numbers, as the service sees them. They know of whom they were told.
//!
//! Written from the vendors' descriptions, not from our documents. Signatures are the sandbox's business.

use std::{collections::BTreeMap, sync::Mutex};

use onetap::kernel::{
    http::{HttpFailure, HttpReply, HttpRequest},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{locked, provider::VENDOR_TEXT, sms::Mood};

/// 创蓝, asked whether a number has been reassigned.
pub(crate) const CHUANGLAN: &str = "wscarrier.253.com";

/// 创蓝, asked in whose name a number is.
pub(crate) const CHUANGLAN_NAMES: &str = "wsauth.253.com";

/// 阿里云, asked whether a number has been reassigned.
pub(crate) const ALIYUN: &str = "dytnsapi.aliyuncs.com";

/// What is known of a number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Number {
    /// In whose name it is.
    pub(crate) name: Option<&'static str>,
    /// When it was given to somebody else.
    pub(crate) reassigned: Vec<Timestamp>,
    /// When it was given up.
    pub(crate) cancelled: Option<Timestamp>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Registers {
    numbers: Mutex<BTreeMap<String, Number>>,
    moods: Mutex<BTreeMap<&'static str, Mood>>,
    asked: Mutex<Vec<&'static str>>,
}

impl Registers {
    /// From now on this is known of a number (eleven digits).
    pub(crate) fn know(&self, phone: &str, number: Number) {
        locked(&self.numbers).insert(phone.to_owned(), number);
    }

    /// From now on the one at this host is so.
    pub(crate) fn set_mood(&self, host: &'static str, mood: Mood) {
        locked(&self.moods).insert(host, mood);
    }

    /// Who was asked since the last time, by host, in their order.
    pub(crate) fn take_asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut *locked(&self.asked))
    }

    /// The answer of one of them; `None`: the request is for somebody else.
    pub(super) fn answer(&self, request: &HttpRequest) -> Option<Result<HttpReply, HttpFailure>> {
        let (url, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let host = url.strip_prefix("https://")?.split('/').next()?;
        let host = [CHUANGLAN, CHUANGLAN_NAMES, ALIYUN].into_iter().find(|known| *known == host)?;
        locked(&self.asked).push(host);
        let mood = locked(&self.moods).get(host).copied();
        Some(match mood {
            None => Ok(reply(200, &self.right_answer(host, query, &request.body))),
            Some(Mood::IsDown) => Err(HttpFailure::Broken),
            Some(Mood::TakesAndHangs) => Err(HttpFailure::TimedOut),
            Some(Mood::TakesAndBreaksOff) => Err(HttpFailure::Unread),
            Some(Mood::TakesAndMumbles) => Ok(HttpReply { status: 200, body: b"<html>".to_vec() }),
            Some(_) if host == ALIYUN => {
                Ok(reply(200, &json!({"Code": "AuthCodeNotExist", "Message": VENDOR_TEXT})))
            }
            Some(_) => Ok(reply(500, &json!({"code": "301000", "msg": VENDOR_TEXT}))),
        })
    }

    fn right_answer(&self, host: &str, query: &str, body: &[u8]) -> Value {
        let sent: Value = match host {
            ALIYUN => form_urlencoded::parse(query.as_bytes())
                .map(|(name, value)| (name.into_owned(), json!(value)))
                .collect(),
            _ => serde_json::from_slice(body).unwrap(),
        };
        let text = |name: &str| sent[name].as_str().unwrap().to_owned();
        let number = |name: &str| locked(&self.numbers).get(&text(name)).cloned();
        let china = |time: String| Timestamp::from_rfc3339(&format!("{time}+08:00")).unwrap();
        let chuanglan =
            |data: Value| json!({"code": "000000", "msg": "success", "chargeStatus": 1, "data": data});
        match host {
            CHUANGLAN => {
                let day = text("sinceDate");
                let since = china(format!("{}-{}-{} 00:00:00", &day[..4], &day[4..6], &day[6..]));
                let status = number("mobile").map_or("11", |number| number.since(since, ["1", "2", "3"]));
                chuanglan(json!({"orderNo": text("orderNo"), "mobile": text("mobile"), "status": status}))
            }
            CHUANGLAN_NAMES => {
                let result = match number("mobile").and_then(|number| number.name) {
                    Some(name) if name == text("name") => "01",
                    Some(_) => "02",
                    None => "03",
                };
                chuanglan(json!({"orderNo": "1", "type": "1", "result": result}))
            }
            _ => {
                let since = china(text("StartTime"));
                let result = number("InputNumber").map_or("0", |number| number.since(since, ["1", "2", "3"]));
                json!({"Code": "OK", "Data": {"Carrier": "CMCC", "VerifyResult": result}})
            }
        }
    }
}

impl Number {
    /// One of the words for reassigned, not reassigned, cancelled.
    fn since(&self, since: Timestamp, [reassigned, not, cancelled]: [&'static str; 3]) -> &'static str {
        match self.cancelled {
            _ if self.reassigned.iter().any(|at| *at > since) => reassigned,
            Some(at) if at > since => cancelled,
            _ => not,
        }
    }
}

fn reply(status: u16, body: &Value) -> HttpReply {
    HttpReply { status, body: body.to_string().into_bytes() }
}
