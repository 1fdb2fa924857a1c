//! The example `gateway`: a web service with two users, each with a browser.
//!
//! To build it alone: `cargo build --package globus-login --example gateway`.

use std::process::Stdio;
use std::time::Duration;

use fake_globus::{Identity, Page, Person};
use http::StatusCode;
use http::header::SET_COOKIE;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use url::Url;

use crate::support::*;

fn command() -> Command {
    let mut command = Command::new(program::example("gateway"));
    for name in [
        "GLOBUS_SDK_ENVIRONMENT",
        "GLOBUS_CLIENT_ID",
        "GLOBUS_CLIENT_SECRET",
        "GATEWAY_URL",
        "GATEWAY_KEYS",
    ] {
        command.env_remove(name);
    }
    command.kill_on_drop(true);
    command
}

/// Starts a gateway. Also returns its output.
fn started(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut gateway = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the gateway starts");
    let printed = gateway.stdout.take().expect("a pipe");
    (gateway, BufReader::new(printed).lines())
}

/// Reads the address from the output.
async fn address(printed: &mut Lines<BufReader<ChildStdout>>) -> Url {
    let line = printed.next_line().await.expect("text").expect("a line");
    let address = line.strip_prefix("The gateway is at ");
    Url::parse(address.expect("an address")).expect("a URL")
}

/// A gateway, and a Globus with a collection.
struct Site {
    sample: Sample,
    _gateway: Child,
    /// The gateway's listing of the collection.
    page: Url,
}

impl Site {
    async fn new() -> Self {
        let sample = Sample::with(
            |collection| collection.session_minutes(1),
            |server| {
                let bob = Identity::new("bob", "uchicago.edu");
                server.identity(bob).person(Person::browser())
            },
        );
        let sample = sample.await;
        sample.write("hello.txt", "hello");
        let globus = &sample.globus;
        let client_id = globus.confidential_client_id().to_string();
        let (gateway, mut printed) = started(
            command()
                .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", globus.transfer_url())
                .env("GLOBUS_SDK_SERVICE_URL_AUTH", globus.auth_url())
                .env("GLOBUS_CLIENT_ID", client_id)
                .env("GLOBUS_CLIENT_SECRET", globus.client_secret()),
        );
        let here = address(&mut printed).await;
        let listing = format!("ls/{}", sample.collection);
        Self {
            page: here.join(&listing).expect("a URL"),
            sample,
            _gateway: gateway,
        }
    }

    /// Logs `user` in at this page of Globus Auth. Returns the redirect.
    async fn log_in(&self, user: &User, page: Url) -> Url {
        let person = Person::automatic().picks(user.name);
        self.sample.globus.set_person(person);
        sent_to(page).await
    }
}

/// A person with a browser that follows no redirect by itself.
struct User {
    name: &'static str,
    browser: fake_globus::Browser,
}

impl User {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            browser: fake_globus::Browser::new(),
        }
    }

    async fn get(&self, url: &Url) -> Page {
        let page = self.browser.get(url).await.expect("a page");
        for cookie in page.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
                "{cookie}"
            );
            // On this machine there is no https.
            assert!(
                cookie.starts_with("globus-") && !cookie.contains("Secure"),
                "{cookie}"
            );
        }
        page
    }

    /// The URL to which a page sends the browser. The browser sends the headers of an API client,
    /// so that the login URL is in JSON.
    async fn sent_to(&self, url: &Url) -> Url {
        let page = self.get(url).await;
        if page.status == StatusCode::UNAUTHORIZED {
            let document: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
            let login = document["login_url"].as_str().expect("a login");
            return login.parse().expect("a URL");
        }
        page.redirect().expect("a redirect")
    }

    /// The user of the request: the listed files belong to that user.
    async fn owner(&self, page: &Url) -> String {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK);
        let document: serde_json::Value = serde_json::from_str(&page.text).expect("JSON");
        assert_eq!(document["DATA"][0]["name"], "hello.txt");
        document["DATA"][0]["user"]
            .as_str()
            .expect("a name")
            .to_owned()
    }
}

