//! What is sent, and when nothing is.

use super::*;
use crate::providers::{CallError, all};

#[test]
fn a_base_url_replaces_scheme_and_host_only() {
    let mut bench = Bench::new("aliyun");
    let direct = bench.call(Capability::OneTap).request().unwrap();
    bench.account.base_url = Some("https://relay.example:8443/aliyun/".into());
    let relayed = bench.call(Capability::OneTap).request().unwrap();
    let path = direct.url.strip_prefix("https://dypnsapi.aliyuncs.com").unwrap();
    assert_eq!(relayed.url, format!("https://relay.example:8443/aliyun{path}"));
    assert_eq!(relayed.headers, direct.headers, "the vendor's host stays signed");

    let base_url = Some("http://127.0.0.1:8788");
    let development = Call { base_url, ..bench.call(Capability::OneTap) }.request().unwrap();
    assert_eq!(development.url, format!("http://127.0.0.1:8788{path}"));
}

#[test]
fn a_credential_of_another_app_is_not_sent() {
    let mut bench = Bench::new("flash_v1");
    bench.credential.insert("appId".into(), Secret::new("otherApp".into()));
    assert_eq!(bench.call(Capability::OneTap).request(), Err(CallError::WrongApp("appId".into())));
}

#[test]
fn what_cannot_be_sent_is_named() {
    let mut bench = Bench::new("flash_v1");
    assert_eq!(bench.call(Capability::NumberCheck).request(), Err(CallError::NotOffered));
    bench.credential.insert("telecom".into(), Secret::new("CBN".into()));
    assert_eq!(bench.call(Capability::OneTap).request(), Err(CallError::Credential("telecom".into())));
    bench.credential = bench.credential.iter().filter(|(name, _)| name != "sign").cloned().collect();
    assert_eq!(bench.call(Capability::OneTap).request(), Err(CallError::Credential("sign".into())));

    let mut bench = Bench::new("cmcc");
    bench.phone = PhoneNumber::parse("+14155550100").unwrap();
    assert_eq!(bench.call(Capability::NumberCheck).request(), Err(CallError::Phone));
    assert_eq!(Call { phone: None, ..bench.call(Capability::NumberCheck) }.request(), Err(CallError::Phone));
}

#[test]
fn everything_offered_can_be_asked() {
    for document in all() {
        let bench = Bench::new(document.id());
        for capability in Capability::ALL.into_iter().filter(|capability| document.offers(*capability)) {
            let request = bench.call(capability).request().unwrap();
            let most = match capability {
                Capability::Sms | Capability::Email => 4000,
                Capability::Push => 5000,
                Capability::Identity => 3000,
                _ => 2000,
            };
            assert!(request.timeout.as_millis() <= most);
            assert!(request.method == "POST" || request.body.is_empty());
            assert!(request.url.starts_with("https://"));
            let shown = format!("{request:?}");
            assert!(!shown.contains("token") && !shown.contains("xiaoming"));
            assert_eq!(document.credential_problems(capability, &bench.credential), []);
            let has_token = !capability.is_shared() && capability != Capability::Risk;
            assert_eq!(document.primary(capability, &bench.credential).is_some(), has_token);
        }
    }
}
