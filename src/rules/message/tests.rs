//! The messages, read as those read them who get them.

use super::{Apps, Recipient, length::Length};
use crate::model::{language::Language, otp_purpose::Purpose, platform::Platform};

fn served(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn read(json: &str) -> Result<Apps, Vec<String>> {
    Apps::read(Some(json), &served(&["default", "shop"]), "login.example", 6, 5)
}

fn problems(json: &str) -> String {
    read(json).unwrap_err().join("\n")
}

/// Every text of an app: language, purpose, platform, text.
fn texts(apps: &Apps, app: &str) -> Vec<(Language, Purpose, Platform, String)> {
    let mut texts = Vec::new();
    for language in Language::ALL {
        for purpose in Purpose::ALL {
            for platform in Platform::ALL {
                for signed in [false, true] {
                    let to = Recipient { app, language, purpose, platform, signed };
                    texts.push((language, purpose, platform, apps.compose(&to, "042042", 5)));
                }
            }
        }
    }
    texts
}

/// The parser of the WICG report: only the last line counts; `@` host, one space, `#` code, where host and code
/// are runs without white space.
fn origin_bound(message: &str) -> Option<(String, String)> {
    let normal = message.replace("\r\n", "\n").replace('\r', "\n");
    let line = normal.rsplit('\n').next()?;
    let run =
        |text: &str| text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default().to_owned();
    let host = run(line.strip_prefix('@')?);
    let code = run(line.get(1 + host.len()..)?.strip_prefix(" #")?);
    (!host.is_empty() && !code.is_empty()).then_some((host, code))
}

#[test]
fn the_parser_agrees_with_the_examples_of_the_report() {
    let found = Some(("example.com".to_owned(), "123456".to_owned()));
    assert_eq!(origin_bound("123456 is your ExampleCo code.\n\n@example.com #123456"), found);
    assert_eq!(origin_bound("@example.com #123456 trailing"), found);
    for text in [
        "something @example.com #123456",
        "#123456 @example.com",
        "@example.com code #123456",
        "@example.com  #123456",
        "@example.com #123456\n",
        "@ #123456",
        "@example.com #",
    ] {
        assert_eq!(origin_bound(text), None, "{text}");
    }
}

#[test]
fn a_browser_finds_host_and_code_in_every_text() {
    let apps = read(r#"{"shop":{"host":"shop.example"}}"#).unwrap();
    for (app, host) in [("default", "login.example"), ("shop", "shop.example")] {
        for (.., text) in texts(&apps, app) {
            assert_eq!(origin_bound(&text), Some((host.to_owned(), "042042".to_owned())), "{text}");
            assert_eq!(text.matches('\n').count(), 1, "{text}");
        }
    }
}

#[test]
fn android_finds_the_hash_of_its_app_at_the_end() {
    let apps = read(r#"{"shop":{"androidHash":"FA+9qCX9VSu"}}"#).unwrap();
    for (_, _, platform, text) in texts(&apps, "shop") {
        assert_eq!(text.ends_with("\nFA+9qCX9VSu"), platform == Platform::Android, "{text}");
        assert_eq!(origin_bound(&text).is_some(), platform != Platform::Android, "{text}");
        assert!(text.contains("042042"));
    }
}

#[test]
fn every_built_in_text_is_one_message_that_says_what_it_is_for() {
    let apps = Apps::read(None, &served(&["default"]), "login.example", 6, 10).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for language in Language::ALL {
        for purpose in Purpose::ALL {
            for signed in [false, true] {
                let to = Recipient { app: "default", language, purpose, platform: Platform::Web, signed };
                let text = apps.compose(&to, "042042", 10);
                let is_gsm = language == Language::En && !signed;
                let units = text.encode_utf16().count();
                assert_eq!(Length::of(&text), if is_gsm { Length::Gsm(units) } else { Length::Ucs2(units) });
                assert!(units <= if is_gsm { 160 } else { 70 }, "{text}");
                let nobody = if language == Language::En { "Tell nobody" } else { "切勿告诉" };
                assert!(text.contains(nobody), "{text}");
                assert!(!signed || text.starts_with("【onetap】"), "{text}");
                seen.insert(text);
            }
        }
    }
    // Chinese is signed everywhere; English only where it must be.
    assert_eq!(seen.len(), 3 * Purpose::ALL.len(), "the purposes differ");
}

#[test]
fn a_long_host_leaves_room_for_the_code_and_the_warning() {
    let host = "onetap.a-long-company-name.workers.dev";
    let short = &host[..35];
    let apps = Apps::read(None, &served(&["default"]), short, 6, 5).unwrap();
    for (_, _, _, text) in texts(&apps, "default") {
        assert_eq!(origin_bound(&text), Some((short.to_owned(), "042042".to_owned())), "{text}");
        assert!(text.contains("勿告他人") || text.contains("Tell nobody"), "{text}");
    }
}

#[test]
fn an_app_speaks_in_its_own_name() {
    let apps = read(
        r#"{"default":{"name":{"zh-CN":"一点通","en":"Onetap"}},
            "shop":{"name":{"zh-CN":"小店应用"},"signature":{"zh-CN":"小店"},
                    "templates":{"en":{"login":"[{signature}] {code}, {name}"}}}}"#,
    )
    .unwrap();
    let text = |app, language, purpose| {
        let to = Recipient { app, language, purpose, platform: Platform::Ios, signed: false };
        apps.compose(&to, "042042", 5)
    };
    assert_eq!(
        text("default", Language::ZhCn, Purpose::Login),
        "【一点通】登录验证码042042，5分钟有效，切勿告诉他人。\n@login.example #042042"
    );
    assert_eq!(
        text("default", Language::En, Purpose::Bind),
        "042042 is your Onetap new phone code, valid for 5 min. Tell nobody.\n\
         @login.example #042042"
    );
    assert!(text("shop", Language::ZhCn, Purpose::StepUp).starts_with("【小店】安全验证码042042"));
    assert_eq!(text("shop", Language::En, Purpose::Login), "[onetap] 042042, onetap\n@login.example #042042");
}

#[test]
fn a_brace_in_a_name_opens_no_hole() {
    let apps = read(r#"{"default":{"name":{"en":"{minutes}"}}}"#).unwrap();
    let (language, purpose, platform) = (Language::En, Purpose::Login, Platform::Web);
    let to = Recipient { app: "default", language, purpose, platform, signed: false };
    let text = apps.compose(&to, "042042", 5);
    assert!(text.contains("your {minutes} sign-in code"), "{text}");
}

#[test]
fn all_problems_are_named_at_once() {
    let problems = problems(
        r#"{"default":{"language":"fr","host":"https://login.example:8443","androidHash":"tooShort=",
                       "signature":{"zh-CN":"签"},
                       "templates":{"zh-CN":{"login":"您好"},"en":{"bind":"{code} {cdoe} {open"}}},
            "ghost":{}}"#,
    );
    for problem in [
        "ghost: is not in APPS",
        "default: \"language\" is neither",
        "default: \"host\" is not a host name",
        "default: \"androidHash\" is not 11",
        "default: the zh-CN signature",
        "default: the zh-CN template of login has no {code}",
        "default: the en template of bind has {cdoe}",
        "default: the en template of bind has {open}",
    ] {
        assert!(problems.contains(problem), "{problem}\n{problems}");
    }
    assert_eq!(problems.lines().count(), 8, "{problems}");
    for json in ["[]", r#"{"default":{"nam":{}}}"#, r#"{"default":{"templates":{"en":{"logon":"{code}"}}}}"#]
    {
        assert!(self::problems(json).starts_with("cannot be read"));
    }
}

#[test]
fn a_text_of_71_units_is_refused_and_one_of_70_is_not() {
    let template = |fill: usize| {
        format!(
            r#"{{"default":{{"templates":{{"zh-CN":{{"login":"验证码 {{code}}{}"}}}}}}}}"#,
            "x".repeat(fill)
        )
    };
    // Four for the words and the space, six for the code, then the line feed and the last line.
    let fits = 70 - 4 - 6 - 1 - "@login.example #042042".len();
    assert!(read(&template(fits)).is_ok());
    let problems = problems(&template(fits + 1));
    assert!(problems.contains("the zh-CN text of login for web has 71 UTF-16 units"), "{problems}");
}

#[test]
fn the_host_of_the_issuer_counts_too() {
    let long = format!("{}.example", "a".repeat(40));
    let problems = Apps::read(None, &served(&["default"]), &long, 6, 5).unwrap_err();
    assert!(!problems.is_empty() && problems.iter().all(|problem| problem.starts_with("default: the ")));
}
