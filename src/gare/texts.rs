//! Decides which texts hold a GridFTP requirement, and finds the beginning of its document.
//!
//! The documentation of [`gare`](super) has the rules, and the two facts that they follow from.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::prefilter::MARKER;

/// Members whose strings are texts.
pub(super) const TEXTS: &str = "message detail details error error_description description cause reason exception \
    nice_status_details server_response text";

/// Members that hold names and inputs. Nothing below them is a text.
pub(super) const INPUTS: &str =
    "input ctx name label path source_path destination_path display_name";

/// The beginnings of a refused login. The list is closed: a new head is a row of the corpus and one
/// string here.
const HEADS: [&str; 8] = [
    "Command Failed: Error (login)",
    "Error validating login to endpoint ",
    "Error (login)",
    "Login Failed",
    "Login incorrect",
    "Mapping collection to specified ID failed.",
    "Details: 530-",
    "530-",
];

const QUOTES: [char; 8] = [
    '\'', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{ab}',
];

const ERROR: &str = "GlobusError: v=1 c=";
static ERRORS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ERROR));

/// The parts of a text that may hold GridFTP documents.
pub(super) struct Documents<'t> {
    /// The text from each marker up to the next one.
    pub(super) regions: Vec<&'t str>,
    /// Whether the refused login is a quotation within the text.
    pub(super) is_quoted: bool,
}

/// Applies the rules to `text`. `may_quote` is false if a JSON document that holds the text has a
/// `code`.
pub(super) fn documents(text: &str, may_quote: bool) -> Option<Documents<'_>> {
    let start = skip_markup(text);
    let begins = text.get(start..)?;
    let is_quoted = !HEADS.iter().any(|head| begins.starts_with(head));
    if is_quoted && !may_quote {
        return None;
    }
    let lines = Lines::of(text.as_bytes(), start)?;
    // In a quotation, a header must follow the head.
    if is_quoted && quotation(text)? >= lines.header? || !names_only_denied_logins(text.as_bytes())
    {
        return None;
    }
    let (mut regions, mut end) = (Vec::new(), text.len());
    for begin in lines.documents.into_iter().rev() {
        regions.push(text.get(begin..end).unwrap_or_default());
        end = begin - MARKER.len();
    }
    regions.reverse();
    Some(Documents { regions, is_quoted })
}

/// The beginning of the earliest quotation of a refused login: one of the first two heads after a
/// quote sign.
fn quotation(text: &str) -> Option<usize> {
    let is_quoted = |at: &usize| text.get(..*at).unwrap_or_default().ends_with(QUOTES);
    let heads = HEADS.iter().take(2);
    let quoted = heads.filter_map(|head| memmem::find_iter(text.as_bytes(), *head).find(is_quoted));
    quoted.min()
}

/// Whether each error that a GridFTP server names in `text` is a denied login.
fn names_only_denied_logins(text: &[u8]) -> bool {
    ERRORS.find_iter(text).all(|at| {
        let named = text.get(at + ERROR.len()..).unwrap_or_default();
        let mut words = named.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        words.next() == Some(b"LOGIN_DENIED")
    })
}

/// The header and the markers in the lines of a text.
#[derive(Default)]
struct Lines {
    /// The offset of the last `---` / `Details: ` header.
    header: Option<usize>,
    /// The offset after each marker that begins a line after the last header.
    documents: Vec<usize>,
}

impl Lines {
    /// Reads the lines of `text` from `start`, where its markup ends. `None` if one of them cannot
    /// be in a refused login.
    fn of(text: &[u8], start: usize) -> Option<Self> {
        let mut lines = Self::default();
        let (mut line, mut at, mut after_rule) = (start, start, false);
        lines.line(text, line, after_rule)?;
        let has_rare = text.iter().fold(false, |any, byte| any | is_rare_end(byte));
        while let Some(skipped) = next_end(text.get(at..).unwrap_or_default(), has_rare) {
            at += skipped;
            let rest = text.get(at..).unwrap_or_default();
            let Some(length) = line_end(rest) else {
                // A run of backslashes belongs to one spelling, and is skipped as a whole.
                at += backslashes(rest).max(1);
                continue;
            };
            // Empty lines stand between `\r` and `\n`.
            let ended = text.get(line..at).unwrap_or_default().trim_ascii();
            after_rule = ended.ends_with(b"---") || ended.is_empty() && after_rule;
            at += length;
            line = at;
            lines.line(text, line, after_rule)?;
        }
        Some(lines)
    }

    /// Reads the line that begins at `start`. `None` if it cannot be in a refused login.
    fn line(&mut self, text: &[u8], start: usize, after_rule: bool) -> Option<()> {
        let line = text.get(start..).unwrap_or_default();
        // Only within the line: any number of empty lines may follow.
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        let blank = line.iter().take_while(is_blank).count();
        let trimmed = line.get(blank..).unwrap_or_default();
        if after_rule && trimmed.starts_with(b"Details:") {
            trimmed.strip_prefix(b"Details: 530-")?;
            self.header = Some(start);
            self.documents.clear();
        }
        let has_other_code = after_code(trimmed).is_some() && !trimmed.starts_with(b"530");
        if has_other_code || trimmed.starts_with(b"Command: ") {
            return None;
        }
        let unnumbered = line.strip_prefix(b"530-").unwrap_or(line);
        if let Some(rest) = unnumbered.strip_prefix(MARKER.as_bytes()) {
            self.documents.push(text.len() - rest.len());
        }
        Some(())
    }
}

/// The number of backslashes that `bytes` begin with.
pub(super) fn backslashes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == b'\\').count()
}

