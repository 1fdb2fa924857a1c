//! Mends JSON that Python accepts and `serde_json` does not: lone surrogates, `NaN` and `Infinity`.

use super::unescape::code_unit;

/// `text` with U+FFFD for lone surrogates, and `null` for `NaN` and the infinities. `None` if it
/// has none of these.
pub(super) fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended = String::new();
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
            mended.push_str(text.get(copied..at).unwrap_or_default());
            mended.push_str(replacement);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(text.get(copied..).unwrap_or_default());
    Some(mended)
}

/// The length of the escape at the start of `bytes`, and its replacement if it is half a surrogate
/// pair.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn only_invalid_values_are_mended() {
        for (text, expected) in [
            (
                r#"{"a": NaN, "b": [-Infinity, Infinity]}"#,
                Some(r#"{"a": null, "b": [null, null]}"#),
            ),
            (
                r#"["NaN \" Infinity", NaN]"#,
                Some(r#"["NaN \" Infinity", null]"#),
            ),
            (r#"["\ud800"]"#, Some(r#"["\ufffd"]"#)),
            (
                r#"["\uD83D\uDE00 \ud83d\ud83d\ude00 \udc00"]"#,
                Some(r#"["\uD83D\uDE00 \ufffd\ud83d\ude00 \ufffd"]"#),
            ),
            (
                "[\"é\", NaN, \"\\ud800é\"]",
                Some("[\"é\", null, \"\\ufffdé\"]"),
            ),
            ("[NaN, -123456789]", Some("[null, -123456789]")),
            ("NaN", Some("null")),
            (r#"["\\ud800"]"#, None),
            (r#"["\ud8"#, None),
            ("[Nil, Infinite, -Infinite]", None),
            ("plain", None),
        ] {
            assert_eq!(mended(text).as_deref(), expected, "{text}");
        }
    }
}
