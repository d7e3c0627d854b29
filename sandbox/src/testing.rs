//! A simulator without a socket, its clock at hand, with one account per vendor (the values of the test vectors).

use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Config, World, router};

pub(crate) struct Bench {
    pub(crate) world: Arc<World>,
    app: Router,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let accounts = json!([
            { "provider": "flash_v2", "app": "default", "settings": { "appId": "aB3dE6gH", "appKey": "Zk7Qp2Lm" } },
            { "provider": "flash_v2", "app": "second", "settings": { "appId": "hG6eD3Ba", "appKey": "mL2pQ7kZ" } },
            { "provider": "flash_v1", "app": "default", "settings": { "appId": "aB3dE6gH", "appKey": "Zk7Qp2Lm" } },
            { "provider": "cmcc", "app": "default", "settings": {
                "appId": "300012345678",
                "appSecret": "4E6F7441526561C53656372657431323",
                "appKey": "0A1B2C3D4E5F60718293A4B5C6D7E8F9",
            } },
            { "provider": "aliyun", "app": "default", "settings": {
                "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": "InventedSecret00000000000000000",
            } },
            { "provider": "mobtech", "app": "default", "settings": {
                "appKey": "3a1b2c3d4e5f6", "appSecret": "c0ffee00c0ffee00c0ffee00c0ffee00",
            } },
            { "provider": "chuanglan_sms", "app": "default", "weight": 1, "settings": {
                "account": "N1234567", "password": "InventedPass1",
            } },
            { "provider": "chuanglan_sms_v2", "app": "default", "templates": { "default": "1" }, "settings": {
                "account": "YZM1234567", "password": "InventedPass1", "signature": "测试",
            } },
            { "provider": "chuanglan_sms_intl", "app": "default", "settings": {
                "account": "I1234567", "password": "InventedPass2",
            } },
            { "provider": "aliyun_sms", "app": "default", "settings": {
                "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": "InventedSecret00000000000000000",
                "signName": "测试",
            } },
            { "provider": "tencent_sms", "app": "default", "settings": {
                "secretId": "AKIDinvented00000001", "secretKey": "InventedSecretKey0123456789",
                "sdkAppId": "1400000001", "signName": "测试", "region": "ap-guangzhou",
            } },
            { "provider": "twilio", "app": "default", "settings": {
                "accountSid": "AC00000000000000000000000000000001",
                "authToken": "0123456789abcdef0123456789abcdef", "from": "+15005550006",
            } },
            { "provider": "aliyun_email", "app": "default", "settings": {
                "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": "InventedSecret00000000000000000",
                "accountName": "code@shop.example",
            } },
            { "provider": "tencent_email", "app": "default", "templates": { "default": "100091" }, "settings": {
                "secretId": "AKIDinvented00000001", "secretKey": "InventedSecretKey0123456789",
                "from": "code@shop.example", "region": "ap-guangzhou",
            } },
            { "provider": "resend", "app": "default", "settings": {
                "apiKey": "re_invented", "from": "Shop <code@shop.example>",
            } },
            { "provider": "turnstile", "app": "default", "platforms": ["web"], "settings": {
                "siteKey": "0xInventedSite", "secretKey": "0xInventedSecret",
            } },
            { "provider": "geetest", "app": "default", "settings": {
                "captchaId": "0a1b2c3d", "captchaKey": "InventedKey",
            } },
            { "provider": "jpush_push", "app": "default", "settings": {
                "appKey": "7d431e42dfa6a6d693ac2d04", "masterSecret": "5e987ac6d2e04d95a9d8f0d1",
            } },
            { "provider": "jpush_risk", "app": "default", "settings": {
                "appKey": "7d431e42dfa6a6d693ac2d04", "masterSecret": "5e987ac6d2e04d95a9d8f0d1",
            } },
            { "provider": "chuanglan_data", "app": "default", "settings": {
                "appId": "A1234567", "appSecret": "InventedAppSecret01",
            } },
            { "provider": "aliyun_number", "app": "default", "settings": {
                "accessKeyId": "LTAIinventedKeyId", "accessKeySecret": "InventedSecret00000000000000000",
                "authCode": "Dd1r00004id", "statusAuthCode": "Dd1r00005id",
            } },
            { "provider": "camara", "app": "default", "settings": { "accessToken": "invented-token" } },
            { "provider": "wechat", "app": "default", "settings": {
                "appId": "wx0123456789abcdef", "appSecret": "InventedAppSecret1",
            } },
            { "provider": "wechat", "app": "second", "settings": {
                "appId": "wxfedcba9876543210", "appSecret": "InventedAppSecret2",
            } },
            { "provider": "qq", "app": "default", "settings": { "appId": "101000001", "appKey": "InventedAppKey" } },
            { "provider": "weibo", "app": "default", "settings": {
                "appKey": "2000000001", "appSecret": "InventedAppSecret3",
            } },
            { "provider": "oidc", "kind": "corp", "app": "default", "settings": {
                "issuer": "https://issuer.example/oidc", "clientId": "client-1", "clientSecret": "InventedSecret1",
                "scope": "openid profile",
            } },
            { "provider": "oidc_post", "kind": "partner", "app": "default", "settings": {
                "issuer": "https://issuer.example/oidc", "clientId": "client-2", "clientSecret": "InventedSecret2",
                "scope": "openid profile",
            } },
        ]);
        let config = Config::parse(None, None, Some(accounts.to_string())).expect("a good configuration");
        let world = Arc::new(World::new(config));
        Bench { app: router(Arc::clone(&world)), world }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(uri), |request, (name, value)| {
                request.header(*name, *value)
            })
            .body(Body::from(body))
            .expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a body").to_bytes().to_vec();
        Reply { status, body }
    }

    pub(crate) async fn get(&self, uri: &str) -> Reply {
        self.send("GET", uri, &[], String::new()).await
    }

    pub(crate) async fn post(&self, uri: &str, content_type: &str, body: String) -> Reply {
        self.send("POST", uri, &[("content-type", content_type)], body).await
    }

    /// The credential the SDK would hand over.
    pub(crate) async fn mint(&self, body: Value) -> Value {
        let reply = self.post("/sandbox/credentials", "application/json", body.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()["credential"].take()
    }

    /// The token of a credential for +86 138 0013 8000.
    pub(crate) async fn token(&self, provider: &str, purpose: &str) -> String {
        let credential =
            self.mint(json!({ "phone": "+8613800138000", "provider": provider, "purpose": purpose })).await;
        credential["token"].as_str().expect("a token").to_owned()
    }

    /// Tells whose a number is; the HTTP status of the answer.
    pub(crate) async fn people(&self, body: Value) -> u16 {
        self.post("/sandbox/people", "application/json", body.to_string()).await.status
    }

    /// What a captcha's widget would hand over.
    pub(crate) async fn captcha(&self, body: Value) -> String {
        let reply = self.post("/sandbox/captchas", "application/json", body.to_string()).await;
        reply.json()["captchaToken"].as_str().expect("a token").to_owned()
    }

    /// What a third party sends back with the browser.
    pub(crate) async fn code(&self, kind: &str, body: Value) -> String {
        let reply =
            self.post(&format!("/sandbox/idp/{kind}/codes"), "application/json", body.to_string()).await;
        reply.json()["code"].as_str().expect("a code").to_owned()
    }

    pub(crate) async fn calls(&self, provider: &str) -> Value {
        self.get(&format!("/sandbox/calls?provider={provider}")).await.json()
    }
}

/// A URL-encoded form or query.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