#[checks::test(seconds = 600)]
async fn each_user_gets_their_own_login() {
    let site = Site::new().await;
    let (ada, bob) = (User::new("ada@uchicago.edu"), User::new("bob@uchicago.edu"));
    for round in 1..=3 {
        // Both logins run at once. The one that began first ends last.
        let pages = [ada.sent_to(&site.page).await, bob.sent_to(&site.page).await];
        assert!(
            pages
                .iter()
                .all(|page| page.path() == "/v2/oauth2/authorize"),
            "{pages:?}"
        );
        for name in ["state", "code_challenge"] {
            let [of_ada, of_bob] = pages.each_ref().map(|page| value(page, name));
            assert!(!of_ada.is_empty() && of_ada != of_bob, "{name}");
        }
        // Only the logins that the collection requires are fresh ones.
        assert_eq!(
            pages[0].query().expect("a query").contains("prompt=login"),
            round > 1
        );
        let [to_ada, to_bob] = pages;
        let back_to_bob = site.log_in(&bob, to_bob).await;
        let back_to_ada = site.log_in(&ada, to_ada).await;

        // The redirect of another user's login is rejected.
        assert_eq!(ada.get(&back_to_bob).await.status, StatusCode::FORBIDDEN);
        assert_eq!(
            User::new("eve").get(&back_to_ada).await.status,
            StatusCode::FORBIDDEN
        );

        assert_eq!(bob.sent_to(&back_to_bob).await, site.page);
        assert_eq!(bob.owner(&site.page).await, "bob");
        assert_eq!(ada.sent_to(&back_to_ada).await, site.page);
        assert_eq!(ada.owner(&site.page).await, "ada");
        assert_eq!(bob.owner(&site.page).await, "bob");
        // A redirect that is loaded again redeems nothing.
        assert_eq!(ada.sent_to(&back_to_ada).await, site.page);
        assert_eq!(site.sample.globus.counts().code_grants, 2 * round);
        site.sample.globus.clock().advance(Duration::from_secs(120));
    }
    // Another person in the same browser does not replace the user.
    let page = ada.sent_to(&site.page).await;
    site.sample.globus.forget_browser();
    let back = site.log_in(&bob, page).await;
    assert_eq!(ada.get(&back).await.status, StatusCode::FORBIDDEN);
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn user_who_declines_can_try_again() {
    let site = Site::new().await;
    let ada = User::new("ada@uchicago.edu");
    let page = ada.sent_to(&site.page).await;
    site.sample
        .globus
        .set_person(Person::automatic().declines());
    let back = sent_to(page).await;
    assert_eq!(ada.get(&back).await.status, StatusCode::FORBIDDEN);
    let page = ada.sent_to(&site.page).await;
    let back = site.log_in(&ada, page).await;
    assert_eq!(ada.sent_to(&back).await, site.page);
    assert_eq!(ada.owner(&site.page).await, "ada");
}

#[checks::test(seconds = 600)]
async fn gateway_prints_its_options() {
    let output = command()
        .arg("--help")
        .output()
        .await
        .expect("the gateway runs");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("text");
    for option in ["--port", "--redis <URL>", "--url", "GATEWAY_KEYS"] {
        assert!(help.contains(option), "{option}: {help}");
    }
    let mut command = command();
    let command = command.args(["--redis", "redis://127.0.0.1:1/"]);
    let output = command.output().await.expect("the gateway runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(error.contains("GATEWAY_KEYS"), "{error}");
}

#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn gateway_runs_its_own_globus_and_ends_on_sigterm() {
    let (mut gateway, mut printed) = started(&mut command());
    let line = printed.next_line().await.expect("text").expect("a line");
    let page = line
        .strip_prefix("Open ")
        .and_then(|it| it.split_once(". "));
    let page = Url::parse(page.expect("an address").0).expect("a URL");
    let here = address(&mut printed).await;
    assert_eq!(here.origin(), page.origin());
    let ada = User::new("ada");
    assert_eq!(ada.sent_to(&page).await.path(), "/v2/oauth2/authorize");
    let home = ada.get(&here).await;
    assert!(home.text.contains("/ls/ID"), "{}", home.text);
    let process = gateway.id().expect("the gateway runs").to_string();
    let killed = Command::new("kill").args(["-TERM", &process]).status();
    assert!(killed.await.expect("`kill` runs").success());
    // An idle connection does not delay the end.
    drop(ada);
    assert!(gateway.wait().await.expect("an end").success());
}
