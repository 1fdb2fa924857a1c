//! Chromium, controlled through its WebDriver.

use std::process::Stdio;
use std::time::Duration;

use checks::browser::client;
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long to wait for a page or an element.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Chromium {
    client: Client,
    /// The URL of the session at the driver.
    session: String,
    _driver: Child,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) async fn start() -> Self {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut driver = driver.unwrap_or_else(|error| {
            panic!(
                "chromedriver does not start ({error}). Install it: apt-get install chromium chromium-driver"
            )
        });
        let mut said = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = loop {
            let line = said
                .next_line()
                .await
                .expect("text")
                .expect("the driver prints its port");
            let port = line
                .split_once("successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned());
            if let Some(port) = port.filter(|port| port.parse::<u16>().is_ok()) {
                break port;
            }
        };
        // Drain the output, so that the driver never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });

        let profile = tempfile::tempdir().expect("a directory");
        let mut arguments = vec![format!("--user-data-dir={}", profile.path().display())];
        arguments.extend(
            [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-proxy-server",
            ]
            .map(str::to_owned),
        );
        let capabilities = json!({
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"implicit": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis()},
        });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let driver_url = format!("http://127.0.0.1:{port}");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver_url)
            .await
            .expect("a session");
        let id = client.session_id().await.expect("a session");
        Self {
            session: format!("{driver_url}/session/{}", id.expect("a session")),
            client,
            _driver: driver,
            _profile: profile,
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("a page");
    }

    pub(crate) async fn title(&self) -> String {
        self.client.title().await.expect("a title")
    }

    pub(crate) async fn address(&self) -> String {
        let url = self.client.current_url().await;
        url.expect("an address").into()
    }

    pub(crate) async fn click(&self, path: &str) {
        self.find(path).await.click().await.expect("clicked");
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        self.find(path).await.text().await.expect("text")
    }

    pub(crate) async fn style(&self, path: &str, name: &str) -> String {
        let style = self.find(path).await.css_value(name).await;
        style.expect("a style")
    }

    /// Waits until the element exists.
    pub(crate) async fn wait_for(&self, path: &str) {
        self.find(path).await;
    }

    /// Emulates a preference for a colour scheme: `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let command =
            json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.driver("goog/cdp/execute", command).await;
    }

    /// The entries of the browser's log since the last call.
    pub(crate) async fn log(&self) -> Value {
        self.driver("se/log", json!({"type": "browser"})).await
    }

    /// Runs an asynchronous script; returns what it passes to its callback, the last argument.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let said = self.client.execute_async(script, Vec::new()).await;
        said.expect("an answer of the script")
    }

    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }

    /// Sends a command that only this driver has.
    async fn driver(&self, command: &str, body: Value) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer = client().post(url).json(&body).send().await;
        let answer = answer.expect("an answer").error_for_status();
        let answer: Value = answer.expect("success").json().await.expect("JSON");
        answer["value"].clone()
    }

    /// Waits for the element with this XPath.
    async fn find(&self, path: &str) -> Element {
        let found = self.client.find(Locator::XPath(path)).await;
        found.expect("an element")
    }
}

impl Drop for Chromium {
    /// Quits the browser: it would outlive the driver, which is killed. Runs on its own thread,
    /// since this may be dropped within a runtime.
    fn drop(&mut self) {
        let session = self.session.clone();
        let quit = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let _ = client().delete(session).timeout(PATIENCE).send().await;
            });
        });
        let _ = quit.join();
    }
}
