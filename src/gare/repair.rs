//! Making JSON of what Python takes for JSON: lone surrogate escapes, `NaN` and `Infinity`.

use std::borrow::Cow;

use super::{
    lex::skip_space,
    tape::{Parsed, Tape},
    trigger::Replies,
    value::Value,
};

/// Parses `text` and calls `read` with it; `None` where it is no JSON.
pub(super) fn with_json<T>(text: &str, read: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    with_marked_json(text, |_| Replies::NONE, read)
}

/// [`with_json`], marking where GridFTP replies may be.
pub(super) fn with_replies<T>(text: &str, read: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    with_marked_json(text, |text| Replies::of(text.as_bytes()), read)
}

fn with_marked_json<T>(
    text: &str,
    replies: impl Fn(&str) -> Replies<'_>,
    read: impl FnOnce(Value<'_>) -> T,
) -> Option<T> {
    let parse = |text| {
        let parsed = Tape::parse(text, replies(text))?;
        (skip_space(text.as_bytes(), parsed.end) == text.len()).then_some(parsed)
    };
    let as_it_is = parse(text);
    if let Some(Parsed {
        tape,
        surrogates: false,
        ..
    }) = &as_it_is
    {
        return tape.root().map(read);
    }
    match repair(text) {
        Cow::Owned(text) => parse(&text).and_then(|parsed| parsed.tape.root().map(read)),
        // Its surrogates come in pairs.
        Cow::Borrowed(_) => as_it_is.and_then(|parsed| parsed.tape.root().map(read)),
    }
}

/// `text` with lone surrogate escapes replaced by U+FFFD and `NaN` and the infinities by `null`, in one pass.
fn repair(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut repaired = String::new();
    let mut copied = 0;
    let mut in_string = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let (length, replacement) = match (in_string, byte) {
            (_, b'"') => {
                in_string = !in_string;
                (1, None)
            }
            (true, b'\\') => escape(rest),
            (false, b'N') if rest.starts_with(b"NaN") => (3, Some("null")),
            (false, b'I') if rest.starts_with(b"Infinity") => (8, Some("null")),
            (false, b'-') if rest.starts_with(b"-Infinity") => (9, Some("null")),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            repaired.push_str(text.get(copied..at).unwrap_or_default());
            repaired.push_str(replacement);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    repaired.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(repaired)
}

/// How long the escape at the start of `bytes` is, and what to write instead where it is half a surrogate pair.
fn escape(bytes: &[u8]) -> (usize, Option<&'static str>) {
    match code_unit(bytes) {
        Some(0xD800..=0xDBFF) => match bytes.get(6..).and_then(code_unit) {
            Some(0xDC00..=0xDFFF) => (12, None),
            _ => (6, Some(r"\ufffd")),
        },
        Some(0xDC00..=0xDFFF) => (6, Some(r"\ufffd")),
        _ => (2, None),
    }
}

/// The code unit that a `\uXXXX` at the start of `bytes` stands for.
pub(super) fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(br"\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn repairs_only_what_is_broken() {
        for (text, repaired) in [
            (
                r#"{"a": NaN, "b": [-Infinity, Infinity]}"#,
                r#"{"a": null, "b": [null, null]}"#,
            ),
            (
                r#"["NaN \" Infinity", NaN]"#,
                r#"["NaN \" Infinity", null]"#,
            ),
            (r#"["\ud800"]"#, r#"["\ufffd"]"#),
            (
                r#"["\uD83D\uDE00 \ud83d\ud83d\ude00 \udc00"]"#,
                r#"["\uD83D\uDE00 \ufffd\ud83d\ude00 \ufffd"]"#,
            ),
            (r#"["\\ud800"]"#, r#"["\\ud800"]"#),
            (r#"["\ud8"#, r#"["\ud8"#),
            ("[\"é\", NaN, \"\\ud800é\"]", "[\"é\", null, \"\\ufffdé\"]"),
            ("[NaN, -123456789]", "[null, -123456789]"),
            ("plain", "plain"),
        ] {
            assert_eq!(repair(text), repaired);
        }
    }

    #[checks::test]
    fn what_is_no_json_stays_none() {
        for text in [
            "",
            "{",
            "NaN}",
            "[Nil]",
            "[Infinite]",
            "[-Infinite]",
            "{\"a\": tru}",
            "\"\\ud8",
            "[1] 2",
            "{\"a\": \"\u{1}\"}",
        ] {
            assert_eq!(
                with_json(text, |value| value.raw().to_owned()),
                None,
                "{text}"
            );
        }
        assert_eq!(
            with_json("NaN", |value| value.raw().to_owned()).as_deref(),
            Some("null")
        );
    }
}
