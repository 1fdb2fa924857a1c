//! The port where `Interactive` waits for the browser: what ends the login, and what is shown.

use globus_login::GlobusApp;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::support::endpoint::*;
use crate::support::program::{self, Program};
use crate::support::*;

/// A program that logs in, in a browser that the test plays.
pub(crate) struct Waiting {
    pub(crate) program: Program,
    pub(crate) page: Url,
}

impl Waiting {
    pub(crate) async fn start(test: &str, endpoint: &Endpoint) -> Self {
        let browser = [("BROWSER", "/bin/true")];
        let mut program = Program::start(test, &endpoint.url, &browser);
        let line = program.says("/v2/oauth2/authorize?").await;
        let page = line.trim().parse().expect("a page");
        Self { program, page }
    }

    /// The redirect URI, without a slash at its end.
    pub(crate) fn here(&self) -> String {
        value(&self.page, "redirect_uri")
    }

    /// Status and page of a target, in which `STATE` stands for that of the login.
    pub(crate) async fn open(&self, method: Method, target: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build();
        let target = target.replace("STATE", &value(&self.page, "state"));
        let url = format!("{}{target}", self.here());
        let request = client.expect("a client").request(method, url);
        let answer = request.send().await.expect("an answer");
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

/// What the program does.
pub(crate) async fn log_in(auth_url: &str) {
    let app = GlobusApp::user(CLIENT).auth_url(auth_url).build();
    match app.expect("an app").login_again().await {
        Ok(()) => program::found("logged in"),
        Err(error) => program::found(&told(&error)),
    }
}

fn title(page: &str) -> &str {
    let rest = page.split("<h1>").nth(1);
    let title = rest.and_then(|rest| rest.split("</h1>").next());
    title.unwrap_or_default()
}

#[checks::test(seconds = 600)]
async fn only_its_own_redirect_ends_a_login() {
    if let Some(url) = program::told() {
        return log_in(&url).await;
    }
    let endpoint = Endpoint::always(answer(200, &tokens("given"))).await;
    let mut waiting =
        Waiting::start("loopback::only_its_own_redirect_ends_a_login", &endpoint).await;
    // Somebody who connects and says nothing is in nobody's way.
    let address = waiting.here().replace("http://", "");
    let mut silent = TcpStream::connect(&address).await.expect("a connection");
    silent.write_all(b"GET ").await.expect("sent");

    let (nothing, not_ours) = ("There is nothing here", "This page belongs to no login");
    for (method, target, status, shown) in [
        (Method::GET, "/favicon.ico", 404, nothing),
        (Method::GET, "/other?code=stolen&state=STATE", 404, nothing),
        (Method::GET, "/", 400, not_ours),
        (Method::GET, "/?code=stolen", 400, not_ours),
        (Method::GET, "/?code=stolen&state=", 400, not_ours),
        (Method::GET, "/?code=stolen&state=other", 400, not_ours),
        (Method::GET, "/?code=stolen&state=STATEx", 400, not_ours),
        (
            Method::GET,
            "/?code=stolen&state=STATE&state=STATE",
            400,
            not_ours,
        ),
        (
            Method::GET,
            "/?code=stolen&state=STATE&state=other",
            400,
            not_ours,
        ),
        (Method::GET, "/?state=STATE", 400, not_ours),
        (Method::GET, "/?code=&state=STATE", 400, not_ours),
        (Method::GET, "/?error=access_denied", 400, not_ours),
        (
            Method::GET,
            "/?error=access_denied&state=other",
            400,
            not_ours,
        ),
        (Method::POST, "/?code=stolen&state=STATE", 405, nothing),
        (Method::PUT, "/?code=stolen&state=STATE", 405, nothing),
    ] {
        let (found, page) = waiting.open(method, target).await;
        assert_eq!((found, title(&page)), (status, shown), "{target}");
    }
    assert!(endpoint.asked().is_empty(), "{:?}", endpoint.asked());

    let (status, page) = waiting.open(Method::GET, "/?code=ours&state=STATE").await;
    assert_eq!((status, title(&page)), (200, "You are logged in"));
    assert_eq!(waiting.program.finds().await, "logged in");
    let asked = endpoint.asked();
    assert_eq!(asked[0].field("code"), "ours");
    assert_eq!(asked[0].field("redirect_uri"), waiting.here());
    assert_eq!(asked.len(), 1);
    let gone = TcpStream::connect(&address).await;
    gone.expect_err("nobody listens any more");
}

/// All of 127.0.0.0/8 is this machine, for Linux.
#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn port_listens_on_127_0_0_1_only() {
    if let Some(url) = program::told() {
        return log_in(&url).await;
    }
    let endpoint = Endpoint::always(answer(200, &tokens("given"))).await;
    let waiting = Waiting::start("loopback::port_listens_on_127_0_0_1_only", &endpoint).await;
    let here = waiting.here();
    let port = here.strip_prefix("http://127.0.0.1:").expect("an address");
    let at = async |host: &str| TcpStream::connect(format!("{host}:{port}")).await;
    at("127.0.0.1").await.expect("it listens");
    for host in ["127.0.0.2", "127.1.2.3", "[::1]"] {
        at(host).await.expect_err(host);
    }
}

#[checks::test(seconds = 600)]
async fn denial_and_error_are_shown_and_end_the_login() {
    if let Some(url) = program::told() {
        return log_in(&url).await;
    }
    let declined = ("You declined the login", "the login was declined");
    let failed = "The login failed";
    let endpoint = Endpoint::always(answer(200, &tokens("given"))).await;
    for (query, (shown, found), text) in [
        ("error=access_denied", declined, "has been told"),
        ("error=access_denied&code=c0de", declined, "has been told"),
        (
            "error=server_error",
            (failed, "server_error"),
            "Globus Auth says: server_error.",
        ),
        (
            "error=server_error&error_description=so+sorry",
            (failed, "server_error: so sorry"),
            "Globus Auth says: so sorry.",
        ),
        (
            "error=x&error_description=%3Cscript%3Ealert('x',%22y%22)%3C/script%3E+%26+%7B%7Btitle%7D%7D+%E2%80%AE",
            (failed, "x: <script>alert('x',\"y\")</script> & {{title}}"),
            "&lt;script&gt;alert(&#39;x&#39;,&quot;y&quot;)&lt;/script&gt; &amp; {{title}}.",
        ),
        (
            "error=%3Cb%3E",
            (failed, "<b>"),
            "Globus Auth says: &lt;b&gt;.",
        ),
    ] {
        let test = "loopback::denial_and_error_are_shown_and_end_the_login";
        let mut waiting = Waiting::start(test, &endpoint).await;
        let target = format!("/?{query}&state=STATE");
        let (status, page) = waiting.open(Method::GET, &target).await;
        assert_eq!((status, title(&page)), (200, shown), "{query}");
        assert!(page.contains(text) && !page.contains("<script>"), "{page}");
        let told = waiting.program.finds().await;
        assert!(told.contains(found), "{query}: {told}");
    }
    assert!(endpoint.asked().is_empty(), "{:?}", endpoint.asked());
}

/// Both have come by the time that the program looks: it is stopped until then.
#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn first_of_two_redirects_counts() {
    use rustix::process::{Signal, kill_process};

