//! A headless Chromium, driven by chromedriver over WebDriver (W3C): the five commands that the stories need.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::http,
    stack::{end_group, free_ports, spawn_group},
};

const START_LIMIT: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(40);

/// A browser with a profile of its own, outside the folder that is searched for secrets.
pub(crate) struct Chromium {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts one for which every name below `example` leads to a port of this machine, and no other name anywhere.
    pub(crate) async fn start(port: u16) -> Self {
        let profile = tempfile::Builder::new().prefix("onetap-chromium-").tempdir().unwrap();
        let [driver_port, _] = free_ports();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={driver_port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = spawn_group(&mut command);
        let options = json!({ "args": [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-http2",
            "--ignore-certificate-errors",
            format!("--host-resolver-rules=MAP *.example 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
            format!("--user-data-dir={}", profile.path().display()),
        ]});
        let base = format!("http://127.0.0.1:{driver_port}/session");
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let mut chromium = Self { driver, session: base.clone(), _profile: profile };
        let began = Instant::now();
        let session = loop {
            match chromium.try_command("", &wanted).await {
                Ok(session) => break session,
                Err(error) => {
                    assert!(error.is_connect() && began.elapsed() < START_LIMIT, "chromedriver: {error}")
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let id = session["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {session}"));
        chromium.session = format!("{base}/{id}");
        chromium
    }

    /// Goes to a page and waits until it is there.
    pub(crate) async fn open(&self, url: &str) {
        self.command("/url", &json!({ "url": url })).await;
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.command("/refresh", &json!({})).await;
    }

    /// What the body of an async function comes to in the page, or the error it throws. The value goes as `given`.
    pub(crate) async fn run(&self, body: &str, given: Value) -> Result<Value, String> {
        let script = format!(
            "const [given, done] = arguments;
             (async () => {{ {body} }})().then(ok => done({{ ok: ok ?? null }}), error => done({{ error: `${{error}}` }}));"
        );
        let result = self.command("/execute/async", &json!({ "script": script, "args": [given] })).await;
        match result["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(result["ok"].clone()),
        }
    }

    /// The same for statements that leave the page.
    pub(crate) async fn leave(&self, script: &str) {
        self.command("/execute/sync", &json!({ "script": script, "args": [] })).await;
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        http().delete(&self.session).timeout(PATIENCE).send().await.unwrap();
    }

    async fn command(&self, command: &str, given: &Value) -> Value {
        let value = self.try_command(command, given).await.unwrap();
        let error = value["error"].as_str().filter(|_| value["stacktrace"].is_string());
        assert!(error.is_none(), "{command}: {}", value["message"]);
        value
    }

    async fn try_command(&self, command: &str, given: &Value) -> reqwest::Result<Value> {
        let url = format!("{}{command}", self.session);
        let request = http().post(url).timeout(PATIENCE).json(given);
        Ok(request.send().await?.json::<Value>().await?["value"].take())
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        end_group(&mut self.driver);
    }
}
