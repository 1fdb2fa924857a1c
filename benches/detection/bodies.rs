//! The bodies that detection is measured with.

use serde_json::Value;

const CORPUS: &str = include_str!("../../tests/corpus/errors.jsonl");

pub struct Body {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

/// All of them, small ones first.
pub fn all() -> Vec<Body> {
    let plain_gare = r#"{"code": "AuthorizationRequired", "authorization_parameters": {"session_message": "Log in again with multi-factor authentication.", "session_required_policies": ["8a1e6f0a-0a57-4d07-8d21-5b9f2c3d4e5f"], "session_required_mfa": true}}"#;
    [
        (
            "A Transfer 502 with 530 text",
            of_corpus("transfer-ls-530-r110-embedded-only"),
        ),
        ("B plain GARE", plain_gare.into()),
        (
            "C small 404",
            of_corpus("transfer-404-clienterror-notfound"),
        ),
        ("D 64 KiB of proxy HTML", html(64 << 10)),
        ("E 1 MiB of JSON without a GARE", listing(1 << 20)),
        ("F 1 MiB, 10,000 false replies", false_replies(10_000)),
        ("F twice as long", false_replies(20_000)),
    ]
    .map(|(name, bytes)| Body { name, bytes })
    .into()
}

fn of_corpus(id: &str) -> Vec<u8> {
    CORPUS
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a row of the corpus"))
        .find(|row| row["id"] == id)
        .and_then(|row| Some(row["body"].as_str()?.into()))
        .expect("the corpus has this body")
}

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

/// What Transfer says of a directory.
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

/// Replies that carry a document, none of which asks for anything.
fn false_replies(count: usize) -> Vec<u8> {
    let reply = r#"{"detail": ["530-GridFTP-JSON-Result: {\"DATA_TYPE\": \"result#1.1.0\", \"code\": \"no\"}\r\n530 End."]}"#;
    format!(r#"{{"errors": [{}]}}"#, vec![reply; count].join(", ")).into()
}
