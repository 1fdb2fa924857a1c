//! Which texts hold a GridFTP requirement, and where in them its document begins.
//!
//! Services quote paths, labels and inputs in their errors, and strangers choose those: a file may be named
//! `GridFTP-JSON-Result: {...}`. A name can add lines to a text. It cannot remove the lines that the service wrote, and it
//! cannot stand before the beginning of the text. The rule in the documentation of [`gare`](super) rests on these two
//! facts; this module is that rule.

use std::{ops::Range, sync::LazyLock};

use memchr::memmem::Finder;

use super::trigger::REPLY;

/// Members whose strings are texts.
pub(super) fn is_text(name: &[u8]) -> bool {
    matches!(
        name,
        b"message"
            | b"detail"
            | b"details"
            | b"error"
            | b"error_description"
            | b"description"
            | b"cause"
            | b"reason"
            | b"exception"
            | b"nice_status_details"
            | b"server_response"
            | b"text"
    )
}

/// Members that hold names and inputs: nothing below them is a text.
pub(super) fn is_input(name: &[u8]) -> bool {
    matches!(
        name,
        b"input"
            | b"ctx"
            | b"name"
            | b"label"
            | b"path"
            | b"source_path"
            | b"destination_path"
            | b"display_name"
    )
}

/// What a refused login begins with. The list is closed: a new head is a row of the corpus and one string here.
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

/// The heads that a quotation may begin with.
static QUOTED_HEADS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| {
    [
        Finder::new("Command Failed: Error (login)"),
        Finder::new("Error validating login to endpoint "),
    ]
});

const ERROR: &str = "GlobusError: v=1 c=";
static ERRORS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ERROR));

/// The parts of a text that GridFTP documents may be in.
pub(super) struct Documents {
    /// What follows each marker, up to the next one.
    pub(super) regions: Vec<Range<usize>>,
    /// Whether the refused login is a quotation within the text.
    pub(super) is_quoted: bool,
}

/// Applies the rule to `text`. `may_quote` is false where the JSON document that holds the text has a `code`.
pub(super) fn documents(text: &str, may_quote: bool) -> Option<Documents> {
    let start = skip_markup(text);
    let begins = text.get(start..)?;
    let is_quoted = !HEADS.iter().any(|head| begins.starts_with(head));
    let quotation = match is_quoted {
        true if !may_quote => return None,
        true => Some(quotation(text)?),
        false => None,
    };
    let lines = Lines::of(text.as_bytes(), start)?;
    // A quotation has a header, after its head.
    let has_header = quotation.is_none_or(|at| lines.header.is_some_and(|header| at < header));
    if !has_header || !names_only_denied_logins(text.as_bytes()) {
        return None;
    }
    let ends = lines.markers.iter().skip(1).map(|marker| marker.start);
    let ends = ends.chain([text.len()]);
    let starts = lines.markers.iter().map(|marker| marker.end);
    Some(Documents {
        regions: starts.zip(ends).map(|(start, end)| start..end).collect(),
        is_quoted,
    })
}

/// Where the earliest quotation of a refused login begins.
fn quotation(text: &str) -> Option<usize> {
    let quoted = |head: &Finder<'_>| {
        let mut at = head.find_iter(text.as_bytes());
        at.find(|at| {
            text.get(..*at)
                .is_some_and(|before| before.ends_with(is_quote))
        })
    };
    QUOTED_HEADS.iter().filter_map(quoted).min()
}

fn is_quote(c: char) -> bool {
    matches!(
        c,
        '\'' | '"' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}'
    )
}

/// Whether every error that a GridFTP server names in `text` is that of a denied login.
fn names_only_denied_logins(text: &[u8]) -> bool {
    ERRORS.find_iter(text).all(|at| {
        let named = text.get(at + ERROR.len()..).unwrap_or_default();
        named.strip_prefix(b"LOGIN_DENIED").is_some_and(|rest| {
            !rest
                .first()
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        })
    })
}

/// What the lines of a text say.
struct Lines {
    /// Where the last `---` / `Details: ` header is.
    header: Option<usize>,
    /// The markers that begin a line after the last header.
    markers: Vec<Range<usize>>,
}

