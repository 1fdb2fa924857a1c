//! Removes the escapes from a text that was passed on in a string.

use memchr::{memchr, memchr2};

/// The meaning of a quotation mark in an escaped text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// The end of the string: the text was escaped as JSON.
    End,
    /// None: quotation marks were not escaped.
    Stay,
}

/// Removes one level of escapes. `text` is the inside of a string, up to its end or to the cut.
///
/// Escapes that JSON does not have stay: not every such text was made by a JSON library.
pub(super) fn unescape(text: &str, quotes: Quotes) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        let stop = match quotes {
            Quotes::End => memchr2(b'\\', b'"', rest),
            Quotes::Stay => memchr(b'\\', rest),
        };
        let (copied, after) = rest.split_at(stop.unwrap_or(rest.len()));
        plain.extend_from_slice(copied);
        // Otherwise this is the end, or a cut within an escape.
        let [b'\\', escaped, ..] = after else { break };
        if let Some((character, length)) = unicode(after) {
            plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after.get(length..).unwrap_or_default();
            continue;
        }
        let (unescaped, length) = match escaped {
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b't' => (b'\t', 2),
            b'b' => (0x8, 2),
            b'f' => (0xC, 2),
            b'"' | b'\\' | b'/' | b'\'' => (*escaped, 2),
            _ => (b'\\', 1),
        };
        plain.push(unescaped);
        rest = after.get(length..).unwrap_or_default();
    }
    // `plain` consists of whole characters.
    String::from_utf8(plain).unwrap_or_default()
}

/// The character that a `\uXXXX` or a surrogate pair stands for, and the length of its escapes.
fn unicode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = code_unit(bytes)?;
    let pair = [Some(first), bytes.get(6..).and_then(code_unit)];
    let decoded = char::decode_utf16(pair.into_iter().flatten()).next()?;
    Some(match decoded {
        Ok(character) => (character, 6 * character.len_utf16()),
        Err(_) => (char::REPLACEMENT_CHARACTER, 6),
    })
}

/// The code unit of the `\uXXXX` at the start of `bytes`.
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
    fn each_escape_is_removed() {
        for (text, plain) in [
            (r#"a\"b\\c\/d\'e"#, r#"a"b\c/d'e"#),
            (r"\r\n\t\b\f", "\r\n\t\u{8}\u{c}"),
            (r"\u0041\ud83d\ude00\ud800\udc0", "A\u{1f600}\u{fffd}\\udc0"),
            (r"\d\é", r"\d\é"),
            ("real\nline\r\nends é", "real\nline\r\nends é"),
            (r"cut\", "cut"),
        ] {
            assert_eq!(unescape(text, Quotes::End), plain, "{text}");
            assert_eq!(unescape(text, Quotes::Stay), plain, "{text}");
        }
        assert_eq!(unescape(r#"end"more"#, Quotes::End), "end");
        assert_eq!(
            unescape(r#"{"a": "\\"b\\n"}"#, Quotes::Stay),
            r#"{"a": "\"b\n"}"#
        );
    }
}
