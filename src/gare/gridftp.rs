//! GridFTP replies: `530-GridFTP-JSON-Result: {...}` in a text.
//!
//! A GridFTP server says why it refuses a login in a reply of several lines, one of which holds a JSON document. Transfer
//! passes the reply on as text, and what stands between them spells it anew: line ends may be real, the four characters
//! `\r\n`, escaped once more, or `%0D%0A`; the quotes of the document may be escaped once or twice; the FTP formatter
//! puts `530-` before every line of a document that is pretty-printed; and a text may be cut off anywhere.

use std::borrow::Cow;

use super::{
    repair::with_json, reply, tape::Tape, texts, trigger::Replies, unescape::unescape, value::Value,
};

/// A document copied out of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedded {
    /// Its JSON text: balanced, not yet parsed.
    pub(super) json: String,
    /// Whether the document was cut off, and `json` is what was whole before.
    pub(super) cut: bool,
}

/// One document of a refused login.
pub(super) struct Refused<'t> {
    pub(super) document: Value<'t>,
    /// Whether it was cut off.
    pub(super) cut: bool,
    /// Whether the refused login is a quotation within the text.
    pub(super) is_quoted: bool,
}

/// Calls `each` with the documents of the refused login that `text` is, or quotes where it `may_quote`, in order.
pub(super) fn each_document(text: &str, may_quote: bool, mut each: impl FnMut(Refused<'_>)) {
    let Some(texts::Documents { regions, is_quoted }) = texts::documents(text, may_quote) else {
        return;
    };
    for region in regions {
        read(text.get(region).unwrap_or_default(), |document, cut| {
            each(Refused {
                document,
                cut,
                is_quoted,
            });
        });
    }
}

/// Calls `read` with the document at the start of `region`, and with whether it was cut off.
fn read(region: &str, read: impl FnOnce(Value<'_>, bool)) {
    let Some(text) = document(region) else {
        return;
    };
    if let Some(tape) = whole(&text) {
        if let Some(document) = tape.root() {
            read(document, false);
        }
    } else if let Some(reply) = reply::scan(&text) {
        with_json(&reply.json, |document| read(document, reply.cut));
    }
}

/// The document at the start of `text`, which is what follows a marker, and what comes after it, unescaped.
fn document(text: &str) -> Option<Cow<'_, str>> {
    let start = reply::skip_blank(text.as_bytes(), 0);
    let text = text.get(start..).filter(|text| text.starts_with('{'))?;
    let mut text = Cow::Borrowed(text);
    for _ in 0..escape_level(text.as_bytes())? {
        text = Cow::Owned(unescape(&text));
    }
    Some(text)
}

/// The document that `text` starts with, where it stands there just as it was written, as it mostly does: on one line
/// and all of it.
fn whole(text: &str) -> Option<Tape<'_>> {
    let parsed = Tape::parse(text, Replies::NONE)?;
    let document = text.get(..parsed.end)?;
    let as_written =
        !parsed.surrogates && memchr::memchr2(b'\r', b'\n', document.as_bytes()).is_none();
    as_written.then_some(parsed.tape)
}

