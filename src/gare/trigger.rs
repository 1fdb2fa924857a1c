//! Whether a text can hold a requirement at all, told without parsing it.

use std::sync::LazyLock;

use memchr::{memchr2_iter, memchr3_iter, memmem::Finder};

/// What stands before the document in a GridFTP reply.
pub(super) const REPLY: &str = "GridFTP-JSON-Result:";

static REPLIES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(REPLY));

/// Whether the JSON text `json` may hold an error document or a reply.
///
/// Each has one of a few words in it, and each word a byte that is rare in JSON: it is these that are looked for, all
/// in two passes. A word may be spelled with `\u00XX`, so these escapes count as well.
pub(super) fn any(json: &[u8]) -> bool {
    let word = |at: usize, offset: usize, word: &str| {
        let start = at.checked_sub(offset);
        start.is_some_and(|start| starts_with(json, start, word))
    };
    let document = |at: usize| match json.get(at) {
        Some(b'z') => word(at, 7, "authorization_parameters"),
        // Also `required_scopes` and `missing_required_scopes`; `unapproved_scopes` count beside the other alone.
        Some(b'q') => word(at, 2, "required_scope") || word(at, 20, "dependent_consent_required"),
        _ => {
            word(at, 23, "not_from_allowed_domain#1.") || word(at, 22, "authentication_timeout#1.")
        }
    };
    let reply = |at: usize| match json.get(at) {
        Some(b'J') => word(at, 8, REPLY),
        _ => word(at, 0, r"\u00"),
    };
    memchr3_iter(b'z', b'q', b'#', json).any(document) || memchr2_iter(b'J', b'\\', json).any(reply)
}

fn starts_with(bytes: &[u8], at: usize, word: &str) -> bool {
    bytes.get(at..at + word.len()) == Some(word.as_bytes())
}

/// Whether the plain text `text` holds a reply.
pub(super) fn reply(text: &[u8]) -> bool {
    REPLIES.find(text).is_some()
}

/// Where the first marker in `text` is.
#[cfg(test)]
fn first_marker(text: &str) -> Option<usize> {
    REPLIES.find(text.as_bytes())
}

/// What follows each marker in `text`, up to the next.
#[cfg(test)]
pub(super) fn after_markers(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = first_marker(text).and_then(|at| text.get(at + REPLY.len()..));
    std::iter::from_fn(move || {
        let region = rest?;
        let Some(end) = first_marker(region) else {
            rest = None;
            return Some(region);
        };
        rest = region.get(end + REPLY.len()..);
        region.get(..end)
    })
}

/// Where in a JSON text replies may be, asked from its start to its end.
pub(super) struct Replies<'a> {
    text: &'a [u8],
    /// The next marker; past the end where there is none.
    next: usize,
}

impl<'a> Replies<'a> {
    /// Nowhere: where none is looked for.
    pub(super) const NONE: Self = Self {
        text: &[],
        next: usize::MAX,
    };

    pub(super) fn of(text: &'a [u8]) -> Self {
        let mut replies = Self { text, next: 0 };
        replies.seek(0);
        replies
    }

    pub(super) fn are_sought(&self) -> bool {
        !self.text.is_empty()
    }

    /// Where the first marker at or after `at` is; never before where one was asked for.
    pub(super) fn next_from(&mut self, at: usize) -> usize {
        if self.next < at {
            self.seek(at);
        }
        self.next
    }

    fn seek(&mut self, from: usize) {
        let rest = self.text.get(from..).unwrap_or_default();
        self.next = REPLIES.find(rest).map_or(usize::MAX, |at| from + at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn every_word_is_found_anywhere() {
        for word in [
            "authorization_parameters",
            "required_scope",
            "dependent_consent_required",
            "missing_required_scopes#1.",
            "not_from_allowed_domain#1.",
            "authentication_timeout#1.",
            REPLY,
            r"\u00",
        ] {
            for padding in 0..70 {
                let text = format!("{}{word}{}", "-".repeat(padding), "-".repeat(70 - padding));
                assert!(any(text.as_bytes()), "{text}");
                assert!(any(&text.as_bytes()[..padding + word.len()]), "{text}");
                assert!(
                    !any(&text.as_bytes()[..padding + word.len() - 1])
                        || word.starts_with("missing")
                );
            }
        }
        assert!(!any(br#"{"size": "z#q J\\ required #1. JSON \n"}"#));
        assert!(reply(b"530-GridFTP-JSON-Result: {}"));
        assert!(!reply(b"530-GridFTP-JSON-result: authorization_parameters"));
    }

    #[checks::test]
    fn regions() {
        let text = format!("before {REPLY} one {REPLY}{REPLY} three");
        assert_eq!(
            after_markers(&text).collect::<Vec<_>>(),
            [" one ", "", " three"]
        );
        assert_eq!(after_markers("none").count(), 0);
    }
}