    if let Some(url) = program::told() {
        return log_in(&url).await;
    }
    let endpoint = Endpoint::always(answer(200, &tokens("given"))).await;
    let mut waiting = Waiting::start("loopback::first_of_two_redirects_counts", &endpoint).await;
    let (address, state) = (
        waiting.here().replace("http://", ""),
        value(&waiting.page, "state"),
    );
    let mut browsers = Vec::new();
    for code in ["first", "second"] {
        let mut browser = TcpStream::connect(&address).await.expect("a connection");
        let request = format!("GET /?code={code}&state={state} HTTP/1.1\r\nHost: x\r\n\r");
        browser.write_all(request.as_bytes()).await.expect("sent");
        browsers.push(browser);
    }
    // Answered, so that both connections are being served.
    waiting.open(Method::GET, "/favicon.ico").await;
    let id = waiting.program.id();
    kill_process(id, Signal::STOP).expect("it runs");
    let status = format!("/proc/{}/status", id.as_raw_nonzero());
    while !std::fs::read_to_string(&status)
        .expect("it runs")
        .contains("T (stopped)")
    {
        std::thread::yield_now();
    }
    for browser in &mut browsers {
        browser.write_all(b"\n").await.expect("sent");
    }
    kill_process(id, Signal::CONT).expect("it runs");
    for browser in &mut browsers {
        let mut shown = String::new();
        browser.read_to_string(&mut shown).await.expect("a page");
        assert_eq!(title(&shown), "You are logged in", "{shown}");
    }
    assert_eq!(waiting.program.finds().await, "logged in");
    assert_eq!(endpoint.asked()[0].field("code"), "first");
}
