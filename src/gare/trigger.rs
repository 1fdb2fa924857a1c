//! Whether a text can hold a requirement at all, told without parsing it.

use memchr::memmem;

/// What stands before the document in a GridFTP reply.
pub(super) const REPLY: &str = "GridFTP-JSON-Result:";

/// One of these is in every body that holds a requirement, unless its names are written with escapes.
const NEEDLES: [&str; 5] = [
    "authorization_parameters",
    // also `required_scopes` and `missing_required_scopes`
    "required_scope",
    "unapproved_scopes",
    "not_from_allowed_domain#1",
    "authentication_timeout#1",
];

/// The start of an escaped ASCII character.
const ESCAPE: &str = r"\u00";

/// Whether `json` may hold an error document or a reply.
pub(super) fn any(json: &[u8]) -> bool {
    reply_in_json(json)
        || (json.len() > ESCAPE.len() && NEEDLES.iter().any(|needle| contains(json, needle)))
}

/// Whether `json` may hold a reply in one of its strings.
pub(super) fn reply_in_json(json: &[u8]) -> bool {
    json.len() > ESCAPE.len() && (reply(json) || contains(json, ESCAPE))
}

/// Whether `text` holds a reply.
pub(super) fn reply(text: &[u8]) -> bool {
    contains(text, REPLY)
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.len() >= needle.len() && memmem::find(haystack, needle.as_bytes()).is_some()
}
