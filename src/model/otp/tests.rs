//! The form in which codes are persisted. What they do is held against a model in `tests/otp_model.rs`.

use super::*;

#[test]
fn persisted_format() {
    let json = concat!(
        r#"{"strangers":{"newest":{"challenge":"chl_aeaqcaibaeaqcaibaeaqcaibae","operation":"o","request":"r","#,
        r#""sent_at":1000,"expires":301000,"settled":true,"measured":true,"mac":"m","mac_until":91000,"stop":30,"#,
        r#""tries":[{"operation":"t","request":"r","at":2000}],"used":{"operation":"u","request":"r","at":3000}},"#,
        r#""sends":[1000],"failures":1,"until":86401000,"failures_until":604802000,"last_failure":2000}}"#
    );
    let otp: Otp = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&otp).unwrap(), json);
    assert!(otp.own_devices.is_empty());
}
