//! A web service of three gateways behind a balancer, with Redis and a fake Globus.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::programs;
use crate::redis_server::{KEY, Redis};
use checks::sample::Sample;
use fake_globus::{Browser, Identity, Page, Person};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use crate::balancer::Balancer;

pub const REPLICAS: usize = 3;

pub struct Site {
    pub sample: Sample,
    pub redis: Redis,
    has_redis: bool,
    pub gateways: Vec<Child>,
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    /// The URL of the site: that of the balancer.
    site: Url,
}

impl Site {
    /// A site with [`REPLICAS`] gateways and the users `user-0@uchicago.edu`, `user-1`, and so on.
    pub async fn new(users: usize) -> Self {
        Self::with(users, REPLICAS, true).await
    }

    /// As [`new`](Self::new), with `replicas` gateways. Without Redis, each stores logins in
    /// memory.
    pub async fn with(users: usize, replicas: usize, has_redis: bool) -> Self {
        let sample = Sample::with(
            |collection| collection.session_minutes(10),
            |server| {
                let all = (0..users).map(|user| Identity::new(name(user), "uchicago.edu"));
                let server = server.person(Person::browser());
                all.fold(server, |server, user| server.identity(user))
            },
        )
        .await;
        sample.write("hello.txt", "hello");
        let balancer = Balancer::bind().await;
        let mut site = Self {
            sample,
            redis: Redis::start().await,
            has_redis,
            gateways: Vec::new(),
            addresses: Arc::clone(&balancer.replicas),
            site: balancer.url().parse().expect("a URL"),
        };
        balancer.start();
        for _ in 0..replicas {
            site.add_gateway().await;
        }
        site
    }

    /// Starts another gateway.
    pub async fn add_gateway(&mut self) {
        let globus = &self.sample.globus;
        let redis = ["--redis", &self.redis.url];
        let mut gateway = Command::new(programs::gateway())
            .args(["--port", "0", "--url", self.site.as_str()])
            .args(redis.iter().filter(|_| self.has_redis))
            .env_remove("GLOBUS_SDK_ENVIRONMENT")
            .env("GATEWAY_KEYS", KEY)
            .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", globus.transfer_url())
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", globus.auth_url())
            .env(
                "GLOBUS_CLIENT_ID",
                globus.confidential_client_id().to_string(),
            )
            .env("GLOBUS_CLIENT_SECRET", globus.client_secret())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let printed = gateway.stdout.take().expect("a pipe");
        let mut printed = BufReader::new(printed).lines();
        let address = loop {
            let line = printed.next_line().await.expect("text").expect("a line");
            let address = line.strip_prefix("The gateway is at http://");
            if let Some(address) = address {
                break address.trim_end_matches('/').parse().expect("an address");
            }
        };
        self.addresses.lock().expect("no panic").push(address);
        self.gateways.push(gateway);
    }

    /// Kills a gateway.
    pub async fn kill_gateway(&mut self, at: usize) {
        self.gateways[at].kill().await.expect("it ran");
    }

    /// The URL of the page that lists the collection.
    pub fn page(&self) -> Url {
        let listing = format!("ls/{}", self.sample.collection);
        self.site.join(&listing).expect("a URL")
    }

    pub fn user(&self, user: usize) -> User {
        User {
            name: name(user),
            browser: Browser::new(),
            page: self.page(),
        }
    }
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

/// A person with a browser.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub browser: Browser,
    pub page: Url,
}

impl User {
    /// Opens the listing. The result is the listing, or the login page of Globus Auth.
    pub async fn visit(&self) -> Page {
        self.browser.open(&self.page).await.expect("a page")
    }

    /// Logs in on a login page of Globus Auth; returns the URL of the callback.
    pub async fn approve(&self, login: &Page) -> Url {
        let label = format!("<strong>{}@uchicago.edu</strong>", self.name);
        let before = login.text.split(&label).next().expect("text");
        assert!(
            before.len() < login.text.len(),
            "no {label}: {}",
            login.text
        );
        let value = before.rsplit("value=\"").next().expect("an identity");
        let identity = value.split('"').next().expect("an id");
        let fields = [("identity", identity), ("decision", "approve")];
        let answer = self.browser.submit(login, fields).await.expect("an answer");
        answer.redirect().expect("a redirect")
    }

    /// Opens the listing, and logs in as often as needed; returns the number of logins.
    pub async fn list(&self) -> usize {
        let mut page = self.visit().await;
        let mut logins = 0;
        while page.url.path().starts_with("/v2/oauth2/authorize") {
            let callback = self.approve(&page).await;
            page = self.browser.open(&callback).await.expect("a page");
            logins += 1;
            assert!(logins < 5, "{}: {}", self.name, page.text);
        }
        self.assert_shown(&page);
        logins
    }

    /// Asserts that the page lists files of this user.
    #[track_caller]
    pub fn assert_shown(&self, page: &Page) {
        let shown = page.text.split("<main>").last();
        assert_eq!(page.status, 200, "{}: {shown:?}", self.name);
        let document: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
        assert_eq!(document["DATA"][0]["user"], self.name.as_str());
    }
}
