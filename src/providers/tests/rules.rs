//! Documents that must not pass their checks, and requests made of arbitrary values.

use proptest::prelude::*;

use super::*;
use crate::providers::{BUILT_IN, all, template::Template};

/// A document that keeps every rule and uses most of the language.
fn good() -> Value {
    let outcome = json!({"ok": ["0"], "rejected": ["1"], "unavailable": ["5*"], "account": ["9"]});
    json!({
        "id": "example", "name": "Example", "certainty": "vendor", "sources": ["https://vendor.example/api"],
        "settings": {"appId": {"secret": false}, "appKey": {"secret": true, "min_length": 8}},
        "one_tap": {
            "credential": ["token", "appId", "operator", "extra?"], "token": "token", "same": ["appId"],
            "derive": {
                "keyMd5": {"digest": "md5", "of": "{appKey}", "output": "hex"},
                "path": {"map": {"CMCC": "m"}, "of": "operator"}
            },
            "request": {"method": "POST", "url": "https://vendor.example/{path}", "encoding": "json",
                        "headers": {"x-nonce": "{nonce}"}, "timeout_ms": 2000},
            "fields": {"body.token": "{token}", "body.extra": "{extra}"},
            "sign": {"scheme": "mac", "of": "{sorted_query}", "mac": "hmac_sha256", "key": "{appKey}",
                     "output": "hex", "into": {"field": "body.sign"}},
            "reply": {"code": ["/code"], "value": ["/data"]},
            "decrypt": {"cipher": "aes_128_cbc", "input": "hex", "key": "{keyMd5[0..16]}", "iv": "{keyMd5[16..32]}"},
            "outcome": outcome
        },
        "number_check": {
            "credential": ["token"], "token": "token",
            "request": {"method": "GET", "url": "https://vendor.example/check", "encoding": "query", "timeout_ms": 2000},
            "fields": {"phone": "{phone_national}", "token": "{token}"},
            "reply": {"code": ["/code"], "value": ["/same"]},
            "verdict": {"match": ["1"], "mismatch": ["0"]},
            "outcome": outcome
        },
        "sms": {
            "countries": ["86"], "template": true, "raw": ["list"],
            "derive": {"basic": {"base64": "{appId}:{appKey}"}},
            "request": {"method": "POST", "url": "https://vendor.example/", "query": {"id": "{appId}"},
                        "encoding": "json", "timeout_ms": 2000,
                        "headers": {"authorization": "{basic}", "content-type": "application/json"}},
            "fields": {"to.0": "{phone_digits}", "id": "{template}", "list": "{params_list}"},
            "sign": {"scheme": "tc3", "key_id": "{appId}", "key": "{appKey}", "service": "sms",
                     "headers": ["host", "content-type"]},
            "reply": {"code": ["/code"]},
            "outcome": outcome
        },
        "risk": {
            "request": {"method": "POST", "url": "https://vendor.example/risk", "encoding": "form", "timeout_ms": 2000},
            "fields": {"phone": "{phone}"},
            "sign": {"scheme": "mac", "of": "{sorted_parts}", "parts": ["{appKey}", "{nonce}"], "mac": "sha256",
                     "output": "hex", "into": {"header": "x-sign"}},
            "reply": {"code": ["/code"], "value": ["/score"]},
            "score": {"challenge": 600, "deny": 850},
            "outcome": outcome
        },
        "reassigned": inquiry(json!({"phone": "{phone}", "since": "{since_iso[0..10]}"}),
                              json!({"reassigned": ["y"], "not_reassigned": ["n"]})),
        "two_factor": inquiry(json!({"phone": "{phone}", "name": "{name}"}), json!({"match": ["1"], "mismatch": ["2"]})),
        "number_status": inquiry(json!({"phone": "{phone}"}), json!({"active": ["1"]})),
        "receipt": {
            "encoding": "json", "message_id": "/id", "status": "/status", "delivered": ["1"], "passing": ["2"],
            "reply": {"content_type": "text/plain", "body": "ok"}
        }
    })
}

fn inquiry(fields: Value, verdict: Value) -> Value {
    json!({
        "countries": ["86"],
        "request": {"method": "POST", "url": "https://vendor.example/ask", "encoding": "json", "timeout_ms": 2000},
        "fields": fields, "verdict": verdict, "reply": {"code": ["/code"], "value": ["/data"]},
        "outcome": {"ok": ["0"], "rejected": ["2"], "unavailable": ["1"], "account": ["9"]}
    })
}

