//! Whether a text can hold a requirement at all, and where, told without parsing it.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde_json::value::RawValue;

/// What stands before the document in a GridFTP reply.
pub(super) const REPLY: &str = "GridFTP-JSON-Result:";

/// One of these is in every JSON text that holds a reply: the marker, or the start of an escaped ASCII character, which
/// may be part of a marker.
static REPLIES: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| [REPLY, r"\u00"].map(Finder::new));

/// One of these, or of the above, is in every JSON text that holds an error document.
static DOCUMENTS: LazyLock<[Finder<'static>; 5]> = LazyLock::new(|| {
    [
        "authorization_parameters",
        // also `required_scopes` and `missing_required_scopes`
        "required_scope",
        "unapproved_scopes",
        "not_from_allowed_domain#1",
        "authentication_timeout#1",
    ]
    .map(Finder::new)
});

/// Whether the JSON text `json` may hold an error document or a reply.
pub(super) fn any(json: &[u8]) -> bool {
    DOCUMENTS
        .iter()
        .chain(REPLIES.iter())
        .any(|needle| needle.find(json).is_some())
}

/// Whether the plain text `text` holds a reply.
pub(super) fn reply(text: &[u8]) -> bool {
    memmem::find(text, REPLY.as_bytes()).is_some()
}

/// Where in a JSON text error documents and replies may be, so that the values that hold neither need not be searched
/// at every level they are part of.
pub(super) struct Marks {
    start: usize,
    replies: Vec<usize>,
    /// Including the replies.
    documents: Vec<usize>,
}

impl Marks {
    pub(super) fn of(root: &RawValue) -> Self {
        let find = |needles: &[Finder<'static>]| -> Vec<usize> {
            needles
                .iter()
                .flat_map(|needle| needle.find_iter(root.get().as_bytes()))
                .collect()
        };
        let mut replies = find(&*REPLIES);
        let mut documents = find(&*DOCUMENTS);
        replies.sort_unstable();
        documents.extend(&replies);
        documents.sort_unstable();
        Self {
            start: root.get().as_ptr().addr(),
            replies,
            documents,
        }
    }

    /// Whether `value`, a part of the root, may be or hold an error document or a reply.
    pub(super) fn any_in(&self, value: &RawValue) -> bool {
        self.is_within(&self.documents, value)
    }

    /// Whether `value`, a part of the root, may hold a reply.
    pub(super) fn reply_in(&self, value: &RawValue) -> bool {
        self.is_within(&self.replies, value)
    }

    fn is_within(&self, marks: &[usize], value: &RawValue) -> bool {
        let start = value.get().as_ptr().addr().wrapping_sub(self.start);
        let next = marks.partition_point(|mark| *mark < start);
        marks
            .get(next)
            .is_some_and(|mark| *mark < start + value.get().len())
    }
}
