//! The loopback port of `Interactive`: which requests end the login, and which pages are shown.

use std::time::Duration;

use checks::browser::{client_without_redirects, location};
use globus_login::GlobusApp;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::support::endpoint::*;
use crate::support::program::{self, Program};
use crate::support::*;

/// A program that waits for a login. The test is the browser.
pub(crate) struct Waiting {
    pub(crate) program: Program,
    /// The URL that the program opens in the browser.
    pub(crate) entrance: String,
    pub(crate) page: Url,
    /// The cookie that the entrance set.
    pub(crate) cookie: String,
}

impl Waiting {
    /// Runs the test that calls this as a program. `module` is the test's `module_path!()`.
    pub(crate) async fn start(module: &str, endpoint: &Endpoint) -> Self {
        let browser = [("BROWSER", "/bin/true")];
        let mut program = Program::start(module, &endpoint.url, &browser);
        let line = program.line_with("http://127.0.0.1:").await;
        let entrance = line.trim().to_owned();
        let opened = client_without_redirects().get(&entrance).send().await;
        let opened = opened.expect("an answer");
        let cookie = opened.headers()[SET_COOKIE].to_str().expect("text");
        let (cookie, attributes) = cookie.split_once(';').expect("attributes");
        assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax");
        let cookie = cookie.to_owned();
        let page = location(&opened);
        Self {
            program,
            entrance,
            page,
            cookie,
        }
    }

    /// The redirect URI, without a slash at its end.
    pub(crate) fn here(&self) -> String {
        value(&self.page, "redirect_uri")
    }

    /// Requests a target, with `STATE` replaced by the `state` of the login. Returns status and
    /// page.
    pub(crate) async fn open(&self, method: Method, target: &str) -> (u16, String) {
        let target = target.replace("STATE", &value(&self.page, "state"));
        let url = format!("{}{target}", self.here());
        let answer = client()
            .request(method, url)
            .header(COOKIE, &self.cookie)
            .send()
            .await
            .expect("an answer");
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
        ] {
            assert_eq!(answer.headers()[name], value, "{target}");
        }
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str();
        assert!(policy.expect("text").contains("default-src 'none'"));
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a page"))
    }
}

/// Starts a Globus Auth for the program of a test. In the program itself: logs in, reports the end
/// of the login, and returns `None`.
pub(crate) async fn endpoint_or_log_in() -> Option<Endpoint> {
    let Some(auth_url) = program::argument() else {
        return Some(Endpoint::approving().await);
    };
    let app = GlobusApp::user(CLIENT).auth_url(auth_url).build();
    match log_in_again(&app.expect("an app")).await {
        Ok(()) => program::report("logged in"),
        Err(error) => program::report(&logged(&error)),
    }
    None
}

fn title(page: &str) -> &str {
    let rest = page.split("<h1>").nth(1);
    let title = rest.and_then(|rest| rest.split("</h1>").next());
    title.unwrap_or_default()
}

#[checks::test(seconds = 600)]
async fn only_its_own_redirect_ends_a_login() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    // A connection that sends half a request blocks no other.
    let address = waiting.here().replace("http://", "");
    let mut silent = TcpStream::connect(&address).await.expect("a connection");
    silent.write_all(b"GET ").await.expect("sent");

    let (nothing, not_ours) = ("There is nothing here", "This page belongs to no login");
    for (target, status, shown) in [
        ("/favicon.ico", 404, nothing),
        ("/other?code=stolen&state=STATE", 404, nothing),
        ("/", 400, not_ours),
        ("/?code=stolen", 400, not_ours),
        ("/?code=stolen&state=", 400, not_ours),
        ("/?code=stolen&state=other", 400, not_ours),
        ("/?code=stolen&state=STATEx", 400, not_ours),
        ("/?code=stolen&state=STATE&state=STATE", 400, not_ours),
        ("/?code=stolen&state=STATE&state=other", 400, not_ours),
        ("/?state=STATE", 400, not_ours),
        ("/?code=&state=STATE", 400, not_ours),
        ("/?code=stolen&code=stolen&state=STATE", 400, not_ours),
        ("/?error=access_denied", 400, not_ours),
        ("/?error=access_denied&state=other", 400, not_ours),
    ] {
        let (found, page) = waiting.open(Method::GET, target).await;
        assert_eq!((found, title(&page)), (status, shown), "{target}");
    }
    for method in [Method::POST, Method::PUT] {
        let target = "/?code=stolen&state=STATE";
        let (found, page) = waiting.open(method.clone(), target).await;
        assert_eq!((found, title(&page)), (405, nothing), "{method}");
    }
    assert!(endpoint.requests().is_empty(), "{:?}", endpoint.requests());

    let (status, page) = waiting.open(Method::GET, "/?code=ours&state=STATE").await;
    assert_eq!((status, title(&page)), (200, "You are logged in"));
    assert!(page.contains(&format!("As {ADA}.")), "{page}");
    assert_eq!(waiting.program.reported().await, "logged in");
    let asked = endpoint.requests();
    assert_eq!(asked[0].field("code"), "ours");
    assert_eq!(asked[0].field("redirect_uri"), waiting.here());
    assert_eq!(asked.len(), 1);
    let gone = TcpStream::connect(&address).await;
    gone.expect_err("the port is closed");
}

