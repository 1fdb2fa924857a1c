//! What a JSON string says.

use super::{lex, repair::code_unit};

/// Undoes one level of escaping: `text` is the inside of a JSON string, up to the quote that ends it or to the cut.
///
/// Puts up with escapes that JSON does not have, since not every text that is one was made by a JSON library: they stay.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    loop {
        at = copy_plain(bytes, at, &mut plain);
        // Past the quote that ends the string nothing belongs to it.
        let (Some(b'\\'), Some(escaped)) = (bytes.get(at), bytes.get(at + 1)) else {
            break;
        };
        at += 2;
        let byte = match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x8,
            b'f' => 0xC,
            b'"' | b'\\' | b'/' => *escaped,
            b'u' => {
                if let Some((character, length)) = unicode(bytes.get(at - 2..).unwrap_or_default())
                {
                    plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    at += length - 2;
                    continue;
                }
                plain.push(b'\\');
                b'u'
            }
            // What follows may be the start of a longer character: it is copied with the rest.
            _ => {
                at -= 1;
                b'\\'
            }
        };
        plain.push(byte);
    }
    // It is made of whole characters.
    String::from_utf8(plain).unwrap_or_default()
}

/// Copies what stands for itself, up to the next quote or backslash, whose place is returned.
fn copy_plain(bytes: &[u8], mut at: usize, plain: &mut Vec<u8>) -> usize {
    // Eight bytes at a time, and back over what was too many: escapes are dense, and short copies slow.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        plain.extend_from_slice(chunk);
        let Some(length) = lex::first_special(chunk) else {
            at += chunk.len();
            continue;
        };
        plain.truncate(plain.len() - (chunk.len() - length));
        at += length;
        match bytes.get(at) {
            // Control characters stand for themselves: a text that was escaped once and not twice may have them.
            Some(byte @ ..0x20) => {
                plain.push(*byte);
                at += 1;
            }
            _ => return at,
        }
    }
    while let Some(byte) = bytes.get(at).filter(|byte| !matches!(byte, b'"' | b'\\')) {
        plain.push(*byte);
        at += 1;
    }
    at
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
    use super::*;

    #[checks::test]
    fn unescaping() {
        for (text, plain) in [
            (r#"a\"b\\c\/d"#, r#"a"b\c/d"#),
            (r"\r\n\t\b\f", "\r\n\t\u{8}\u{c}"),
            (r"\u0041\ud83d\ude00\ud800\udc0", "A\u{1f600}\u{fffd}\\udc0"),
            (r"\d\é", r"\d\é"),
            ("real\nline\r\nends é", "real\nline\r\nends é"),
            (r"cut\", "cut"),
            (r#"end"more"#, "end"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }
}
