//! GridFTP requirements: `530-GridFTP-JSON-Result: {...}` in the text of a refused login.
//!
//! A GridFTP server says why it refuses a login in a reply of several lines, one of which holds a JSON document. Transfer
//! passes the reply on as text, and what stands between them spells it anew: line ends may be real, the four characters
//! `\r\n`, escaped once more, or `%0D%0A`; the document may be escaped up to three times, and within its strings once
//! more; the FTP formatter puts `530-` before every line of a document that is pretty-printed; and a text may be cut off
//! anywhere.

use std::borrow::Cow;

use super::{
    json::{self, Object},
    reply::{self, Reply},
    texts::{self, Documents, backslashes},
    unescape::{Quotes, unescape},
};

/// Calls `read` with the documents of the refused login that `text` is, or quotes where it `may_quote`, in order; with
/// whether the document was cut off, and whether the refused login is a quotation.
pub(super) fn each(text: &str, may_quote: bool, mut read: impl FnMut(&Object<'_>, bool, bool)) {
    if let Some(Documents { regions, is_quoted }) = texts::documents(text, may_quote) {
        for region in regions {
            let region = text.get(region).unwrap_or_default();
            read_region(region, |document, cut| read(document, cut, is_quoted));
        }
    }
}

/// Calls `read` with the document at the start of `region`, and with whether it was cut off.
fn read_region(region: &str, mut read: impl FnMut(&Object<'_>, bool)) {
    let Some(text) = document(region) else {
        return;
    };
    if let Some(object) = as_written(&text) {
        return read(&object, false);
    }
    let mut reply = reply::scan(&text);
    let is_json = |reply: &Reply| !reply.cut && json::object(&reply.json, |_| ()).is_some();
    if text.contains(r"\\") && !reply.as_ref().is_some_and(is_json) {
        // Where the text was escaped as a whole, but for its quotes, the escapes within strings are doubled.
        let plain = unescape(&text, Quotes::Stay);
        reply = reply::scan(&plain).filter(is_json).or(reply);
    }
    if let Some(Reply { json, cut }) = reply {
        json::object(&json, |object| read(object, cut));
    }
}

/// The document at the start of `region`, which is what follows a marker, and what comes after it, unescaped.
fn document(region: &str) -> Option<Cow<'_, str>> {
    let start = reply::skip_blank(region.as_bytes(), 0);
    let text = region.get(start..).filter(|text| text.starts_with('{'))?;
    let mut text = Cow::Borrowed(text);
    for _ in 0..escape_level(text.as_bytes())? {
        text = Cow::Owned(unescape(&text, Quotes::End));
    }
    Some(text)
}

/// The document that `text` starts with, where it stands there just as it was written, as it mostly does: on one line
/// and all of it.
fn as_written(text: &str) -> Option<Object<'_>> {
    let (object, end) = json::object_at_start(text)?;
    let document = text.as_bytes().get(..end)?;
    memchr::memchr2(b'\r', b'\n', document)
        .is_none()
        .then_some(object)
}