#[checks::test(seconds = 600)]
async fn page_shows_the_result_of_the_exchange() {
    if endpoint_or_log_in().await.is_none() {
        return;
    }
    let mut named = login("given");
    let claims = json!({"sub": ADA, "aud": CLIENT, "preferred_username": "ada<@uchicago.edu"});
    named["id_token"] = id_token(&claims.to_string()).into();
    let mut nobody = login("given");
    nobody["id_token"] = id_token("{}").into();
    let failed = "The login failed";
    for (given, shown, text) in [
        (
            answer(200, &named),
            "You are logged in",
            "As ada&lt;@uchicago.edu.",
        ),
        (
            refused("invalid_grant", "too late"),
            failed,
            "Globus Auth says: invalid_grant: too late.",
        ),
        (answer(503, &json!({})), failed, "did not answer"),
        (answer(200, &nobody), failed, "did not say who logged in"),
    ] {
        let endpoint = Endpoint::always(given).await;
        let mut waiting = Waiting::start(module_path!(), &endpoint).await;
        let (_, page) = waiting.open(Method::GET, "/?code=c1&state=STATE").await;
        assert_eq!(title(&page), shown, "{page}");
        assert!(page.contains(text), "{page}");
        let reported = waiting.program.reported().await;
        assert_eq!(reported == "logged in", shown != failed, "{reported}");
    }
}

#[checks::test(seconds = 600)]
async fn silent_connections_do_not_block_the_redirect() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    let address = waiting.here().replace("http://", "");
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(&address).await.expect("a connection"));
    }
    // Far less than the time limits of 600 connections, one after the other.
    let redirect = waiting.open(Method::GET, "/?code=ours&state=STATE");
    let redirect = timeout(Duration::from_secs(8), redirect).await;
    let (status, page) = redirect.expect("an answer");
    assert_eq!((status, title(&page)), (200, "You are logged in"));
    assert_eq!(waiting.program.reported().await, "logged in");
    drop(silent);
}

/// On Linux, all of 127.0.0.0/8 is this machine.
#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn port_listens_on_127_0_0_1_only() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let waiting = Waiting::start(module_path!(), &endpoint).await;
    let here = waiting.here();
    let port = here.strip_prefix("http://127.0.0.1:").expect("an address");
    let at = async |host: &str| TcpStream::connect(format!("{host}:{port}")).await;
    at("127.0.0.1").await.expect("the port listens");
    for host in ["127.0.0.2", "127.1.2.3", "[::1]"] {
        at(host).await.expect_err(host);
    }
}

#[checks::test(seconds = 600)]
async fn denial_and_error_are_shown_and_end_the_login() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let declined = ("The login was declined", "the login was declined");
    let failed = "The login failed";
    for (query, (shown, found), text) in [
        ("error=access_denied", declined, "go back to your program"),
        (
            "error=access_denied&code=c0de",
            declined,
            "go back to your program",
        ),
        (
            "error=access_denied&error_description=no+such%0A+policy",
            (declined.0, "access_denied: no such policy"),
            "Globus Auth says: access_denied: no such policy.",
        ),
        (
            "error=server_error",
            (failed, "server_error"),
            "Globus Auth says: server_error.",
        ),
        (
            "error=server_error&error_description=so+sorry",
            (failed, "server_error: so sorry"),
            "Globus Auth says: server_error: so sorry.",
        ),
        (
            "error=x&error_description=%3Cscript%3Ealert('x',%22y%22)%3C/script%3E+%26+%7B%7Btitle%7D%7D+%E2%80%AE",
            (failed, "x: <script>alert('x',\"y\")</script> & {{title}}"),
            "Globus Auth says: x: &lt;script&gt;alert('x',&quot;y&quot;)&lt;/script&gt; &amp; {{title}}.",
        ),
        (
            "error=%3Cb%3E",
            (failed, "<b>"),
            "Globus Auth says: &lt;b&gt;.",
        ),
    ] {
        let mut waiting = Waiting::start(module_path!(), &endpoint).await;
        let target = format!("/?{query}&state=STATE");
        let (status, page) = waiting.open(Method::GET, &target).await;
        assert_eq!((status, title(&page)), (200, shown), "{query}");
        assert!(page.contains(text) && !page.contains("<script>"), "{page}");
        let told = waiting.program.reported().await;
        assert!(told.contains(found), "{query}: {told}");
    }
    assert!(endpoint.requests().is_empty(), "{:?}", endpoint.requests());
}

