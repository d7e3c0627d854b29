//! TC3 vectors whose bodies no document would write in the same order of members.

use super::*;
use crate::providers::sign::Signed;

const VECTORS: &str = include_str!("../../../tests/vectors/providers.json");

fn authorization(name: &str, host: &str, service: &str, key_id: &str, now: i64, signed: &[&str]) {
    let vector = &serde_json::from_str::<Value>(VECTORS).unwrap()[name];
    let text = |name: &str| vector[name].as_str().unwrap();
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-tc-action", "DescribeInstances"),
        ("x-tc-version", "2017-03-12"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = text("body").as_bytes();
    let request = Signed { method: "POST", host, path: "/", query: "", headers: &headers, body };
    let signed: Vec<String> = signed.iter().map(|name| (*name).to_owned()).collect();
    let added = request.tc3(Timestamp::from_secs(now), service, &signed, key_id, text("secretKey"));
    assert_eq!(added, ("authorization".to_owned(), text("authorization").to_owned()));
}

#[test]
fn tc3_published() {
    let key_id = format!("AKID{}", "*".repeat(32));
    let signed = ["content-type", "host", "x-tc-action"];
    authorization("tc3_published", "cvm.tencentcloudapi.com", "cvm", &key_id, 1_551_113_065, &signed);
}

#[test]
fn tc3_sendsms() {
    let signed = ["content-type", "host"];
    let host = "sms.tencentcloudapi.com";
    authorization("tc3_sendsms", host, "sms", "AKIDinvented00000001", 1_795_132_800, &signed);
}
