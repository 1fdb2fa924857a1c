//! The smallest pieces of JSON: white space, strings, numbers and literals, as `serde_json` takes them.

/// What a string holds beside plain characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Escapes {
    /// Any escape at all.
    pub(super) any: bool,
    /// `\uXXXX`, which may spell any character.
    pub(super) unicode: bool,
    /// Half a surrogate pair, or one half of a whole one.
    pub(super) surrogate: bool,
}

/// Where the white space ends that starts at `at`.
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the string ends whose first byte after the quote is at `at`: past the quote that ends it.
pub(super) fn string(bytes: &[u8], mut at: usize) -> Option<(usize, Escapes)> {
    let mut escapes = Escapes::default();
    loop {
        at = skip_plain(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some((at + 1, escapes)),
            b'\\' => {
                escapes.any = true;
                at = match bytes.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at + 2,
                    b'u' => {
                        let digits = bytes.get(at + 2..at + 6)?;
                        if !digits.iter().all(u8::is_ascii_hexdigit) {
                            return None;
                        }
                        escapes.unicode = true;
                        escapes.surrogate |= matches!(digits, [b'd' | b'D', b'8'..=b'f', ..]);
                        at + 6
                    }
                    _ => return None,
                };
            }
            // A control character.
            _ => return None,
        }
    }
}

/// Where the first byte at or after `at` is that does not stand for itself in a string.
fn skip_plain(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let length = plain_of(chunk);
        at += length;
        if length < chunk.len() {
            return at;
        }
    }
    while bytes
        .get(at)
        .is_some_and(|byte| !matches!(byte, b'"' | b'\\' | ..0x20))
    {
        at += 1;
    }
    at
}

/// How many of eight bytes come before the first quote, backslash or control character.
pub(super) fn plain_of(chunk: &[u8; 8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(*chunk);
    let equals = |byte: u8| {
        let zero = word ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    // The high bit of each such byte; beyond the first, bits may be set that mean nothing.
    let special = (equals(b'"') | equals(b'\\') | control) & (ONES << 7);
    // 64 where there is none.
    special.trailing_zeros() as usize / 8
}

/// Where the number ends that starts at `at`.
pub(super) fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => skip_digits(bytes, at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    // `01` is neither one number nor two.
    (!bytes.get(at).is_some_and(u8::is_ascii_digit)).then_some(at)
}

/// Where the digits end of which there must be one at `at`.
fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip_digits(bytes, at);
    (end > at).then_some(end)
}

fn skip_digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Where `literal` ends if it stands at `at`.
pub(super) fn literal(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    let end = at + literal.len();
    (bytes.get(at..end)? == literal).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        for length in 0..40 {
            for special in ["\"", r#"\"x""#, r#"\u00e9""#, "\u{7f}\u{80}é\""] {
                let text = format!("{}{special} rest", "p".repeat(length));
                let (end, escapes) = string(text.as_bytes(), 0).expect("a string");
                assert_eq!(end, length + special.len());
                assert_eq!(escapes.any, special.contains('\\'));
                assert_eq!(escapes.unicode, special.contains(r"\u"));
                assert!(!escapes.surrogate);
            }
            for broken in [
                "",
                "\u{1f}\"",
                "\n\"",
                r#"\x""#,
                r#"\u00g0""#,
                "\\",
                r"\u12",
                "\0\"",
            ] {
                let text = format!("{}{broken}", "p".repeat(length));
                assert_eq!(string(text.as_bytes(), 0), None, "{text:?}");
            }
        }
        for surrogate in [r#"\ud800""#, r#"\uDfff""#, r#"\uD83D\uDE00""#] {
            assert!(string(surrogate.as_bytes(), 0).is_some_and(|(_, escapes)| escapes.surrogate));
        }
        assert!(string(br#"\ud7ff""#, 0).is_some_and(|(_, escapes)| !escapes.surrogate));
    }

    #[test]
    fn numbers() {
        for whole in ["0", "-0", "10", "1.5", "-1.50e+7", "0e0", "1E-9"] {
            assert_eq!(number(whole.as_bytes(), 0), Some(whole.len()), "{whole}");
            assert_eq!(number(format!("{whole},").as_bytes(), 0), Some(whole.len()));
        }
        for broken in [
            "", "-", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "+1", "-a",
        ] {
            assert_eq!(number(broken.as_bytes(), 0), None, "{broken}");
        }
    }
}
