//! The example `gateway`: two users, each with a browser, and a web service that waits for neither.
//!
//! The program is the one that `cargo test` has built; alone, `cargo build --example gateway` builds it.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use fake_globus::{Collection, FakeGlobus, Identity, Person};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

struct Site {
    globus: FakeGlobus,
    _gateway: Child,
    page: Url,
    _directory: TempDir,
}

impl Site {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("hello.txt"), "hello").expect("a file");
        let collection = Collection::new("Samples", directory.path()).session_minutes(1);
        let id = collection.id();
        let globus = FakeGlobus::builder()
            .collection(collection)
            .identity(Identity::new("ada", "uchicago.edu"))
            .identity(Identity::new("bob", "uchicago.edu"));
        let globus = globus.start().await.expect("a server");
        let test = env::current_exe().expect("this test");
        let target = test
            .parent()
            .and_then(|deps| deps.parent())
            .expect("a target directory");
        let program = target
            .join("examples")
            .join(format!("gateway{}", env::consts::EXE_SUFFIX));
        assert!(
            program.exists(),
            "build it with `cargo build --example gateway`: {}",
            program.display()
        );
        let mut gateway = Command::new(program)
            .env_remove("GLOBUS_SDK_ENVIRONMENT")
            .env_remove("GATEWAY_URL")
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
        let mut said = BufReader::new(gateway.stdout.take().expect("a pipe")).lines();
        let line = said.next_line().await.expect("text").expect("a line");
        let here = Url::parse(line.strip_prefix("The gateway is at ").expect("an address"))
            .expect("a URL");
        Self {
            globus,
            _gateway: gateway,
            page: here.join(&format!("ls/{id}")).expect("a URL"),
            _directory: directory,
        }
    }

    /// Lets `name` be who sits before Globus Auth's page, and goes there.
    async fn log_in(&self, user: &User, page: Url) -> Url {
        self.globus.set_person(Person::automatic().picks(user.name));
        location(&user.client.get(page).send().await.expect("a page"))
    }
}

/// Somebody with a browser that follows nothing by itself.
struct User {
    name: &'static str,
    client: reqwest::Client,
    cookie: Option<String>,
}

impl User {
    fn new(name: &'static str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build();
        Self {
            name,
            client: client.expect("a client"),
            cookie: None,
        }
    }

    async fn get(&mut self, url: &Url) -> Response {
        let mut request = self.client.get(url.clone());
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await.expect("an answer");
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
                "{cookie}"
            );
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        answer
    }

    /// Whose listing the page shows: the files there belong to whoever asks.
    async fn owner(&mut self, page: &Url) -> String {
        let answer = self.get(page).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let document: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(document["DATA"][0]["name"], "hello.txt");
        document["DATA"][0]["user"]
            .as_str()
            .expect("a name")
            .to_owned()
    }
}

fn location(answer: &Response) -> Url {
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let location = answer.headers()[LOCATION].to_str().expect("text");
    answer.url().join(location).expect("a URL")
}

#[checks::test(seconds = 600)]
async fn each_user_returns_to_their_own_login() {
    let site = Site::new().await;
    let (mut ada, mut bob) = (User::new("ada@uchicago.edu"), User::new("bob@uchicago.edu"));
    for round in 1..=3 {
        // Both are away at once; who went first comes back last.
        let pages = [
            location(&ada.get(&site.page).await),
            location(&bob.get(&site.page).await),
        ];
        assert!(
            pages
                .iter()
                .all(|page| page.path() == "/v2/oauth2/authorize"),
            "{pages:?}"
        );
        let secret = |page: &Url, name: &str| {
            page.query_pairs()
                .find(|(known, _)| known == name)
                .expect("a parameter")
                .1
                .into_owned()
        };
        for name in ["state", "code_challenge"] {
            assert_ne!(secret(&pages[0], name), secret(&pages[1], name));
        }
        // The first login needs no fresh one; those that the collection asks for do.
        assert_eq!(
            pages[0].query().expect("a query").contains("prompt=login"),
            round > 1
        );
        let [to_ada, to_bob] = pages;
        let back_to_bob = site.log_in(&bob, to_bob).await;
        let back_to_ada = site.log_in(&ada, to_ada).await;

        // Nobody ends the login of another, though they know where it ends.
        assert_eq!(
            ada.get(&back_to_bob).await.status(),
            StatusCode::BAD_REQUEST
        );
        assert_eq!(
            User::new("eve").get(&back_to_ada).await.status(),
            StatusCode::BAD_REQUEST
        );

        assert_eq!(location(&bob.get(&back_to_bob).await), site.page);
        assert_eq!(bob.owner(&site.page).await, "bob");
        assert_eq!(location(&ada.get(&back_to_ada).await), site.page);
        assert_eq!(ada.owner(&site.page).await, "ada");
        assert_eq!(bob.owner(&site.page).await, "bob");
        // Nor does anybody end one twice.
        assert_eq!(
            ada.get(&back_to_ada).await.status(),
            StatusCode::BAD_REQUEST
        );
        assert_eq!(site.globus.counts().code_grants, 2 * round);
        site.globus.clock().advance(Duration::from_secs(120));
    }
    // Somebody else in the same browser does not take the place of whoever was there.
    let page = location(&ada.get(&site.page).await);
    site.globus.forget_browser();
    let back = site.log_in(&bob, page).await;
    assert_eq!(ada.get(&back).await.status(), StatusCode::BAD_GATEWAY);
    assert!(
        site.globus.violations().is_empty(),
        "{:?}",
        site.globus.violations()
    );
}

#[checks::test(seconds = 600)]
async fn user_who_declines_can_try_again() {
    let site = Site::new().await;
    let mut ada = User::new("ada@uchicago.edu");
    let page = location(&ada.get(&site.page).await);
    site.globus.set_person(Person::automatic().declines());
    let back = location(&ada.client.get(page).send().await.expect("a page"));
    assert_eq!(ada.get(&back).await.status(), StatusCode::FORBIDDEN);
    let page = location(&ada.get(&site.page).await);
    let back = site.log_in(&ada, page).await;
    assert_eq!(location(&ada.get(&back).await), site.page);
    assert_eq!(ada.owner(&site.page).await, "ada");
}