/// How often the document was escaped, told by the backslashes before its first quote: `"`, `\"`, `\\\"`.
fn escape_level(document: &[u8]) -> Option<u32> {
    let start = reply::skip_blank(document, 1);
    let rest = document.get(start..)?;
    let backslashes = rest.iter().take_while(|byte| **byte == b'\\').count();
    match (backslashes, rest.get(backslashes)) {
        (0, _) => Some(0),
        (1, Some(b'"')) => Some(1),
        (3, Some(b'"')) => Some(2),
        (7, Some(b'"')) => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::gare::trigger::{REPLY, after_markers};

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

    /// The documents of `text`, all copied.
    fn documents(text: &str) -> Vec<Embedded> {
        let scanned = after_markers(text).filter_map(document);
        let scanned: Vec<_> = scanned.filter_map(|text| reply::scan(&text)).collect();
        // Those that need no copying are the same.
        let mut read = Vec::new();
        for region in after_markers(text) {
            super::read(region, |document, cut| {
                read.push((document.raw().to_owned(), cut))
            });
        }
        let copied = scanned.iter().filter_map(|reply| {
            let raw = with_json(&reply.json, |document| document.raw().to_owned())?;
            Some((raw, reply.cut))
        });
        assert_eq!(read, copied.collect::<Vec<_>>(), "{text}");
        scanned
    }

    fn only(text: &str) -> Embedded {
        let mut documents = documents(text);
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn assert_whole(text: &str) {
        let found = only(text);
        assert!(!found.cut, "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&found.json).unwrap_or_else(|e| panic!("{e}: {text}")),
            sample(),
            "{text}"
        );
    }

    #[checks::test]
    fn every_spelling() {
        let line = sample().to_string();
        let pretty = serde_json::to_string_pretty(&sample()).unwrap();
        for end in ENDS {
            for code in ["530", "500", "535"] {
                let continued = pretty.replace('\n', &format!("{end}{code}-"));
                for json in [&line, &continued, &pretty.replace('\n', end)] {
                    for (before, after) in [("-", " End."), (" ", " End."), ("-", "")] {
                        let text = format!(
                            "Details: {code}-Login incorrect.{end}{code}{before}{REPLY} {json}{end}{code}{after}"
                        );
                        assert_whole(&text);
                        assert_whole(&escaped(&text));
                        assert_whole(&escaped(&escaped(&text)));
                        assert_whole(&escaped(&escaped(&escaped(&text))));
                        assert_whole(&format!("{REPLY}{json}"));
                        assert_whole(&format!("{REPLY}{end}{code}-{json}"));
                    }
                }
            }
        }
    }

    /// Cut anywhere, in any spelling, a document yields only members that were whole.
    #[checks::test]
    fn every_cut() {
        let pretty = serde_json::to_string_pretty(&sample()).unwrap();
        for end in ["\n", r"\r\n", r"\\r\\n", "%0D%0A"] {
            for tail in ["", "\r\n530 End.\r\n", r"\r\n530 End.\r\n"] {
                let reply = format!(
                    "530-{REPLY} {}",
                    pretty.replace('\n', &format!("{end}530-"))
                );
                for text in [escaped(&reply), escaped(&escaped(&reply)), reply] {
                    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
                        let cut = format!("{}{tail}", &text[..at]);
                        for found in documents(&cut) {
                            assert_part(&found, &cut);
                        }
                    }
                }
            }
        }
    }

    fn assert_part(found: &Embedded, text: &str) {
        // A tail without a quote can end no string, so whatever parses is part of the sample.
        let Ok(Value::Object(part)) = serde_json::from_str(&found.json) else {
            return;
        };
        assert!(found.cut, "{text}");
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
    fn the_quote_of_the_outer_string_ends_the_document() {
        let text =
            format!(r#"{REPLY} {{\"a\": {{\"b\": 1, \"c\": [\"uchi", "request_id": "x"]}}}}"#);
        assert_eq!(
            only(&text),
            Embedded {
                json: r#"{"a": {"b": 1}}"#.to_owned(),
                cut: true
            }
        );
    }

    #[checks::test]
    fn regions_end_at_the_next_marker() {
        let text = format!(
            r#"{REPLY} {{"a": "x", "b": "{REPLY} {{"c": 1}} {REPLY} nothing {REPLY}{{"d":2}}"#
        );
        let found: Vec<_> = documents(&text)
            .into_iter()
            .map(|found| (found.json, found.cut))
            .collect();
        let expected = [
            (r#"{"a": "x"}"#, true),
            (r#"{"c": 1}"#, false),
            (r#"{"d":2}"#, false),
        ];
        assert_eq!(found, expected.map(|(json, cut)| (json.to_owned(), cut)));
    }
}