/// The character after the reply code (RFC 959, section 4.2) that `line` begins with.
pub(super) fn after_code(line: &[u8]) -> Option<u8> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    let is_code = code.iter().all(u8::is_ascii_digit);
    let after = *rest.first()?;
    (is_code && matches!(after, b'-' | b' ')).then_some(after)
}

/// Whether `byte` begins a rare kind of line end. Nearly all begin with one of three other bytes.
fn is_rare_end(byte: &u8) -> bool {
    matches!(byte, 0x0B | 0x0C | b'%' | b'&' | b'<' | 0xC2 | 0xE2)
}

/// The first offset in `text` where a line end may begin.
fn next_end(text: &[u8], has_rare: bool) -> Option<usize> {
    if has_rare {
        let may_end = |byte: &u8| is_rare_end(byte) || matches!(byte, b'\n' | b'\r' | b'\\');
        return text.iter().position(may_end);
    }
    memchr::memchr3(b'\n', b'\r', b'\\', text)
}

/// The length of the line end that `bytes` begin with, in any spelling: control characters and
/// Unicode's separators, `\r`, `\n` and `\u000a` with any number of backslashes, `%0D%0A` escaped
/// any number of times, `&#10;`, `<br>`.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n'..=b'\r', ..] => Some(1),
        [0xC2, 0x85, ..] => Some(2),
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Some(3),
        [b'\\', ..] => {
            let length = backslashes(bytes);
            match bytes.get(length..)? {
                [b'r' | b'n', ..] => Some(length + 1),
                [b'u', b'0', b'0', b'0', b'a' | b'A' | b'd' | b'D', ..] => Some(length + 5),
                _ => None,
            }
        }
        [b'%', rest @ ..] => {
            let escapes = rest.chunks(2).take_while(|pair| pair == b"25").count() * 2;
            let digits = rest.get(escapes..escapes + 2)?.to_ascii_lowercase();
            matches!(&digits[..], b"0a" | b"0d").then_some(escapes + 3)
        }
        [b'&', b'#', rest @ ..] => {
            let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
            let code = rest.get(..end)?.to_ascii_lowercase();
            let zeros = |code: &[u8]| code.iter().take_while(|digit| **digit == b'0').count();
            let ends = match code.strip_prefix(b"x") {
                Some(code) => matches!(code.get(zeros(code)..)?, b"a" | b"d"),
                None => matches!(code.get(zeros(&code)..)?, b"10" | b"13"),
            };
            (ends && rest.get(end) == Some(&b';')).then_some(end + 3)
        }
        [b'<', b'b' | b'B', b'r' | b'R', rest @ ..] => {
            let is_blank = |byte: &&u8| matches!(byte, b' ' | b'/');
            let blank = rest.iter().take_while(is_blank).count();
            (rest.get(blank) == Some(&b'>')).then_some(blank + 4)
        }
        _ => None,
    }
}

/// The offset in `text` after white space and the tags of a page.
fn skip_markup(text: &str) -> usize {
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix('<').and_then(after_tag) {
        rest = after.trim_start();
    }
    text.len() - rest.len()
}

/// The text after the tag whose `<` stands before `text`. A tag with attributes does not count:
/// they may hold a name.
fn after_tag(text: &str) -> Option<&str> {
    let name = text.strip_prefix(['/', '!']).unwrap_or(text);
    let rest = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == ' ');
    let is_named = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    rest.strip_prefix('>').filter(|_| is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn line_end_is_found_in_every_spelling() {
        for end in [
            "\r",
            "\n",
            "\\n",
            "\\\\r",
            "\\u000a",
            "\\\\u000D",
            "%0A",
            "%0d",
            "%250D",
            "%25250a",
            "&#10;",
            "&#013;",
            "&#xA;",
            "&#x0d;",
            "<br>",
            "<BR/>",
            "<br />",
            "\u{b}",
            "\u{c}",
            "\u{85}",
            "\u{2028}",
            "\u{2029}",
        ] {
            assert_eq!(line_end(end.as_bytes()), Some(end.len()), "{end:?}");
            assert_eq!(
                line_end(format!("{end}530-").as_bytes()),
                Some(end.len()),
                "{end:?}"
            );
            for text in [end.to_owned(), format!("% {end}")] {
                let has_rare = text.bytes().any(|byte| is_rare_end(&byte));
                let at = text.len() - end.len();
                assert_eq!(
                    next_end(&text.as_bytes()[at..], has_rare),
                    Some(0),
                    "{end:?}"
                );
            }
            for cut in 1..end.len() {
                assert_eq!(
                    line_end(&end.as_bytes()[..cut]),
                    None,
                    "{end:?} cut at {cut}"
                );
            }
        }
        for other in [
            "", "x", "\\", "\\t", "\\u0041", "%", "%20", "%25", "%255", "&#11;", "&#100;", "&amp;",
            "<b>", "<bra>", "\u{a0}",
        ] {
            assert_eq!(line_end(other.as_bytes()), None, "{other:?}");
        }
    }

    #[checks::test]
    fn markup_before_the_text_is_skipped() {
        for (text, rest) in [
            ("530-", "530-"),
            (" \r\n 530-", "530-"),
            ("<html><body> <pre>530-", "530-"),
            ("<!DOCTYPE html>\n<p />530-", "530-"),
            ("</p>530-", "530-"),
            ("<p class=\"a\">530-", "<p class=\"a\">530-"),
            ("<a href=/>530-", "<a href=/>530-"),
            ("<!-- >530-", "<!-- >530-"),
            ("< p>530-", "< p>530-"),
            ("<>530-", "<>530-"),
            ("<p", "<p"),
        ] {
            assert_eq!(&text[skip_markup(text)..], rest, "{text}");
        }
    }
}
