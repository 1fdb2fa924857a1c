//! The error bodies of the bench of detection.

use checks::corpus;

const PLAIN_GARE: &str = r#"{"code": "AuthorizationRequired", "authorization_parameters": {"session_message": "Log in again with multi-factor authentication.", "session_required_policies": ["8a1e6f0a-0a57-4d07-8d21-5b9f2c3d4e5f"], "session_required_mfa": true}}"#;

pub const TRANSFER: &str = "Transfer's 502";
pub const PLAIN: &str = "a plain GARE";
pub const ORDINARY: &str = "an ordinary 404";
pub const HTML: &str = "64 KiB of HTML";
pub const LONG: &str = "1 MiB without a GARE";

pub struct Body {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

/// All bodies, the two with a GARE first.
pub fn all() -> Vec<Body> {
    [
        (
            TRANSFER,
            corpus::body("transfer-ls-530-r110-embedded-only").into(),
        ),
        (PLAIN, PLAIN_GARE.into()),
        (
            ORDINARY,
            corpus::body("transfer-404-clienterror-notfound").into(),
        ),
        (HTML, html(64 << 10)),
        (LONG, listing(1 << 20)),
    ]
    .map(|(name, bytes)| Body { name, bytes })
    .into()
}

/// A proxy's error page.
fn html(size: usize) -> Vec<u8> {
    let line = "<tr><td class=\"error\">The server encountered a temporary error and could not complete your request.</td></tr>\n";
    let mut text =
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<table>\n".to_owned();
    while text.len() < size {
        text.push_str(line);
    }
    text.truncate(size);
    text.into()
}

/// Transfer's listing of a directory.
fn listing(size: usize) -> Vec<u8> {
    let mut text = r#"{"DATA_TYPE": "file_list", "DATA": ["#.to_owned();
    for number in 0.. {
        text.push_str(&format!(
            r#"{{"DATA_TYPE": "file", "group": "climate", "last_modified": "2026-01-01 00:00:00+00:00", "name": "run-{number:06}.nc", "permissions": "0644", "size": {}, "type": "file", "user": "ada"}}"#,
            number * 4099
        ));
        if text.len() >= size {
            break;
        }
        text.push_str(", ");
    }
    text.push_str(r#"], "path": "/~/"}"#);
    text.into()
}