/// The problems of the good document with one place changed; `null` removes the place.
fn problems_with(pointer: &str, value: Value) -> String {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.to_owned(), value),
    };
    Document::from_json(&document.to_string()).map(|_| String::new()).unwrap_or_else(|list| list.join("\n"))
}

#[test]
fn built_in_documents_read_back_as_they_were_checked() {
    assert_eq!(all().count(), BUILT_IN.len());
    for built_in in &BUILT_IN {
        // The build leaves the sources out when it has seen them.
        let mut json: Value = serde_json::from_str(built_in.json).unwrap();
        json["sources"] = json!(["seen"]);
        let mut document = Document::from_json(&json.to_string()).unwrap();
        document.sources.clear();
        assert_eq!(document.id(), built_in.id);
        assert_eq!(find(built_in.id), Some(&document));
        assert!(Capability::ALL.iter().any(|capability| document.offers(*capability)));
    }
    assert!(find("nobody").is_none());
}

#[test]
fn a_good_document_passes_and_keeps_its_form() {
    let document = Document::from_json(&good().to_string()).unwrap();
    let mut written = serde_json::to_value(&document).unwrap();
    written["sources"] = good()["sources"].clone();
    assert_eq!(Document::from_json(&written.to_string()).unwrap(), document);
}

#[test]
fn every_rule_is_kept() {
    let sign = |change: Value| {
        let mut sign = good().pointer("/one_tap/sign").unwrap().clone();
        sign.as_object_mut().unwrap().extend(object(change));
        sign
    };
    let decrypt = |change: Value| {
        let mut decrypt = good().pointer("/one_tap/decrypt").unwrap().clone();
        decrypt.as_object_mut().unwrap().extend(object(change));
        decrypt
    };
    for (pointer, value, problem) in [
        ("/id", json!("Example"), "id must be"),
        ("/name", json!(""), "name is empty"),
        ("/sources", json!([]), "need sources"),
        ("/certainty", json!("sure"), "unknown variant"),
        ("/typo", json!(1), "unknown field"),
        ("/settings/token", json!({"secret": false}), "\"token\" has two meanings"),
        ("/settings/nonce", json!({"secret": false}), "\"nonce\" has two meanings"),
        ("/settings/a b", json!({"secret": false}), "is not a name"),
        (
            "/settings/appKey",
            json!({"secret": true, "length": 8, "min_length": 8}),
            "both length and min_length",
        ),
        ("/one_tap/token", json!("extra"), "token is no required credential field"),
        ("/one_tap/same", json!([]), "\"appId\" has two meanings"),
        ("/one_tap/same", json!(["appId", "operator"]), "same: \"operator\""),
        (
            "/one_tap/derive/token",
            json!({"digest": "md5", "of": "", "output": "hex"}),
            "\"token\" has two meanings",
        ),
        (
            "/one_tap/derive/more",
            json!({"digest": "md5", "of": "{keyMd5}", "output": "hex"}),
            "which is nothing",
        ),
        ("/one_tap/derive/more", json!({"digest": "md5", "of": "{extra}", "output": "hex"}), "optional"),
        (
            "/one_tap/derive/more",
            json!({"digest": "hmac_sha1", "of": "", "output": "hex"}),
            "a key goes with an HMAC",
        ),
        (
            "/one_tap/derive/path",
            json!({"map": {"CMCC": "m"}, "of": "nobody"}),
            "no required credential field",
        ),
        ("/one_tap/derive/path", json!({"map": {}, "of": "operator"}), "maps nothing"),
        ("/one_tap/request/url", json!("http://vendor.example/"), "must be https://"),
        ("/one_tap/request/url", json!("https://{path}/"), "must be https://"),
        ("/one_tap/request/url", json!("https://vendor.example"), "must be https://"),
        ("/one_tap/request/url", json!("https://u@vendor.example/"), "must be https://"),
        ("/one_tap/request/url", json!("https://vendor.example/?q=1"), "must be https://"),
        ("/one_tap/request/url", json!("https://vendor.example/{appKey}"), "settings that are not secret"),
        ("/one_tap/request/url", json!("https://vendor.example/{token}"), "settings that are not secret"),
        ("/one_tap/request/headers", json!({"X-Nonce": "1"}), "not lower-case"),
        ("/one_tap/request/headers", json!({"x-nonce": "{nobody}"}), "which is nothing"),
        ("/one_tap/request/headers", json!({"x-nonce": "{extra}"}), "optional"),
        ("/one_tap/request/timeout_ms", json!(0), "timeout_ms"),
        ("/one_tap/request/timeout_ms", json!(60_000), "timeout_ms"),
        ("/one_tap/request/method", json!("GET"), "no body"),
        ("/one_tap/request/method", json!("PUT"), "unknown variant"),
        ("/one_tap/request/encoding", json!("form"), "only JSON nests"),
        ("/one_tap/fields/body", json!("1"), "both a value and an object"),
        ("/one_tap/fields/body..a", json!("1"), "empty part"),
        ("/one_tap/fields/more", json!("{nobody}"), "which is nothing"),
        ("/one_tap/fields/more", json!("{phone}"), "which is nothing"),
        ("/one_tap/fields/more", json!("{appKey[0..9]}"), "may be shorter"),
        ("/one_tap/fields/more", json!("{appKey"), "unmatched brace"),
        ("/one_tap/fields/body.sign", json!("1"), "a field already"),
        ("/one_tap/sign", sign(json!({"of": "{extra}"})), "optional"),
        ("/one_tap/sign", sign(json!({"mac": "md5"})), "a key goes with an HMAC"),
        ("/one_tap/sign", sign(json!({"scheme": "rot13"})), "unknown variant"),
        ("/one_tap/sign", sign(json!({"into": {"header": "X"}})), "not lower-case"),
        ("/one_tap/reply/code", json!([]), "reply needs"),
        ("/one_tap/reply/value", json!(["data"]), "no JSON pointer"),
        ("/one_tap/decrypt", decrypt(json!({"key": "{appKey}"})), "not known to have 16"),
        ("/one_tap/decrypt", decrypt(json!({"cipher": "des_cbc"})), "not known to have 8"),
        ("/one_tap/decrypt", decrypt(json!({"iv_hex": "00"})), "not 16 bytes"),
        ("/one_tap/decrypt", decrypt(json!({"iv_hex": "00".repeat(16)})), "one of iv and iv_hex"),
        ("/one_tap/decrypt", decrypt(json!({"json": {"value": []}})), "decrypt.json needs"),
        ("/one_tap/verdict", json!({"match": ["1"]}), "verdict \"match\" does not go with it"),
        ("/one_tap/carrier", json!({"of": "extra", "prefix": {}}), "no required credential field"),
        ("/one_tap/carrier", json!({"of": "operator", "prefix": {"A": "nobody"}}), "unknown variant"),
        ("/one_tap/outcome/ok", json!([]), "outcome.ok is empty"),
        ("/one_tap/outcome/ok", json!(["0*"]), "whole codes"),
        ("/one_tap/outcome/rejected", json!(["0"]), "\"0\" twice"),
        ("/one_tap/outcome/account", json!(["*"]), "empty code"),
        ("/one_tap/outcome/account", json!(null), "missing field"),
        ("/number_check/verdict", json!(null), "verdict lacks \"match\""),
        ("/number_check/verdict/mismatch", json!([]), "verdict lacks \"mismatch\""),
        ("/number_check/verdict/mismatch", json!(["1"]), "verdict has \"1\" twice"),
        ("/number_check/verdict/unknown", json!(["2"]), "verdict \"unknown\" does not go with it"),
        ("/number_check/fields/key", json!("{appKey}"), "secret setting into the URL"),
        ("/one_tap/token", json!(null), "token is no required credential field"),
        ("/one_tap/countries", json!(["86"]), "sms and questions about numbers, and nothing else"),
        ("/one_tap/template", json!(true), "template goes with sms and email"),
        ("/one_tap/score", json!({"challenge": 1, "deny": 2}), "a score goes with risk"),
        ("/one_tap/request/query", json!({"t": "{token}"}), "settings that are not secret"),
        ("/one_tap/request/query", json!({"t": "{extra}"}), "optional"),
        ("/one_tap/fields/more", json!("{text}"), "which is nothing"),
        ("/number_check/raw", json!(["phone"]), "no JSON field of a template"),
        ("/sms/credential", json!(["token"]), "there is no credential here"),
        ("/sms/countries", json!(null), "need countries like"),
        ("/sms/countries", json!(["CN"]), "need countries like"),
        ("/sms/template", json!(false), "no field holds \"text\""),
        ("/sms/fields/id", json!("{text}"), "no field holds \"template\""),
        ("/sms/fields/list", json!("{code}"), "no JSON field of a template"),
        ("/sms/raw", json!(["nobody"]), "no JSON field of a template"),
        ("/sms/request/query", json!({"k": "{basic}"}), "settings that are not secret"),
        ("/sms/derive/basic", json!({"base64": "{nobody}"}), "which is nothing"),
        ("/sms/sign/headers", json!(["host"]), "must hold host and content-type"),
        ("/sms/sign/headers", json!(["host", "content-type", "x-other"]), "one that is not sent"),
        ("/risk/score", json!(null), "a score goes with risk"),
        ("/risk/score", json!({"challenge": 900, "deny": 850}), "challenge <= deny"),
        ("/risk/score", json!({"challenge": 1, "deny": 1001}), "challenge <= deny"),
        ("/risk/reply/value", json!([]), "reply needs"),
        ("/risk/sign/parts", json!(["{nobody}"]), "which is nothing"),
        ("/reassigned/countries", json!(null), "need countries like"),
        ("/reassigned/token", json!("phone"), "there is no credential here"),
        ("/reassigned/fields", json!({"phone": "{phone}"}), "no field holds \"since_\""),
        ("/reassigned/fields/name", json!("{name}"), "which is nothing"),
        ("/reassigned/verdict/cancelled", json!(["n"]), "verdict has \"n\" twice"),
        ("/two_factor/fields/name", json!("王"), "no field holds \"name\""),
        ("/two_factor/fields/since", json!("{since_iso}"), "which is nothing"),
        ("/two_factor/verdict/reassigned", json!(["3"]), "does not go with it"),
        ("/number_status/verdict", json!({"off": ["0"]}), "verdict lacks \"active\""),
        ("/sms", json!(null), "receipts go with sms"),
        ("/receipt/status", json!("status"), "no JSON pointer"),
        ("/receipt/delivered", json!([]), "delivered is empty"),
        ("/receipt/passing", json!(["1"]), "both delivered and passing"),
    ] {
        let found = problems_with(pointer, value.clone());
        assert!(found.contains(problem), "{pointer} = {value}: {found:?}");
    }
    let mut nothing = good();
    nothing
        .as_object_mut()
        .unwrap()
        .retain(|name, _| ["id", "name", "certainty", "sources", "settings"].contains(&name.as_str()));
    assert_eq!(Document::from_json(&nothing.to_string()), Err(vec!["offers nothing".to_owned()]));
}