impl Lines {
    /// Reads the lines of `text`, which begins at `start` apart from markup; `None` where one of them cannot be in a
    /// refused login.
    fn of(text: &[u8], start: usize) -> Option<Self> {
        let mut lines = Self {
            header: None,
            markers: Vec::new(),
        };
        lines.line(text, start, false)?;
        let mut line = start;
        let mut at = start;
        let mut after_rule = false;
        while let Some(&byte) = text.get(at) {
            if !may_end_line(byte) {
                at += 1;
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let Some(length) = line_end(rest) else {
                // A run of backslashes is one spelling, and is looked at once.
                at += rest
                    .iter()
                    .take_while(|next| **next == b'\\')
                    .count()
                    .max(1);
                continue;
            };
            // Empty lines stand between `\r` and `\n`.
            let ended = text.get(line..at).unwrap_or_default().trim_ascii();
            if !ended.is_empty() {
                after_rule = ended.ends_with(b"---");
            }
            at += length;
            line = at;
            lines.line(text, line, after_rule)?;
        }
        Some(lines)
    }

    /// Reads the line that begins at `start`; `None` where it cannot be in a refused login.
    fn line(&mut self, text: &[u8], start: usize, after_rule: bool) -> Option<()> {
        let line = text.get(start..).unwrap_or_default();
        let trimmed = line.trim_ascii_start();
        if after_rule && let Some(details) = trimmed.strip_prefix(b"Details:") {
            if !details.starts_with(b" 530-") {
                return None;
            }
            self.header = Some(start);
            self.markers.clear();
        }
        if trimmed.starts_with(b"Command: ") || has_other_code(trimmed) {
            return None;
        }
        let unnumbered = line.strip_prefix(b"530-").unwrap_or(line);
        if let Some(rest) = unnumbered.strip_prefix(REPLY.as_bytes()) {
            let end = text.len() - rest.len();
            self.markers.push(end - REPLY.len()..end);
        }
        Some(())
    }
}

/// Whether `line` begins with a reply code (RFC 959, section 4.2) other than 530.
fn has_other_code(line: &[u8]) -> bool {
    matches!(line, [a, b, c, b'-' | b' ', ..]
        if [a, b, c].iter().all(|digit| digit.is_ascii_digit()) && [*a, *b, *c] != *b"530")
}

/// Whether a line end may begin with `byte`.
fn may_end_line(byte: u8) -> bool {
    matches!(
        byte,
        b'\n'..=b'\r' | b'\\' | b'%' | b'&' | b'<' | 0xC2 | 0xE2
    )
}

/// The length of the line end that `bytes` begin with, in any spelling: control characters and Unicode's separators,
/// `\r`, `\n` and `\u000a` with any number of backslashes, `%0D%0A` escaped any number of times, `&#10;`, `<br>`.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n'..=b'\r', ..] => Some(1),
        [0xC2, 0x85, ..] => Some(2),
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Some(3),
        [b'\\', ..] => {
            let backslashes = bytes.iter().take_while(|byte| **byte == b'\\').count();
            match bytes.get(backslashes..)? {
                [b'r' | b'n', ..] => Some(backslashes + 1),
                [b'u', b'0', b'0', b'0', b'a' | b'A' | b'd' | b'D', ..] => Some(backslashes + 5),
                _ => None,
            }
        }
        [b'%', rest @ ..] => {
            let escapes = rest
                .chunks_exact(2)
                .take_while(|pair| pair == b"25")
                .count()
                * 2;
            match rest.get(escapes..)? {
                [b'0', b'a' | b'A' | b'd' | b'D', ..] => Some(escapes + 3),
                _ => None,
            }
        }
        [b'&', b'#', rest @ ..] => {
            let rest = rest
                .strip_prefix(b"x")
                .or_else(|| rest.strip_prefix(b"X"))
                .unwrap_or(rest);
            let digits = rest
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let (digits, rest) = rest.split_at(digits);
            let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
            let ends = matches!(
                digits.get(zeros..)?,
                b"10" | b"13" | b"a" | b"A" | b"d" | b"D"
            ) && rest.first() == Some(&b';');
            ends.then(|| bytes.len() - rest.len() + 1)
        }
        [b'<', b'b' | b'B', b'r' | b'R', rest @ ..] => {
            let blank = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'/'))
                .count();
            (rest.get(blank) == Some(&b'>')).then_some(blank + 4)
        }
        _ => None,
    }
}

/// Where `text` begins apart from white space and the tags of a page.
fn skip_markup(text: &str) -> usize {
    let mut rest = text.trim_start();
    while let Some(tag) = rest.strip_prefix('<') {
        match after_tag(tag) {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    text.len() - rest.len()
}

/// What follows the tag that `text` continues. A tag with attributes is none: a name may be in them.
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
    fn line_ends_in_every_spelling() {
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
            assert!(may_end_line(end.as_bytes()[0]), "{end:?}");
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
    fn markup_ends_where_the_text_begins() {
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