/// How often the document was escaped, told by the backslashes before its first quote: `"`, `\"`, `\\\"`.
fn escape_level(document: &[u8]) -> Option<u32> {
    let start = reply::skip_blank(document, 1);
    let rest = document.get(start..)?;
    match (backslashes(rest), rest.get(backslashes(rest))) {
        (0, _) => Some(0),
        (escapes @ (1 | 3 | 7), Some(b'"')) => Some((escapes + 1).ilog2()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use crate::gare::prefilter::MARKER;

    const ENDS: [&str; 8] = [
        "\r\n", "\n", "\r\r\n", r"\r\n", r"\n", r"\\r\\n", "%0D%0A", "%0d%0a",
    ];

    fn sample() -> Value {
        json!({
            "DATA_TYPE": "result#1.1.0",
            "authorization_parameters": {
                "session_message": "Log in with a \"uchicago.edu\" identity\r\n530-then [retry] {now} \\ \u{e9}",
                "session_required_single_domain": ["uchicago.edu"],
            },
            "empty": [{}, [], "", "\\"],
            "http_response_code": 403,
        })
    }

    fn escaped(text: &str) -> String {
        let quoted = serde_json::to_string(text).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    }

    /// The documents after each marker of `text`, as JSON, and whether they were cut off.
    fn documents(text: &str) -> Vec<(Value, bool)> {
        let mut read = Vec::new();
        for region in text.split(MARKER).skip(1) {
            super::read_region(region, |document, cut| {
                let members = document.members();
                let members = members.map(|(name, value)| {
                    (name.to_owned(), serde_json::from_str(value.raw()).unwrap())
                });
                read.push((Value::Object(members.collect()), cut));
            });
        }
        read
    }

    fn only(text: &str) -> (Value, bool) {
        let mut documents = documents(text);
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn assert_whole(text: &str) {
        assert_eq!(only(text), (sample(), false), "{text}");
    }

    #[checks::test]
    fn document_is_found_in_every_spelling() {
        let line = sample().to_string();
        let pretty = serde_json::to_string_pretty(&sample()).unwrap();
        for end in ENDS {
            for code in ["530", "500", "535"] {
                let continued = pretty.replace('\n', &format!("{end}{code}-"));
                for json in [&line, &continued, &pretty.replace('\n', end)] {
                    for (before, after) in [("-", " End."), (" ", " End."), ("-", "")] {
                        let text = format!(
                            "Details: {code}-Login incorrect.{end}{code}{before}{MARKER} {json}{end}{code}{after}"
                        );
                        assert_whole(&text);
                        assert_whole(&escaped(&text));
                        assert_whole(&escaped(&escaped(&text)));
                        assert_whole(&escaped(&escaped(&escaped(&text))));
                        assert_whole(&format!("{MARKER}{json}"));
                        assert_whole(&format!("{MARKER}{end}{code}-{json}"));
                    }
                }
            }
        }
    }

    /// Cut anywhere, in any spelling, a document yields only members that were whole.
    #[checks::test]
    fn cut_document_gives_a_part_of_the_whole() {
        let pretty = serde_json::to_string_pretty(&sample()).unwrap();
        for end in ["\n", r"\r\n", r"\\r\\n", "%0D%0A"] {
            for tail in ["", "\r\n530 End.\r\n", r"\r\n530 End.\r\n"] {
                let reply = format!(
                    "530-{MARKER} {}",
                    pretty.replace('\n', &format!("{end}530-"))
                );
                for text in [escaped(&reply), escaped(&escaped(&reply)), reply] {
                    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
                        let cut = format!("{}{tail}", &text[..at]);
                        for (part, is_cut) in documents(&cut) {
                            assert!(is_cut || part == sample(), "{cut}");
                            assert_part(part, &cut);
                        }
                    }
                }
            }
        }
    }

    fn assert_part(part: Value, text: &str) {
        let Value::Object(part) = part else {
            panic!("{text}");
        };
        let whole = sample();
        for (name, value) in part {
            if name == "authorization_parameters" {
                for (name, value) in value.as_object().unwrap() {
                    assert_eq!(*value, whole["authorization_parameters"][name], "{text}");
                }
            } else {
                assert_eq!(value, whole[&name], "{text}");
            }
        }
    }

    #[checks::test]
    fn quote_of_the_outer_string_ends_the_document() {
        let text =
            format!(r#"{MARKER} {{\"a\": {{\"b\": 1, \"c\": [\"uchi", "request_id": "x"]}}}}"#);
        assert_eq!(only(&text), (json!({"a": {"b": 1}}), true));
    }

    #[checks::test]
    fn document_ends_at_the_next_marker() {
        let text = format!(
            r#"{MARKER} {{"a": "x", "b": "{MARKER} {{"c": 1}} {MARKER} nothing {MARKER}{{"d":2}}"#
        );
        let expected = [
            (json!({"a": "x"}), true),
            (json!({"c": 1}), false),
            (json!({"d": 2}), false),
        ];
        assert_eq!(documents(&text), expected);
    }

    /// The text as Python's `repr` writes it: line ends and backslashes are escaped, quotes are not.
    #[checks::test]
    fn doubled_escapes_are_read() {
        let line = sample().to_string();
        for json in [
            &line,
            &serde_json::to_string_pretty(&sample())
                .unwrap()
                .replace('\n', "\r\n530-"),
        ] {
            let text = format!("{MARKER} {json}\r\n530 End.\r\n");
            let repr = text
                .replace('\\', r"\\")
                .replace('\r', r"\r")
                .replace('\n', r"\n");
            assert_whole(&repr);
        }
        // What is JSON as it is stays as it is.
        let text = format!(r#"{MARKER} {{"a": "\\\\n"}}\r\n530 End."#);
        assert_eq!(only(&text), (json!({"a": r"\\n"}), false));
    }
}
