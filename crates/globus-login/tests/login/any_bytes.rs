//! Saved inputs of the fuzzer, sent to the port of a waiting login.

use checks::inputs::kept;
use http::header::COOKIE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::loopback::{Waiting, endpoint_or_log_in};
use crate::support::endpoint::*;
use crate::support::*;

/// The saved inputs. Each input that is text is also sent as the target of a request.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    for (name, bytes) in kept("redirect") {
        inputs.push((name.clone(), bytes.clone()));
        if let Ok(target) = std::str::from_utf8(&bytes) {
            let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            inputs.push((format!("{name} as a target"), request.into_bytes()));
        }
    }
    inputs.sort();
    inputs
}

/// Replaces `STATE` by the `state` of a login. `false` if it does not occur.
fn with_state(bytes: &[u8], state: &str) -> (Vec<u8>, bool) {
    let (mut sent, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(5).position(|word| word == b"STATE") {
        sent.extend_from_slice(&rest[..at]);
        sent.extend_from_slice(state.as_bytes());
        rest = &rest[at + 5..];
    }
    sent.extend_from_slice(rest);
    (sent, rest.len() < bytes.len())
}

/// The status of the answer; empty if the program closed the connection before it read all.
async fn exchange(login: &Waiting, sent: &[u8]) -> String {
    let address = login.here().replace("http://", "");
    let mut browser = TcpStream::connect(address).await.expect("a connection");
    let mut heard = Vec::new();
    // After an error there is nothing to read.
    if browser.write_all(sent).await.is_ok() && browser.shutdown().await.is_ok() {
        let _ = browser.read_to_end(&mut heard).await;
    }
    let heard = String::from_utf8(heard).expect("a page");
    heard.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Adds the cookie after the first line of the request.
fn with_cookie(mut sent: Vec<u8>, cookie: &str) -> Vec<u8> {
    let begin = sent.len() - sent.trim_ascii_start().len();
    let line = sent[begin..].windows(2).position(|it| it == b"\r\n");
    if let Some(end) = line.map(|length| begin + length + 2) {
        let cookie = format!("Cookie: {cookie}\r\n");
        sent.splice(end..end, cookie.into_bytes());
    }
    sent
}

/// How the login ended; `None` if it still waited, so that its own redirect ends it now.
async fn ended(mut login: Waiting, endpoint: &Endpoint) -> Option<String> {
    let before = endpoint.requests().len();
    exchange_ours(&login).await;
    let found = login.program.reported().await;
    assert!(!found.contains(char::is_control), "{found:?}");
    let asked = endpoint.requests();
    let code = asked.get(before).map(|asked| asked.field("code"));
    (found != "logged in" || code != Some("ours")).then_some(found)
}

/// Sends the redirect of this login. It has no effect after the end of the login.
async fn exchange_ours(login: &Waiting) {
    let state = value(&login.page, "state");
    let url = format!("{}/?code=ours&state={state}", login.here());
    let request = client().get(url).header(COOKIE, &login.cookie);
    let _ = request.send().await;
}

#[checks::test(seconds = 600)]
async fn bytes_at_the_port_end_a_login_only_as_its_redirect() {
    let Some(endpoint) = endpoint_or_log_in().await else {
        return;
    };
    let patient = Waiting::start(module_path!(), &endpoint).await;
    let mut redirects = 0;
    for (name, input) in inputs() {
        // One login serves all inputs without `STATE`, because none of them ends it.
        let (sent, has_state) = with_state(&input, "");
        if !has_state {
            assert_ne!(exchange(&patient, &sent).await, "200", "{name}");
            continue;
        }
        let login = Waiting::start(module_path!(), &endpoint).await;
        let (sent, _) = with_state(&input, &value(&login.page, "state"));
        let status = exchange(&login, &with_cookie(sent.clone(), &login.cookie)).await;
        let ended = ended(login, &endpoint).await;
        let is_redirect = ended.is_some();
        assert!(
            !is_redirect || sent.trim_ascii_start().starts_with(b"GET "),
            "{name}"
        );
        let ended = ended.unwrap_or_default();
        for problem in ["state", "no authorization code"] {
            assert!(!ended.contains(problem), "{name}: {ended}");
        }
        if !status.is_empty() {
            assert_eq!(status == "200", is_redirect, "{name}");
        }
        redirects += usize::from(is_redirect);
    }
    assert_eq!(self::ended(patient, &endpoint).await, None);
    assert!(redirects > 5, "{redirects}");
}
