//! Vendors of messages, of bot checks and of opinions about risk, as the service sees them.
//!
//! Written from the vendors' descriptions, not from our documents. Signatures are the sandbox's business.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use onetap::kernel::http::{HttpFailure, HttpReply, HttpRequest};
use serde_json::{Value, json};

use super::{locked, provider::VENDOR_TEXT};

/// A captcha token that a person earned.
pub(crate) const HUMAN: &str = "turnstile-token-of-a-person";

/// What a vendor of messages does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Says clearly that it does not take the message now.
    Refuses,
    /// Says that the number is on its black list.
    Blacklists,
    /// Says that our account is empty.
    WantsMoney,
    /// Takes the message and says nothing.
    TakesAndHangs,
    /// Takes the message and answers nonsense.
    TakesAndMumbles,
    /// Takes the message and hangs up in the middle of its answer.
    TakesAndBreaksOff,
    /// Cannot be reached.
    IsDown,
}

/// A message in somebody's hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) to: String,
    /// Of an e-mail.
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) provider: &'static str,
}

/// Everybody's phones and letter-boxes, and who sends to them.
#[derive(Default)]
pub(crate) struct Phones {
    messages: Mutex<Vec<Message>>,
    moods: Mutex<BTreeMap<&'static str, Mood>>,
    /// How often a vendor was asked.
    asked: Mutex<BTreeMap<&'static str, usize>>,
    /// What the risk vendor thinks of everybody; below zero it does not answer.
    pub(crate) risk_score: AtomicI64,
}

impl Phones {
    /// The texts that arrived at a number (eleven digits), oldest first.
    pub(crate) fn texts(&self, phone: &str) -> Vec<String> {
        let to = format!("+86{phone}");
        let messages = locked(&self.messages);
        messages.iter().filter(|message| message.to == to).map(|message| message.text.clone()).collect()
    }

    /// The code in the newest message to a number.
    pub(crate) fn code(&self, phone: &str) -> String {
        code_in(self.texts(phone).last().expect("no message arrived"))
    }

    /// The code in the newest message to a number, which is then thrown away with those before it.
    pub(crate) fn take_code(&self, phone: &str) -> String {
        let code = self.code(phone);
        let to = format!("+86{phone}");
        locked(&self.messages).retain(|message| message.to != to);
        code
    }

    /// The e-mails that arrived at an address, oldest first.
    pub(crate) fn mails(&self, address: &str) -> Vec<Message> {
        let messages = locked(&self.messages);
        messages.iter().filter(|message| message.to == address).cloned().collect()
    }

    /// The code in the newest e-mail to an address.
    pub(crate) fn mailed_code(&self, address: &str) -> String {
        code_in(&self.mails(address).last().expect("no e-mail arrived").text)
    }

    /// All messages.
    pub(crate) fn all(&self) -> Vec<Message> {
        locked(&self.messages).clone()
    }

    /// How often a vendor was asked.
    pub(crate) fn asked(&self, provider: &str) -> usize {
        locked(&self.asked).get(provider).copied().unwrap_or_default()
    }

    /// From now on a vendor is so.
    pub(crate) fn set_mood(&self, provider: &'static str, mood: Option<Mood>) {
        match mood {
            Some(mood) => locked(&self.moods).insert(provider, mood),
            None => locked(&self.moods).remove(provider),
        };
    }

    /// The answer of one of these vendors; `None`: the request is for somebody else.
    pub(super) fn answer(&self, request: &HttpRequest) -> Option<Result<HttpReply, HttpFailure>> {
        let (url, _) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let host = url.strip_prefix("https://")?.split('/').next()?;
        Some(match host {
            "smssh1.253.com" => self.chuanglan(request),
            "api.twilio.com" => self.twilio(request),
            "api.resend.com" => self.resend(request),
            "dm.aliyuncs.com" => self.aliyun_email(request),
            "challenges.cloudflare.com" => self.turnstile(request),
            "api.verification.jpush.cn" => self.jpush_risk(),
            _ => return None,
        })
    }

    fn chuanglan(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let says = |code: &str| reply(200, &json!({"code": code, "errorMsg": VENDOR_TEXT, "msgId": "17041"}));
        let to = format!("+86{}", text("phone"));
        match self.take("chuanglan_sms", to, "", text("msg"))? {
            None => Ok(says("0")),
            Some(Mood::Blacklists) => Ok(says("107")),
            Some(Mood::WantsMoney) => Ok(says("109")),
            Some(Mood::TakesAndMumbles) => Ok(HttpReply { status: 200, body: b"<html>".to_vec() }),
            Some(_) => Ok(says("104")),
        }
    }

