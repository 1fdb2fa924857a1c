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

/// Where a string stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Past the quote that ends it.
    Quote(usize),
    /// Where the text ends.
    End,
}

/// Where the string stops of which some byte after the quote is at `at`; `None` where no string goes on like that.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize, escapes: &mut Escapes) -> Option<Stop> {
    let mut rest = bytes.get(at..).unwrap_or_default();
    loop {
        rest = match skip_plain(rest) {
            [] => return Some(Stop::End),
            [b'"', rest @ ..] => return Some(Stop::Quote(bytes.len() - rest.len())),
            [b'\\', b'u', rest @ ..] => {
                let (digits, rest) = rest.split_first_chunk::<4>()?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                escapes.any = true;
                escapes.unicode = true;
                escapes.surrogate |= matches!(digits, [b'd' | b'D', b'8'..=b'f', ..]);
                rest
            }
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                rest @ ..,
            ] => {
                escapes.any = true;
                rest
            }
            // A control character, or no escape that there is.
            _ => return None,
        };
    }
}

/// [`string`] where the JSON text is itself the inside of a JSON string: its quotes are `\"`, its escapes start with `\\`.
/// `None` also for what is seldom seen in one and takes unescaping to tell.
#[inline]
pub(super) fn quoted_string(bytes: &[u8], at: usize, escapes: &mut Escapes) -> Option<usize> {
    let mut rest = bytes.get(at..)?;
    loop {
        rest = match skip_plain(rest) {
            [b'\\', b'"', rest @ ..] => return Some(bytes.len() - rest.len()),
            [b'\\', b'\\', b'b' | b'f' | b'n' | b'r' | b't', rest @ ..]
            | [b'\\', b'\\', b'\\', b'"' | b'\\', rest @ ..] => {
                escapes.any = true;
                rest
            }
            _ => return None,
        };
    }
}

/// What is left of `rest` from the first byte on that does not stand for itself in a string.
#[inline]
fn skip_plain(mut rest: &[u8]) -> &[u8] {
    while let Some((chunk, after)) = rest.split_first_chunk() {
        // The length is not what is skipped where there is nothing special: the next turn need not wait for it.
        match first_special(chunk) {
            Some(length) => return rest.get(length..).unwrap_or_default(),
            None => rest = after,
        }
    }
    while let [byte, after @ ..] = rest
        && !matches!(byte, b'"' | b'\\' | ..0x20)
    {
        rest = after;
    }
    rest
}

/// Where in eight bytes the first quote, backslash or control character is.
#[inline]
pub(super) fn first_special(chunk: &[u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(*chunk);
    // With this bit flipped, the quote comes right after the control characters: one comparison tells both.
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    // The high bit of each such byte; beyond the first, bits may be set that mean nothing.
    let special = (quote_or_control | backslash) & !word & (ONES << 7);
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
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

    fn stop(text: &str) -> (Option<Stop>, Escapes) {
        let mut escapes = Escapes::default();
        (string(text.as_bytes(), 0, &mut escapes), escapes)
    }

    #[checks::test]
    fn strings() {
        for length in 0..40 {
            let plain = "p".repeat(length);
            for end in ["\"", r#"\"x""#, r#"\u00e9""#, "\u{7f}\u{80}é\""] {
                let (stop, escapes) = stop(&format!("{plain}{end} rest"));
                assert_eq!(stop, Some(Stop::Quote(length + end.len())));
                assert_eq!(escapes.any, end.contains('\\'));
                assert_eq!(escapes.unicode, end.contains(r"\u"));
                assert!(!escapes.surrogate);
            }
            for broken in [
                "\u{1f}\"",
                "\n\"",
                r#"\x""#,
                r#"\u00g0""#,
                "\\",
                r"\u12",
                "\0\"",
            ] {
                assert_eq!(stop(&format!("{plain}{broken}")).0, None, "{broken:?}");
            }
            assert_eq!(stop(&plain).0, Some(Stop::End));
        }
        for surrogate in [r#"\ud800""#, r#"\uDfff""#, r#"\uD83D\uDE00""#] {
            assert!(stop(surrogate).1.surrogate);
        }
        assert!(!stop(r#"\ud7ff""#).1.surrogate);
    }

    #[checks::test]
    fn quoted_strings() {
        let end = |text: &str| {
            let mut escapes = Escapes::default();
            quoted_string(text.as_bytes(), 0, &mut escapes).map(|end| (end, escapes.any))
        };
        for (whole, escaped) in [
            (r#"a\""#, false),
            (r#"a\\n\\\"b\\\\\""#, true),
            (r#"\""#, false),
        ] {
            assert_eq!(end(&format!("{whole} rest")), Some((whole.len(), escaped)));
        }
        for other in [
            r#"a""#,
            r"a\n",
            r#"a\\u0041\""#,
            r#"a\\""#,
            r"a\\",
            "a\n",
            "a\\",
            "",
        ] {
            assert_eq!(end(other), None, "{other}");
        }
    }

    #[checks::test]
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
