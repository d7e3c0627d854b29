//! The vectors of SMS, and of HTTP Basic authentication.

use onetap::{
    kernel::{email::EmailAddress, time::Timestamp},
    providers::{Answer, Capability, Document, find},
};
use serde_json::{Value, json};

use crate::bench::{Case, Message, form, header, json_body, nonce, published, text, vector};

fn case(provider: &'static str, settings: Value, params: &[(&str, &str)]) -> Case {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let message = Message { text: "code 123456", template: None, params, mail: None };
    Case { capability: Capability::Sms, message: Some(message), ..Case::new(provider, settings, json!({})) }
}

fn with_template(mut case: Case, template: &'static str) -> Case {
    case.message.as_mut().unwrap().template = Some(template);
    case
}

/// The document as it is, the nonce being the vector's.
#[test]
fn aliyun_acs3_sendsms_through_its_document() {
    let vector = vector("aliyun_acs3_sendsms");
    let settings = json!({
        "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": vector["secret"], "signName": "测试"
    });
    let mut case = with_template(case("aliyun_sms", settings, &[("code", "123456")]), "SMS_000000001");
    case.nonce = nonce("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let request = case.request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let query = text(&vector, "canonical_request").lines().nth(2).unwrap();
    assert_eq!(request.url, format!("https://dysmsapi.aliyuncs.com/?{query}"));

    let answer = case.read(json!({"Code": "OK", "Message": "OK", "BizId": "1^0", "RequestId": "r"}));
    assert_eq!(answer, Answer::Accepted { message_id: Some("1^0".to_owned()) });
}

/// The vector's nonce is shorter than ours, so it stands in the text of the document.
#[test]
fn chuanglan_sms_v2_hmac() {
    let vector = vector("chuanglan_sms_v2_hmac");
    let mut document = serde_json::to_value(find("chuanglan_sms_v2").unwrap()).unwrap();
    document["sources"] = json!(["built-in documents leave theirs out"]);
    let document = document.to_string().replace("{nonce}", text(&vector, "nonce"));
    let settings = json!({"account": "N1", "password": vector["password"], "signature": "测试"});
    let mut case = with_template(case("chuanglan_sms_v2", settings, &[("code", "1234")]), "1020393206");
    case.document = Document::from_json(&document).unwrap();
    case.now = Timestamp::from_secs(text(&vector, "timestamp").parse().unwrap());
    let request = case.request();
    assert_eq!(header(&request, "x-qa-hmac-signature"), text(&vector, "header"));
    let sent = json_body(&request);
    assert_eq!((&sent["nonce"], &sent["timestamp"]), (&vector["nonce"], &vector["timestamp"]));
    assert_eq!(sent["templateParamJson"], r#"[{"param1":"1234"}]"#);
}

/// The vector is that of `tc3_sendsms` with the fields sorted, as our encoder writes them, and with `x-tc-action`
/// signed. The signature itself is held against `tc3_published` and `tc3_sendsms` inside the engine.
#[test]
fn tc3_sendsms_sorted() {
    let (vector, plain) = (vector("tc3_sendsms_sorted"), vector("tc3_sendsms"));
    let settings = json!({
        "secretId": vector["secretId"], "secretKey": vector["secretKey"], "sdkAppId": "1400000001",
        "signName": "测试", "region": "ap-guangzhou"
    });
    let params = [("code", "123456"), ("minutes", "5")];
    let mut case = with_template(case("tencent_sms", settings, &params), "1000001");
    case.now = Timestamp::from_secs(text(&vector, "timestamp").parse().unwrap());
    let request = case.request();
    assert_eq!(std::str::from_utf8(&request.body), Ok(text(&vector, "body")));
    assert_eq!(json_body(&request), serde_json::from_str::<Value>(text(&plain, "body")).unwrap());
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    assert_eq!(header(&request, "x-tc-timestamp"), text(&vector, "timestamp"));

    let taken = json!({"Response": {"SendStatusSet": [{"SerialNo": "5000:1", "Code": "Ok", "Fee": 1}]}});
    assert_eq!(case.read(taken), Answer::Accepted { message_id: Some("5000:1".to_owned()) });
}

fn email(provider: &'static str, settings: Value, params: &[(&str, &str)]) -> Case {
    let mut case = Case { capability: Capability::Email, ..case(provider, settings, params) };
    let to = EmailAddress::parse("xiaoming@mail.example").unwrap();
    case.message.as_mut().unwrap().mail = Some((to, "验证码"));
    case
}

#[test]
fn aliyun_acs3_singlesendmail_through_its_document() {
    let vector = vector("aliyun_acs3_singlesendmail");
    let settings = json!({
        "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": vector["secret"], "accountName": "code@shop.example"
    });
    let mut case = email("aliyun_email", settings, &[]);
    case.nonce = nonce("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let request = case.request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let query = text(&vector, "canonical_request").lines().nth(2).unwrap();
    assert_eq!(request.url, format!("https://dm.aliyuncs.com/?{query}"));
    // The vendor's sample of success.
    let taken = json!({"EnvId": "xxx", "RequestId": "12D086F6-8F31-4658-84C1-006DED011A85"});
    assert_eq!(case.read(taken), Answer::Accepted { message_id: None });
}

/// Template and trigger are numbers, the parameters a text that is JSON.
#[test]
fn tc3_sendemail() {
    let vector = vector("tc3_sendemail");
    let settings = json!({
        "secretId": vector["secretId"], "secretKey": vector["secretKey"], "from": "测试 <code@shop.example>",
        "region": "ap-guangzhou"
    });
    let params = [("code", "123456"), ("minutes", "5")];
    let mut case = with_template(email("tencent_email", settings, &params), "100091");
    case.now = Timestamp::from_secs(text(&vector, "timestamp").parse().unwrap());
    let request = case.request();
    assert_eq!(std::str::from_utf8(&request.body), Ok(text(&vector, "body")));
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let taken = json!({"Response": {"MessageId": "qcloud-ses", "RequestId": "r"}});
    assert_eq!(case.read(taken), Answer::Accepted { message_id: None });
}

/// The vendor's example, with our user agent.
#[test]
fn resend_in_the_published_form() {
    let settings = json!({"apiKey": "re_xxxxxxxxx", "from": "Acme <onboarding@resend.dev>"});
    let case = email("resend", settings, &[]);
    let request = case.request();
    assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.resend.com/emails"));
    assert_eq!(header(&request, "authorization"), "Bearer re_xxxxxxxxx");
    assert_eq!(header(&request, "content-type"), "application/json");
    assert!(!header(&request, "user-agent").is_empty());
    let sent = json!({
        "from": "Acme <onboarding@resend.dev>", "to": ["xiaoming@mail.example"], "subject": "验证码",
        "text": "code 123456"
    });
    assert_eq!(json_body(&request), sent);
    let taken = json!({"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"});
    assert_eq!(case.read(taken), Answer::Accepted { message_id: None });
}

#[test]
fn twilio_basic() {
    let vector = vector("twilio_basic");
    let settings = json!({"accountSid": vector["sid"], "authToken": vector["token"], "from": "+15005550006"});
    let request = case("twilio", settings, &[]).request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let expected = form_urlencoded::parse(text(&vector, "body").as_bytes()).into_owned().collect();
    assert_eq!(form(&request), expected);
    let sid = text(&vector, "sid");
    assert_eq!(request.url, format!("https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages.json"));
}

#[test]
fn jpush_basic_published() {
    let vector = published("jpush_basic_published");
    let settings = json!({"appKey": vector["appKey"], "masterSecret": vector["masterSecret"]});
    let case = Case { capability: Capability::Risk, ..Case::new("jpush_risk", settings, json!({})) };
    let request = case.request();
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    let sent = json!({"phone": "13800138000", "ip": "203.0.113.7", "exID": "order-0001"});
    assert_eq!(json_body(&request), sent);
}

#[test]
fn jpush_push_in_the_published_form() {
    let vector = published("jpush_basic_published");
    let settings = json!({"appKey": vector["appKey"], "masterSecret": vector["masterSecret"]});
    let brought =
        json!({"to": "4312kjklfds2", "text": "Hi, JPush!", "notice": "ntc_a_1", "event": "login.new_device"});
    let case = Case { capability: Capability::Push, ..Case::new("jpush_push", settings, brought) };
    let request = case.request();
    assert_eq!(request.url, "https://api.jpush.cn/v3/push");
    assert_eq!(header(&request, "authorization"), text(&vector, "authorization"));
    // The shape of the vendor's examples.
    let shown = json!({"alert": "Hi, JPush!", "extras": {"event": "login.new_device", "notice": "ntc_a_1"}});
    let sent = json!({
        "platform": "all",
        "audience": {"registration_id": ["4312kjklfds2"]},
        "notification": {"android": shown, "ios": shown},
        "options": {"apns_collapse_id": "ntc_a_1"},
    });
    assert_eq!(json_body(&request), sent);
    // The vendor's sample of success, and of a refusal.
    let taken = case.read(json!({"sendno": "18", "msg_id": "1828256757"}));
    assert_eq!(taken, Answer::Accepted { message_id: None });
    let refused = case.read(json!({"error": {"code": 1011, "message": "cannot find user by this audience"}}));
    assert_eq!(refused, Answer::Rejected { code: "1011".to_owned() });
    assert!(matches!(case.read(json!({})), Answer::Unavailable { .. }));
}
