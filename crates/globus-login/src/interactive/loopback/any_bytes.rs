//! The invariants of the loopback port for any bytes.

use std::error::Error;
use std::sync::{Arc, LazyLock};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::{Answer, Callback, connections};
#[cfg(test)]
use crate::LoginEnd;
use crate::authorization::Attempt;
use crate::page::Page;
use crate::scope::Scopes;
use crate::{GlobusApp, LoginReply, LoginRequest};

/// The placeholder for the `state` of the login, which is different each time.
const STATE: &str = "STATE";

const HERE: &str = "http://127.0.0.1:9";

/// Sends the bytes over a connection, and as the target of a request. Only a request with the
/// `state` ends the wait, and no other request hinders the redirect.
pub fn redirect(bytes: &[u8]) {
    let waiting = Waiting::new();
    waiting.receive(bytes);
    waiting.assert_redirect_is_taken();
    if let Ok(target) = std::str::from_utf8(bytes) {
        let waiting = Waiting::new();
        waiting.request(target);
        waiting.assert_redirect_is_taken();
    }
}

/// A login that waits for its redirect.
pub(super) struct Waiting {
    request: LoginRequest,
    callback: Arc<Callback>,
    state: String,
}

impl Waiting {
    pub(super) fn new() -> Self {
        static APP: LazyLock<GlobusApp> = LazyLock::new(|| {
            let app = GlobusApp::user("client").auth_url("https://auth.globus.org");
            app.build().expect("an app")
        });
        let begin = || Attempt::begin(&APP.shared, &Scopes::default(), None);
        let request = LoginRequest::new(None, Scopes::default(), begin);
        let mut pairs = request.authorize_url().query_pairs();
        let state = pairs.find(|(name, _)| name == "state");
        let state = state.expect("a state").1.into_owned();
        let callback = Callback::new(&request, HERE.to_owned(), 9);
        let callback = Arc::new(callback.expect("a page"));
        Self {
            request,
            callback,
            state,
        }
    }

    #[cfg(test)]
    pub(super) fn callback(&self) -> Arc<Callback> {
        Arc::clone(&self.callback)
    }

    #[cfg(test)]
    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// The cookie of the browser that opened the login page.
    pub(super) fn cookie(&self) -> String {
        self.callback.entrance.cookie()
    }

    #[cfg(test)]
    pub(super) fn end(&self) -> LoginEnd {
        self.request.end()
    }

    #[cfg(test)]
    pub(super) fn give_up(&self) {
        self.request.give_up();
    }

    /// Waits for the redirect of this login.
    #[cfg(test)]
    pub(super) async fn redirect(&self) {
        self.callback.has_come.notified().await;
    }

