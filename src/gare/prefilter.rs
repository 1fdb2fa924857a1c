//! Searches a body for words, to find out without parsing whether it can hold a requirement at all.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The marker before the document in the text of a refused login.
pub(super) const MARKER: &str = "GridFTP-JSON-Result:";

/// Each error document has one of these words. `unapproved_scopes` count only beside the third.
const DOCUMENT_WORDS: [&str; 5] = [
    "authorization_parameters",
    // Also in `required_scopes` and `missing_required_scopes`.
    "required_scope",
    "dependent_consent_required",
    "not_from_allowed_domain#1.",
    "authentication_timeout#1.",
];

/// Any of the words may be spelled with escapes that begin like this.
const ESCAPE: &str = r"\u00";

static DOCUMENTS: LazyLock<[Finder<'static>; 5]> =
    LazyLock::new(|| DOCUMENT_WORDS.map(Finder::new));
static MARKERS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARKER));
static ESCAPES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ESCAPE));

/// Whether the JSON text `json` may hold documents, and texts.
pub(super) fn json(json: &[u8]) -> (bool, bool) {
    let has_texts = texts(json);
    let has_documents = has_texts || DOCUMENTS.iter().any(|word| word.find(json).is_some());
    (has_documents, has_texts)
}

/// Whether the value `json` may hold a text with a marker.
pub(super) fn texts(json: &[u8]) -> bool {
    text(json) || ESCAPES.find(json).is_some()
}

/// Whether the plain text `text` holds a marker.
pub(super) fn text(text: &[u8]) -> bool {
    MARKERS.find(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn each_word_is_found_at_every_offset() {
        for (word, is_text) in DOCUMENT_WORDS
            .map(|word| (word, false))
            .into_iter()
            .chain([(MARKER, true), (ESCAPE, true)])
        {
            for padding in 0..70 {
                let text = format!("{}{word}{}", "-".repeat(padding), "-".repeat(70 - padding));
                for text in [&text.as_bytes()[..padding + word.len()], text.as_bytes()] {
                    assert!(json(text).0, "{word} at {padding}");
                    assert_eq!(json(text).1, is_text, "{word} at {padding}");
                    assert_eq!(texts(text), is_text, "{word} at {padding}");
                }
                assert!(!json(&text.as_bytes()[..padding + word.len() - 1]).0);
            }
        }
        assert!(!json(br#"{"size": "z#q J\\ required #1. JSON \n"}"#).0);
        assert!(text(b"530-GridFTP-JSON-Result: {}"));
        assert!(!text(b"530-GridFTP-JSON-result: authorization_parameters"));
    }
}