    fn twilio(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
        let says = |status, code: i64| reply(status, &json!({"code": code, "message": VENDOR_TEXT}));
        match self.take("twilio", form["To"].clone(), "", form["Body"].clone())? {
            None => Ok(reply(201, &json!({"sid": "SM1", "status": "queued", "error_code": null}))),
            Some(Mood::Blacklists) => Ok(says(400, 21610)),
            Some(Mood::WantsMoney) => Ok(says(401, 20003)),
            Some(Mood::TakesAndMumbles) => Ok(HttpReply { status: 200, body: b"<html>".to_vec() }),
            Some(_) => Ok(says(429, 20429)),
        }
    }

    fn resend(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let has = |name: &str, value: &str| request.headers.contains(&(name.to_owned(), value.to_owned()));
        assert!(
            has("authorization", "Bearer re_invented")
                && request.headers.iter().any(|(name, _)| name == "user-agent")
        );
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(body["from"], "Onetap <code@login.example>");
        let says = |status, name: &str| {
            reply(status, &json!({"statusCode": status, "name": name, "message": VENDOR_TEXT}))
        };
        match self.take("resend", text(&body["to"][0]), &text(&body["subject"]), text(&body["text"]))? {
            None => Ok(reply(200, &json!({"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}))),
            Some(Mood::WantsMoney) => Ok(says(403, "invalid_api_key")),
            Some(Mood::TakesAndMumbles) => Ok(HttpReply { status: 200, body: b"<html>".to_vec() }),
            Some(_) => Ok(says(429, "rate_limit_exceeded")),
        }
    }

    fn aliyun_email(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let (_, query) = request.url.split_once('?').unwrap();
        let form: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let says = |code: &str| reply(400, &json!({"Code": code, "Message": VENDOR_TEXT, "RequestId": "1"}));
        match self.take(
            "aliyun_email",
            form["ToAddress"].clone(),
            &form["Subject"],
            form["TextBody"].clone(),
        )? {
            None => Ok(reply(200, &json!({"EnvId": "600000123", "RequestId": "1"}))),
            Some(Mood::Blacklists) => Ok(says("InvalidToAddress.Spam")),
            Some(Mood::WantsMoney) => Ok(says("InvalidSendMail.Spam")),
            Some(Mood::TakesAndMumbles) => Ok(HttpReply { status: 200, body: b"<html>".to_vec() }),
            Some(_) => Ok(says("Throttling.User")),
        }
    }

    fn turnstile(&self, request: &HttpRequest) -> Result<HttpReply, HttpFailure> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
        if self.ask("turnstile") == Some(Mood::IsDown) {
            return Err(HttpFailure::Broken);
        }
        let passed = form["response"].starts_with(HUMAN);
        let codes = if passed { json!([]) } else { json!(["invalid-input-response"]) };
        Ok(reply(200, &json!({"success": passed, "error-codes": codes})))
    }

    fn jpush_risk(&self) -> Result<HttpReply, HttpFailure> {
        self.ask("jpush_risk");
        match self.risk_score.load(Ordering::SeqCst) {
            score @ 0.. => {
                Ok(reply(200, &json!({"id": 1, "code": 0, "content": "success", "score": score, "tags": []})))
            }
            _ => Err(HttpFailure::TimedOut),
        }
    }

    fn take(
        &self,
        provider: &'static str,
        to: String,
        subject: &str,
        text: String,
    ) -> Result<Option<Mood>, HttpFailure> {
        let mood = self.ask(provider);
        if matches!(mood, None | Some(Mood::TakesAndHangs | Mood::TakesAndMumbles | Mood::TakesAndBreaksOff))
        {
            locked(&self.messages).push(Message { to, subject: subject.to_owned(), text, provider });
        }
        match mood {
            Some(Mood::TakesAndHangs) => Err(HttpFailure::TimedOut),
            Some(Mood::TakesAndBreaksOff) => Err(HttpFailure::Unread),
            Some(Mood::IsDown) => Err(HttpFailure::Broken),
            mood => Ok(mood),
        }
    }

    fn ask(&self, provider: &'static str) -> Option<Mood> {
        *locked(&self.asked).entry(provider).or_default() += 1;
        locked(&self.moods).get(provider).copied()
    }
}

/// The six digits that stand alone in a text.
pub(crate) fn code_in(text: &str) -> String {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() == 6).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

fn reply(status: u16, body: &Value) -> HttpReply {
    HttpReply { status, body: body.to_string().into_bytes() }
}