    /// Handles one connection that sends `bytes`.
    fn receive(&self, bytes: &[u8]) {
        let mut sent = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        let next_state = |rest: &[u8]| {
            let mut windows = rest.windows(STATE.len());
            windows.position(|window| window == STATE.as_bytes())
        };
        while let Some(at) = next_state(rest) {
            sent.extend_from_slice(&rest[..at]);
            sent.extend_from_slice(self.state.as_bytes());
            rest = &rest[at + STATE.len()..];
        }
        let knows_the_state = rest.len() < bytes.len();
        sent.extend_from_slice(rest);
        self.add_cookie(&mut sent);

        let heard = exchange(&sent, &self.callback, &self.request);
        let heard = String::from_utf8(heard).expect("a page");
        let status = heard
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5));
        let is_taken = self.callback.redirect.get().is_some();
        assert_eq!(status == Some("200"), is_taken, "{heard}");
        if is_taken {
            let request = sent.trim_ascii_start();
            assert!(knows_the_state && request.starts_with(b"GET "));
        }
        if let Some((_, html)) = heard.split_once("\r\n\r\n") {
            assert_no_markup_but_ours(html);
        }
        self.assert_accepted_redirect_is_valid();
    }

    /// Handles a well-formed request for any target.
    fn request(&self, target: &str) {
        let target = target.replace(STATE, &self.state);
        let without = self
            .callback
            .answer(&Method::GET, &target, &HeaderMap::new());
        assert!(!matches!(without, Answer::Redirect), "{target:?}");
        let taken = self.is_taken(&target);
        let is_taken = self.callback.redirect.get().is_some();
        assert_eq!(taken, is_taken);
        if let Some(expected) = is_a_redirect(&target, &self.state) {
            assert_eq!(is_taken, expected, "{target:?}");
        }
        self.assert_accepted_redirect_is_valid();
    }

    /// Whether the browser that opened the login page is answered as the redirect of the login.
    fn is_taken(&self, target: &str) -> bool {
        let cookie = HeaderValue::try_from(self.cookie()).expect("ASCII");
        let headers = HeaderMap::from_iter([(COOKIE, cookie)]);
        let answer = self.callback.answer(&Method::GET, target, &headers);
        matches!(answer, Answer::Redirect)
    }

    /// Adds the cookie after the first line of the request.
    fn add_cookie(&self, sent: &mut Vec<u8>) {
        let begin = sent.len() - sent.trim_ascii_start().len();
        let line = sent[begin..].windows(2).position(|it| it == b"\r\n");
        if let Some(end) = line.map(|length| begin + length + 2) {
            let cookie = format!("Cookie: {}\r\n", self.cookie());
            sent.splice(end..end, cookie.into_bytes());
        }
    }

    fn assert_accepted_redirect_is_valid(&self) {
        let Some(url) = self.callback.redirect.get() else {
            return;
        };
        assert!(self.request.is_answered_by(url));
        assert_eq!(
            url[..url::Position::AfterPath],
            *format!("{HERE}/"),
            "{url}"
        );
        // The redirect has a code, or an error for the person.
        match self
            .request
            .page()
            .code(LoginReply::redirect(&self.request, url.clone()))
        {
            Ok((code, _)) => assert!(!code.secret().is_empty()),
            Err(error) => {
                let mut told = error.to_string();
                if let Some(cause) = error.source() {
                    told.push_str(&cause.to_string());
                }
                assert!(!told.chars().any(char::is_control), "{told:?}");
            }
        }
    }

    /// After any other request, the redirect gets its page, and the first redirect counts.
    fn assert_redirect_is_taken(&self) {
        let before = self.callback.redirect.get().cloned();
        let target = format!("/?code=c0de&state={}", self.state);
        assert!(self.is_taken(&target));
        let ours = Url::parse(&format!("{HERE}{target}")).expect("a URL");
        assert_eq!(self.callback.redirect.get(), Some(&before.unwrap_or(ours)));
    }
}

/// Whether a target is the redirect of the login with this `state`. `None` if URL parsing may
/// change the target.
fn is_a_redirect(target: &str, state: &str) -> Option<bool> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let plain = |c: u8| matches!(c, b'!'..=b'~') && !matches!(c, b'\\' | b'#');
    if !target.bytes().all(plain) || !path.starts_with('/') || path.contains(['.', '%']) {
        return None;
    }
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let values = |name: &str| -> Vec<&[u8]> {
        let named = pairs.iter().filter(|(known, _)| known == name.as_bytes());
        named.map(|(_, value)| &value[..]).collect()
    };
    let (codes, errors) = (values("code"), values("error"));
    let once = codes.len() <= 1 && errors.len() <= 1;
    let says_something =
        once && (!errors.is_empty() || codes.first().is_some_and(|code| !code.is_empty()));
    Some(path == "/" && says_something && values("state") == [state.as_bytes()])
}

/// `application/x-www-form-urlencoded`, byte for byte.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let digit = |at: usize| char::from(*others.get(at)?).to_digit(16);
        let (byte, length) = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => ((high * 16 + low) as u8, 3),
            (b'+', ..) => (b' ', 1),
            (other, ..) => (*other, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// Sends the bytes, and returns all bytes of the answer.
fn exchange(sent: &[u8], callback: &Arc<Callback>, request: &LoginRequest) -> Vec<u8> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_current_thread();
        // Paused: the timeout for the rest of a half request expires at once.
        let builder = builder.enable_time().start_paused(true);
        builder.build().expect("a runtime")
    });
    RUNTIME.block_on(async {
        let (mut browser, ours) = tokio::io::duplex(sent.len() + 64 * 1024);
        browser.write_all(sent).await.expect("room");
        // Ends the login, so that its page is there at once.
        request.give_up();
        connections::serve(ours, Arc::clone(callback), request.end(), Arc::default()).await;
        let mut heard = Vec::new();
        browser.read_to_end(&mut heard).await.expect("heard");
        heard
    })
}

fn assert_no_markup_but_ours(html: &str) {
    static OURS: LazyLock<usize> =
        LazyLock::new(|| tags(&Page::of_no_login().html().into_string()));
    let tags = tags(html);
    assert!(tags == 0 || tags == *OURS, "{html}");
}

fn tags(html: &str) -> usize {
    html.bytes().filter(|byte| *byte == b'<').count()
}
