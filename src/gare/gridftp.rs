//! Reads GridFTP requirements: `530-GridFTP-JSON-Result: {...}` in the text of a refused login.
//!
//! A GridFTP server refuses a login with a reply of several lines. One of them holds a JSON
//! document. Transfer passes the reply on as text, and programs in between change its spelling.
//! Line ends may be real, the four characters `\r\n`, escaped once more, or `%0D%0A`. The document
//! may be escaped up to three times, and within its strings once more. The FTP formatter puts
//! `530-` before every line of a pretty-printed document. The text may be cut off anywhere.

use std::borrow::Cow;

use super::json::{self, Object};
use super::reply::{self, Reply};
use super::texts::{self, Documents, backslashes};
use super::unescape::{Quotes, unescape};

/// Calls `read` with each document of a refused login: one that `text` is, or one that it quotes if
/// it `may_quote`. The flags say whether the document was cut off, and whether the refused login is
/// a quotation.
pub(super) fn each(text: &str, may_quote: bool, mut read: impl FnMut(&Object<'_>, bool, bool)) {
    if let Some(Documents { regions, is_quoted }) = texts::documents(text, may_quote) {
        for region in regions {
            read_region(region, |document, cut| read(document, cut, is_quoted));
        }
    }
}

/// Calls `read` with the document at the start of `region`. The flag says whether it was cut off.
fn read_region(region: &str, mut read: impl FnMut(&Object<'_>, bool)) {
    let Some(text) = document(region) else {
        return;
    };
    if let Some(object) = as_written(&text) {
        return read(&object, false);
    }
    let mut reply = reply::scan(&text);
    let is_json = |reply: &Reply| !reply.cut && json::object(&reply.json, |_| ()).is_some();
    if text.contains(r"\\") && !reply.as_ref().is_some_and(is_json) {
        // If the whole text was escaped, except for its quotes, the escapes within strings are
        // doubled.
        let plain = unescape(&text, Quotes::Stay);
        reply = reply::scan(&plain).filter(is_json).or(reply);
    }
    if let Some(Reply { json, cut }) = reply {
        json::object(&json, |object| read(object, cut));
    }
}

/// The text from the document at the start of `region`, unescaped. `None` if the region does not
/// start with one.
fn document(region: &str) -> Option<Cow<'_, str>> {
    let start = reply::skip_blank(region.as_bytes(), 0);
    let text = region.get(start..).filter(|text| text.starts_with('{'))?;
    let mut text = Cow::Borrowed(text);
    for _ in 0..escape_level(text.as_bytes())? {
        text = Cow::Owned(unescape(&text, Quotes::End));
    }
    Some(text)
}

/// The document that `text` starts with, if it is whole and on one line, as most are.
fn as_written(text: &str) -> Option<Object<'_>> {
    let (object, end) = json::object_at_start(text)?;
    let document = text.as_bytes().get(..end)?;
    memchr::memchr2(b'\r', b'\n', document)
        .is_none()
        .then_some(object)
}

/// How often the document was escaped. The backslashes before its first quote show it: `"`, `\"`,
/// `\\\"`.
fn escape_level(document: &[u8]) -> Option<u32> {
    let start = reply::skip_blank(document, 1);
    let rest = document.get(start..)?;
    match (backslashes(rest), rest.get(backslashes(rest))) {
        (0, _) => Some(0),
        (escapes @ (1 | 3 | 7), Some(b'"')) => Some((escapes + 1).ilog2()),
        _ => None,
    }
}