/// The program is stopped until both redirects have arrived.
#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn first_of_two_redirects_counts() {
    use rustix::process::{Signal, kill_process};

    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    let (address, state) = (
        waiting.here().replace("http://", ""),
        value(&waiting.page, "state"),
    );
    let mut browsers = Vec::new();
    for code in ["first", "second"] {
        let mut browser = TcpStream::connect(&address).await.expect("a connection");
        let cookie = &waiting.cookie;
        let request = format!(
            "GET /?code={code}&state={state} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r"
        );
        browser.write_all(request.as_bytes()).await.expect("sent");
        browsers.push(browser);
    }
    // After this answer, the program serves both connections.
    waiting.open(Method::GET, "/favicon.ico").await;
    let id = waiting.program.id();
    kill_process(id, Signal::STOP).expect("the program runs");
    let status = format!("/proc/{}/status", id.as_raw_nonzero());
    while !std::fs::read_to_string(&status)
        .expect("the program runs")
        .contains("T (stopped)")
    {
        std::thread::yield_now();
    }
    for browser in &mut browsers {
        browser.write_all(b"\n").await.expect("sent");
    }
    kill_process(id, Signal::CONT).expect("the program runs");
    for browser in &mut browsers {
        let mut shown = String::new();
        browser.read_to_string(&mut shown).await.expect("a page");
        assert_eq!(title(&shown), "You are logged in", "{shown}");
    }
    assert_eq!(waiting.program.reported().await, "logged in");
    assert_eq!(endpoint.requests()[0].field("code"), "first");
}

/// Other users of the machine can read the entrance in the list of processes.
#[checks::test(seconds = 600)]
async fn login_ends_in_the_browser_that_began_it() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    assert!(!waiting.entrance.contains(&value(&waiting.page, "state")));
    let cookie = std::mem::take(&mut waiting.cookie);
    let (name, secret) = cookie.split_once('=').expect("a cookie");
    for stolen in [
        String::new(),
        format!("{name}=x"),
        format!("x={secret}"),
        format!("x{cookie}"),
        format!("{cookie}x"),
    ] {
        waiting.cookie = stolen;
        let (status, page) = waiting.open(Method::GET, "/?code=theirs&state=STATE").await;
        let shown = "Another browser began this login";
        assert_eq!((status, title(&page)), (403, shown), "{}", waiting.cookie);
    }
    // The same browser may reload the entrance.
    let again = client_without_redirects().get(&waiting.entrance);
    let again = again.header(COOKIE, format!("a=b; {cookie}")).send().await;
    assert_eq!(location(&again.expect("an answer")), waiting.page);

    waiting.cookie = format!("a=b; {cookie}; c=d");
    let (status, page) = waiting.open(Method::GET, "/?code=ours&state=STATE").await;
    assert_eq!((status, title(&page)), (200, "You are logged in"));
    assert_eq!(waiting.program.reported().await, "logged in");
    let asked = endpoint.requests();
    assert_eq!((asked.len(), asked[0].field("code")), (1, "ours"));
}

#[checks::test(seconds = 600)]
async fn second_browser_at_the_entrance_ends_the_login() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    // `start` opens the entrance in the first browser.
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    let second = client().get(&waiting.entrance).send().await;
    let second = second.expect("an answer");
    let status = second.status().as_u16();
    let page = second.text().await.expect("a page");
    let shown = "This login was opened in another browser";
    assert_eq!((status, title(&page)), (410, shown), "{page}");
    let reported = waiting.program.reported().await;
    assert!(reported.contains("two browsers opened"), "{reported}");
    assert!(endpoint.requests().is_empty(), "{:?}", endpoint.requests());
}

/// `webbrowser` logs the command that it runs.
#[checks::test(seconds = 600)]
async fn no_log_event_has_the_address_of_a_login() {
    if program::argument().is_some() {
        let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr);
        subscriber.with_max_level(tracing::Level::TRACE).init();
        tracing::debug!("subscriber is set");
    }
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let mut waiting = Waiting::start(module_path!(), &endpoint).await;
    waiting.open(Method::GET, "/?code=ours&state=STATE").await;
    assert_eq!(waiting.program.reported().await, "logged in");
    let path = waiting.entrance.rsplit('/').next().expect("a path");
    let printed = waiting.program.printed();
    assert!(printed.contains("subscriber is set"), "{printed}");
    assert_eq!(
        printed.matches(path).count(),
        1,
        "for the person: {printed}"
    );
}
