//! How accounts are stored, pinned: a deployment reads what the one before it wrote.

use super::{
    super::object::Document,
    tests::{at, digest, sign_in},
    *,
};
use crate::{
    kernel::id::TicketId,
    model::step_up::{Reason, StepUp},
};

/// Everything that version 1 can hold.
const PERSISTED: &str = concat!(
    r#"{"version":1,"state":{"created":{"at":7000,"by":"ses_aeaqcaibaeaqcaibaeaqcaibae","#,
    r#""on":"dev_aeaqcaibaeaqcaibaeaqcaibae"},"#,
    r#""identifiers":[{"handle":"phone.k1.name","value":"k1.number","since":0},"#,
    r#"{"handle":"wechat.k1.name","value":"k1.subject","since":7000,"alias_of":"wechat.k1.other","claiming":true}],"#,
    r#""devices":[{"id":"dev_aeaqcaibaeaqcaibaeaqcaibae","token_digest":"digest-1","token_since":7500,"#,
    r#""previous_token":"digest-0","key":{"thumbprint":"print","seen":[["proof",9000]]},"profile":{"platform":"ios","#,
    r#""name":"k1.device","model":"iPhone18,1","os":"iOS 20","app_version":"1.0","push_token":"k1.push"},"#,
    r#""usage":{"first_at":7000,"last_day":0,"days":1},"trusted_since":7000,"confirmed_at":7000}],"#,
    r#""sessions":[{"id":"ses_aeaqcaibaeaqcaibaeaqcaibae","device":"dev_aeaqcaibaeaqcaibaeaqcaibae","#,
    r#""app":"default","method":"one_tap","stepped_up":true,"created_at":7000,"#,
    r#""consent":"2026-11","proven_at":8000,"generation":1,"rotated_at":8000}],"protected":true,"#,
    r#""step_ups":{"asked":[7000],"codes":[7500]},"frozen":true,"#,
    r#""profile":{"display_name":"k1.name","avatar_url":"k1.url","locale":"k1.locale"},"#,
    r#""password":{"hash":"k1.hash","set_at":7500},"former_numbers":[{"handle":"phone.k1.old","#,
    r#""value":"k1.old","since":0,"until":7000,"cause":"changed"}],"#,
    r#""phone_change":{"handle":"phone.k1.new","value":"k1.new","device":"dev_aeaqcaibaeaqcaibaeaqcaibae","#,
    r#""requested_at":7000,"effective_at":8000,"until":9000},"#,
    r#""trusted_phones":[{"id":"tph_aeaqcaibaeaqcaibaeaqcaibae","name":"phone.k1.friend","value":"k1.friend","#,
    r#""label":"k1.label","proven_at":7000}],"#,
    r#""closing":{"account":"acc_mrsgizdemrsgizdemrsgizdemq","until":9000},"#,
    r#""verified":{"name":"k1.owner","id":"k1.id"},"supplied":{"facts":[{"kind":"city","text":"k1.fact"}],"#,
    r#""friends":[["acc_mrsgizdemrsgizdemrsgizdemq",3]],"money":true}},"#,
    r#""outbox":{"next_id":3,"letters":[{"id":1,"message":{"renew_proof":{"handle":"phone.k1.name","#,
    r#""account":"acc_mrsgizdemrsgizdemrsgizdemq","at":7000,"method":"one_tap"}},"attempts":0,"due":7000}]}}"#,
);

/// A sign-in that waits outlives a deployment.
const WAITING: &str = concat!(
    r#"{"ticket":"tkt_aeaqcaibaeaqcaibaeaqcaibae","reason":"new_device","sign_in":{"#,
    r#""account":"acc_mrsgizdemrsgizdemrsgizdemq","identifier":{"handle":"phone.k1.name","value":"k1.number","since":0},"#,
    r#""method":"one_tap","creates":true,"app":"default","consent":"2026-11","session":"ses_aeaqcaibaeaqcaibaeaqcaibae","#,
    r#""presented":{},"new_device":["dev_aeaqcaibaeaqcaibaeaqcaibae","digest-1"],"#,
    r#""ticket":"tkt_aeaqcaibaeaqcaibaeaqcaibae","profile":{"platform":"ios","name":"k1.device"},"place":{},"#,
);

#[test]
fn a_waiting_sign_in_is_persisted_so() {
    let step_up = StepUp {
        ticket: TicketId::from_bytes([1; 16]),
        reason: Reason::NewDevice,
        sign_in: sign_in(1, None),
        device_token: digest(1),
        key: None,
        token_issued: true,
        until: at(600),
        question: None,
        need: 2,
        proven: Vec::new(),
        questions: None,
        action: None,
        carried_out: false,
        not_mine: false,
    };
    let json = serde_json::to_string(&step_up).unwrap();
    assert!(json.starts_with(WAITING), "{json}");
    assert!(
        json.ends_with(r#""device_token":"digest-1","token_issued":true,"until":600000,"need":2}"#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<StepUp>(&json).unwrap(), step_up);
}

#[test]
fn persisted_format() {
    let document: Document<Account> = serde_json::from_str(PERSISTED).unwrap();
    assert_eq!(serde_json::to_string(&document).unwrap(), PERSISTED);
}

#[test]
fn what_is_optional_may_be_missing_from_old_documents() {
    let mut old: serde_json::Value = serde_json::from_str(PERSISTED).unwrap();
    old.as_object_mut().unwrap().remove("outbox");
    let device = old["state"]["devices"][0].as_object_mut().unwrap();
    device.remove("trusted_since");
    for name in ["model", "os", "app_version", "push_token"] {
        device["profile"].as_object_mut().unwrap().remove(name);
    }
    for name in ["token_since", "previous_token", "key", "confirmed_at"] {
        device.remove(name);
    }
    for name in ["consent", "stepped_up", "proven_at"] {
        old["state"]["sessions"][0].as_object_mut().unwrap().remove(name);
    }
    let optional = [
        "protected",
        "step_ups",
        "frozen",
        "profile",
        "password",
        "former_numbers",
        "phone_change",
        "trusted_phones",
        "closing",
        "verified",
        "supplied",
    ];
    for name in optional {
        old["state"].as_object_mut().unwrap().remove(name);
    }
    old["state"]["created"].as_object_mut().unwrap().remove("on");
    let mut document: Document<Account> = serde_json::from_value(old).unwrap();
    let known = Operation::SignIn(Box::new(sign_in(2, Some(digest(1)))));
    let outcome = document.apply(known, at(9));
    assert!(matches!(outcome, Outcome::SignedIn { token_issued: false, .. }), "{outcome:?}");
}
