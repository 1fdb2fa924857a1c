//! GridFTP replies: `530-GridFTP-JSON-Result: {...}` in a text.
//!
//! A GridFTP server says why it refuses a login in a reply of several lines, one of which holds a JSON document. Transfer
//! passes the reply on as text, and what stands between them spells it anew: line ends may be real, the four characters
//! `\r\n`, escaped once more, or `%0D%0A`; the quotes of the document may be escaped once or twice; the FTP formatter
//! puts `530-` before every line of a document that is pretty-printed; and a text may be cut off anywhere.

use std::borrow::Cow;

use memchr::memmem;

use super::{repair::code_unit, reply, trigger::REPLY};

/// The document of one reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedded {
    /// Its JSON text: balanced, not yet parsed.
    pub(super) json: String,
    /// Whether the document was cut off, and `json` is what was whole before.
    pub(super) cut: bool,
}

/// The documents of all replies in `text`, in order.
///
/// Each is looked for up to the next marker and no further, so that any number of them takes linear time.
pub(super) fn documents(text: &str) -> impl Iterator<Item = Embedded> {
    memmem::find_iter(text.as_bytes(), REPLY).filter_map(move |marker| {
        let rest = text.get(marker + REPLY.len()..)?;
        let end = memmem::find(rest.as_bytes(), REPLY.as_bytes()).unwrap_or(rest.len());
        document(rest.get(..end)?)
    })
}

/// The document at the start of `text`, which is what follows a marker.
fn document(text: &str) -> Option<Embedded> {
    let start = reply::skip_blank(text.as_bytes(), 0);
    let text = text.get(start..).filter(|text| text.starts_with('{'))?;
    let mut text = Cow::Borrowed(text);
    for _ in 0..escape_level(text.as_bytes())? {
        text = Cow::Owned(unescape(&text));
    }
    reply::scan(&text)
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

/// Undoes one level of escaping: `text` is the inside of a JSON string, up to the quote that ends it or to the cut.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\\', b'"', rest.as_bytes()) {
        plain.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let Some(escaped) = rest.strip_prefix('\\') else {
            // The end of the string that the document is in. Past it nothing belongs to the document.
            return plain;
        };
        let mut after = escaped.chars();
        let mut length = 2;
        match after.next() {
            Some(byte @ ('"' | '\\' | '/')) => plain.push(byte),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => match unicode(rest.as_bytes()) {
                Some((character, read)) => {
                    plain.push(character);
                    length = read;
                }
                None => plain.push_str(r"\u"),
            },
            Some(other) => {
                plain.push('\\');
                plain.push(other);
                length = 1 + other.len_utf8();
            }
            // Cut in the middle of an escape.
            None => return plain,
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The character that `\uXXXX`, or a pair of these, stands for, and how many bytes spell it.
fn unicode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = code_unit(bytes)?;
    let pair = [Some(first), bytes.get(6..).and_then(code_unit)];
    let decoded = char::decode_utf16(pair.into_iter().flatten()).next()?;
    Some(match decoded {
        Ok(character) => (character, 6 * character.len_utf16()),
        Err(_) => (char::REPLACEMENT_CHARACTER, 6),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

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

    fn only(text: &str) -> Embedded {
        let mut documents = documents(text);
        let first = documents
            .next()
            .unwrap_or_else(|| panic!("no document in {text}"));
        assert_eq!(documents.next(), None, "{text}");
        first
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

    #[test]
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
    #[test]
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

    #[test]
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

    #[test]
    fn regions_end_at_the_next_marker() {
        let text = format!(
            r#"{REPLY} {{"a": "x", "b": "{REPLY} {{"c": 1}} {REPLY} nothing {REPLY}{{"d":2}}"#
        );
        let found: Vec<_> = documents(&text)
            .map(|found| (found.json, found.cut))
            .collect();
        let expected = [
            (r#"{"a": "x"}"#, true),
            (r#"{"c": 1}"#, false),
            (r#"{"d":2}"#, false),
        ];
        assert_eq!(found, expected.map(|(json, cut)| (json.to_owned(), cut)));
    }

    #[test]
    fn unescaping() {
        for (text, plain) in [
            (r#"a\"b\\c\/d"#, r#"a"b\c/d"#),
            (r"\r\n\t\b\f", "\r\n\t\u{8}\u{c}"),
            (r"\u0041\ud83d\ude00\ud800\udc0", "A\u{1f600}\u{fffd}\\udc0"),
            (r"\d\é", r"\d\é"),
            (r"cut\", "cut"),
            (r#"end"more"#, "end"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }
}
