//! Attacks on the port where a login waits for the browser.

use std::time::Duration;

use checks::browser::{client_without_redirects, parameter};
use checks::program::{self, Program};
use checks::sample::Sample;
use globus_login::GlobusApp;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::violations;
use crate::support::*;

/// A program whose login waits at a port for the browser.
struct Waiting {
    sample: Sample,
    program: Program,
    /// The address that the browser opens first.
    entrance: String,
    person: fake_globus::Browser,
}

impl Waiting {
    /// Starts the program. In the program itself this runs the login, prints its result, and
    /// returns `None`.
    async fn start() -> Option<Self> {
        if let Some(argument) = program::argument() {
            let (client, auth) = argument.split_once(' ').expect("two words");
            let app = GlobusApp::user(client)
                .auth_url(auth)
                .build()
                .expect("an app");
            let ended = app.login().await.map_err(|error| error.to_string());
            program::report(&format!("{ended:?} {:?}", logged_in_user(&app).await));
            return None;
        }
        let sample = globus(|collection| collection).await;
        let argument = format!("{} {}", sample.globus.client_id(), sample.globus.auth_url());
        let browser = [("BROWSER", "/bin/true")];
        let mut program = Program::start(module_path!(), &argument, &browser);
        let entrance = program
            .line_with("http://127.0.0.1:")
            .await
            .trim()
            .to_owned();
        Some(Self {
            sample,
            program,
            entrance,
            person: fake_globus::Browser::new(),
        })
    }

    /// The redirect URI: the port.
    fn redirect_uri(&self) -> String {
        let (here, _) = self.entrance.rsplit_once('/').expect("a path");
        here.to_owned()
    }

    /// Opens the first address in the person's browser. Returns the `state`, which only this
    /// browser knows.
    async fn open(&self) -> String {
        let page = self.person.get(&self.entrance).await.expect("a page");
        parameter(&page.redirect().expect("a redirect"), "state").expect("a state")
    }

    /// Logs the person in. Returns the last page, and the program's output.
    async fn log_in(&mut self) -> (String, String) {
        let page = self.person.open(&self.entrance).await.expect("a page");
        (page.text, self.program.reported().await)
    }
}

/// The status and the page of a request without a cookie.
async fn get_without_cookie(url: String) -> (u16, String) {
    let answer = client_without_redirects().get(url).send().await;
    let answer = answer.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("text"))
}

#[checks::test(seconds = 600)]
async fn other_requests_at_the_port_do_not_end_the_login() {
    let Some(mut waiting) = Waiting::start().await else {
        return;
    };
    let here = waiting.redirect_uri();
    let address = here.trim_start_matches("http://");
    let mut silent = Vec::new();
    for number in 0..300 {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        if number % 2 == 0 {
            // The program may have closed the connection in favour of later ones.
            let _ = connection.write_all(b"GET / HTTP/1.1\r\nx: \x00\xff").await;
        }
        silent.push(connection);
    }
    for target in [
        "/",
        "/?code=c&state=s",
        "/?error=access_denied",
        "/favicon.ico",
        "/x?code=c",
        "/?code=c&state=",
        "//evil.example/",
    ] {
        let (status, page) = get_without_cookie(format!("{here}{target}")).await;
        assert!(
            (400..500).contains(&status) && !page.contains("evil"),
            "{target}: {page}"
        );
    }
    let posted = client_without_redirects()
        .post(&waiting.entrance)
        .send()
        .await;
    assert_eq!(posted.expect("an answer").status(), 405);
    let (page, said) = tokio::time::timeout(Duration::from_secs(30), waiting.log_in())
        .await
        .expect("it is served");
    assert!(
        page.contains("You are logged in") && said.starts_with("Ok(()) Some"),
        "{said}: {page}"
    );
    assert_eq!(waiting.sample.globus.counts().code_grants, 1);
    assert_eq!(violations(&waiting.sample.globus), []);
    drop(silent);
}

#[checks::test(seconds = 600)]
async fn second_browser_cannot_take_over_the_login() {
    let Some(mut waiting) = Waiting::start().await else {
        return;
    };
    let state = waiting.open().await;
    // The second browser even knows the state, and has a code of its own.
    let mallorys = mallorys_redirect(&waiting.sample.globus, &waiting.redirect_uri()).await;
    let code = parameter(&mallorys, "code").expect("a code");
    let (status, _) = get_without_cookie(format!(
        "{}/?code={code}&state={state}",
        waiting.redirect_uri()
    ))
    .await;
    assert_eq!(status, 403);
    let (status, page) = get_without_cookie(waiting.entrance.clone()).await;
    assert_eq!(status, 410, "{page}");
    assert!(!page.contains(&state));
    let said = waiting.program.reported().await;
    assert!(
        said.starts_with("Err") && said.contains("two browsers") && said.ends_with("None"),
        "{said}"
    );
    assert_eq!(waiting.sample.globus.counts().code_grants, 0);
}

#[checks::test(seconds = 600)]
async fn text_in_the_last_page_is_escaped() {
    let Some(mut waiting) = Waiting::start().await else {
        return;
    };
    let text = "error=%3Cscript%3Ex&error_description=%22%3E%3Cimg+src=//evil.example%3E";
    let (_, page) = get_without_cookie(format!("{}/?{text}", waiting.redirect_uri())).await;
    assert!(!page.contains("evil.example"), "a forger's text: {page}");
    let state = waiting.open().await;
    let page = waiting
        .person
        .open(format!("{}/?{text}&state={state}", waiting.redirect_uri()))
        .await;
    let page = page.expect("a page");
    assert!(page.text.contains("evil.example"), "{}", page.text);
    assert!(
        !page.text.contains("<script") && !page.text.contains("<img"),
        "{}",
        page.text
    );
    let policy = page.headers["content-security-policy"].to_str();
    assert!(policy.expect("text").contains("default-src 'none'"));
    let said = waiting.program.reported().await;
    assert!(said.starts_with("Err"), "{said}");
}
