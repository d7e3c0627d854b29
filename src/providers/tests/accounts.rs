//! What an operator may write into `PROVIDER_ACCOUNTS`.

use super::*;
use crate::providers::accounts_from_json;

const FLASH: &str = r#"{"provider":"flash_v2","settings":{"appId":"aB3dE6gH","appKey":"Zk7Qp2Lm"}}"#;

fn with(platforms: &str) -> String {
    FLASH.replacen('{', &format!(r#"{{"platforms":{platforms},"#), 1)
}

#[test]
fn the_named_platform_goes_first() {
    let accounts =
        accounts_from_json(&format!("[{FLASH},{},{}]", with(r#"["ios"]"#), with(r#"["web"]"#))).unwrap();
    let first = |platform| accounts.iter().find(|account| account.serves(platform)).unwrap();
    assert_eq!(first(Platform::Ios).platforms, Some(vec![Platform::Ios]));
    assert_eq!(first(Platform::Web).platforms, Some(vec![Platform::Web]));
    assert_eq!(first(Platform::Android).platforms, None);
}

#[test]
fn every_problem_is_named_and_no_value_shown() {
    let json = r#"[
        {"provider":"flash_v1","settings":{"appId":7,"appKey":"secret-nine","extra":"secret-x"}},
        {"provider":"nobody","settings":{}},
        {"provider":"cmcc","app":"","settings":"secret-s"},
        {"provider":"mobtech","platforms":["ios","amiga"],"baseUrl":"http://u:secret@h/?q","confirmed":"yes",
         "typo":1,"settings":{"appKey":"k","appSecret":"secret"}}
    ]"#;
    let problems = accounts_from_json(json).unwrap_err();
    let all = problems.join("\n");
    for part in [
        "entry 0 (flash_v1): setting \"appId\" must be a text",
        "entry 0 (flash_v1): setting \"appKey\" must have 8 characters",
        "entry 0 (flash_v1): setting \"extra\" is unknown",
        "entry 1 (nobody): names no known provider",
        "entry 2 (cmcc): \"app\" must be a text",
        "entry 3 (mobtech): \"platforms\"",
        "entry 3 (mobtech): \"baseUrl\"",
        "entry 3 (mobtech): \"confirmed\"",
        "entry 3 (mobtech): \"typo\" is unknown",
        "entry 3 (mobtech): setting \"appSecret\" must have at least 8 characters",
    ] {
        assert!(all.contains(part), "{part}\nnot in\n{all}");
    }
    assert!(!all.contains("secret-") && !all.contains("amiga"), "{all}");
    for json in ["", "{}", "[1]", "\"secret\""] {
        assert_eq!(accounts_from_json(json).unwrap_err(), ["is not a JSON array of objects"]);
    }
}

#[test]
fn two_accounts_for_one_use_are_a_problem() {
    for pair in
        [format!("[{FLASH},{FLASH}]"), format!("[{},{}]", with(r#"["ios","web"]"#), with(r#"["ios"]"#))]
    {
        assert!(accounts_from_json(&pair).unwrap_err().join("").contains("entry 1"), "{pair}");
    }
    assert!(format!("{:?}", accounts_from_json(&format!("[{FLASH}]"))).contains("[secret]"));
}

#[test]
fn sms_accounts_share_the_work_and_bot_checks_do_not() {
    let sms = r#"{"provider":"chuanglan_sms","weight":100,"settings":{"account":"a","password":"p"}}"#;
    assert_eq!(accounts_from_json(&format!("[{sms},{sms}]")).unwrap().len(), 2);

    let turnstile = r#"{"provider":"turnstile","settings":{"siteKey":"k","secretKey":"s"}}"#;
    let geetest = r#"{"provider":"geetest","settings":{"captchaId":"k","captchaKey":"s"}}"#;
    let both = accounts_from_json(&format!("[{turnstile},{geetest}]")).unwrap_err();
    assert!(both.join("").contains("entry 1 (geetest): another entry"), "{both:?}");
    let native = geetest.replacen('{', r#"{"platforms":["ios"],"#, 1);
    assert_eq!(accounts_from_json(&format!("[{turnstile},{native}]")).unwrap().len(), 2);
}

#[test]
fn what_only_sms_entries_may_say() {
    let entry = |more: &str, provider: &str, settings: &str| {
        format!(r#"{{{more},"provider":"{provider}","settings":{settings}}}"#)
    };
    let text = |more: &str| entry(more, "chuanglan_sms", r#"{"account":"a","password":"p"}"#);
    let template =
        |more: &str| entry(more, "aliyun_sms", r#"{"accessKeyId":"i","accessKeySecret":"s","signName":"n"}"#);
    for (entry, problem) in [
        (text(r#""countries":["CN"]"#), "\"countries\" must be like"),
        (text(r#""countries":"86""#), "\"countries\" must be a list"),
        (text(r#""weight":101"#), "\"weight\" must be"),
        (text(r#""weight":"1""#), "\"weight\" must be"),
        (text(r#""templates":{"default":"1"}"#), "\"templates\" is unknown"),
        (template(r#""weight":1"#), "\"templates\" must map"),
        (template(r#""templates":{"login":"1"}"#), "\"templates\" must map"),
        (template(r#""templates":{"default":"1","a b":"2"}"#), "\"templates\" must map"),
        (template(r#""templates":{"default":1}"#), "\"templates\" must map"),
        (
            template(r#""templates":{"default":"1"},"templateParams":["name"]"#),
            "\"templateParams\" must be of code, minutes, app",
        ),
        (FLASH.replacen('{', r#"{"weight":1,"#, 1), "\"weight\" is unknown"),
    ] {
        let problems = accounts_from_json(&format!("[{entry}]")).unwrap_err();
        assert!(problems.join("").contains(problem), "{entry}: {problems:?}");
    }
}