proptest! {
    #[test]
    fn templates_never_panic(source in ".{0,40}|(\\{[a-c]{0,2}(\\[[0-9]{1,3}\\.\\.[0-9]{1,3}\\])?\\}|.){0,8}", value in ".{0,20}") {
        if let Ok(template) = Template::parse(&source) {
            prop_assert_eq!(template.source(), source.as_str());
            let _ = template.render(|name| (name != "a").then_some(value.as_str()));
        }
    }

    #[test]
    fn documents_never_panic(pointer in "/(one_tap|number_check|sms|risk|receipt|settings)/[a-z_]{1,8}", text in ".{0,20}") {
        let _ = problems_with(&pointer, json!(text));
        let _ = Document::from_json(&text);
    }

    /// Whatever a client sends stays inside the value that it was put into.
    #[test]
    fn values_do_not_leave_their_place(token in ".{1,60}", address in ".{0,40}") {
        let mut bench = Bench::new("flash_v2");
        bench.credential.insert("token".into(), Secret::new(token.clone()));
        let call = Call { address: &address, ..bench.call(Capability::OneTap) };
        let request = call.request().unwrap();
        prop_assert_eq!(&request.url, "https://api.253.com/open/flashsdk/mobile-query");
        let sent: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
        prop_assert_eq!(sent.len(), 6);
        prop_assert!(sent.contains(&("token".to_owned(), token.clone())));
        prop_assert!(sent.contains(&("clientIp".to_owned(), address.clone())));

        let mut bench = Bench::new("aliyun");
        bench.credential.insert("token".into(), Secret::new(token.clone()));
        let request = bench.call(Capability::OneTap).request().unwrap();
        let query = request.url.strip_prefix("https://dypnsapi.aliyuncs.com/?").unwrap();
        let sent: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        prop_assert_eq!(sent, [("AccessToken".to_owned(), token), ("OutId".to_owned(), "req_1".to_owned())]);
    }
}
