//! Chromium, driven through its driver (W3C WebDriver).

use std::process::Stdio;
use std::time::Duration;

use checks::browser::client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The member that holds an element in responses of the driver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long an element may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Chromium {
    client: reqwest::Client,
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
                .expect("the driver tells its port");
            let port = line
                .split_once("successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned());
            if let Some(port) = port.filter(|port| port.parse::<u16>().is_ok()) {
                break port;
            }
        };
        // The rest is read, so that the driver never waits.
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
        let client = client();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "timeouts": {"implicit": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis()},
        }}});
        let driver_url = format!("http://127.0.0.1:{port}/session");
        let answer = ask(client.post(&driver_url).json(&capabilities)).await;
        let id = answer["sessionId"].as_str().expect("a session");
        Self {
            session: format!("{driver_url}/{id}"),
            client,
            _driver: driver,
            _profile: profile,
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("url", json!({"url": url})).await;
    }

    pub(crate) async fn title(&self) -> String {
        text(self.get("title").await)
    }

    pub(crate) async fn address(&self) -> String {
        text(self.get("url").await)
    }

    pub(crate) async fn click(&self, path: &str) {
        let element = self.find(path).await;
        self.post(&format!("element/{element}/click"), json!({}))
            .await;
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let element = self.find(path).await;
        text(self.get(&format!("element/{element}/text")).await)
    }

    pub(crate) async fn style(&self, path: &str, name: &str) -> String {
        let element = self.find(path).await;
        text(self.get(&format!("element/{element}/css/{name}")).await)
    }

    /// An element by its XPath, waited for.
    async fn find(&self, path: &str) -> String {
        let found = self
            .post("element", json!({"using": "xpath", "value": path}))
            .await;
        text(found[ELEMENT].clone())
    }

    async fn get(&self, what: &str) -> Value {
        ask(self.client.get(format!("{}/{what}", self.session))).await
    }

    async fn post(&self, what: &str, body: Value) -> Value {
        ask(self
            .client
            .post(format!("{}/{what}", self.session))
            .json(&body))
        .await
    }
}

impl Drop for Chromium {
    /// Ends the browser, on a thread of its own: it would outlive the driver, which is killed.
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

async fn ask(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("the driver answers");
    let status = answer.status();
    let mut answer: Value = answer.json().await.expect("JSON");
    assert!(
        status.is_success(),
        "{}: {}",
        answer["value"]["error"],
        answer["value"]["message"]
    );
    answer["value"].take()
}

fn text(value: Value) -> String {
    value.as_str().expect("text").to_owned()
}
