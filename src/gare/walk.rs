//! Looking for requirements in every document that a body holds.

use super::{
    Found, gridftp,
    location::Path,
    object::Object,
    value::{Kind, Value},
    variants,
};

/// Whether the value of a member of this name may be an error document of its own, or a list of such.
fn is_nested(name: &[u8]) -> bool {
    matches!(
        name,
        b"detail"
            | b"details"
            | b"error"
            | b"errors"
            | b"meta"
            | b"inactive_reason"
            | b"action_statuses"
    )
}

/// How deep documents are looked at: as deep as our stack goes. Real documents are four levels deep. Replies are found
/// at any depth.
const DEEPEST: usize = 32;

/// Requirements in the order in which they are reported.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Those of `errors[]` entries: documents of their own, whatever holds them.
    apart: Vec<Found>,
    /// Those that an enclosing document takes in where it is a requirement itself.
    nested: Vec<Found>,
}

impl Findings {
    pub(super) fn into_found(mut self) -> Vec<Found> {
        append(&mut self.apart, self.nested);
        self.apart
    }
}

/// Moves the later to the end of the earlier; mostly one of them is empty.
fn append(earlier: &mut Vec<Found>, mut later: Vec<Found>) {
    if earlier.is_empty() {
        *earlier = later;
    } else {
        earlier.append(&mut later);
    }
}

/// What a value may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An error document, or a list of such.
    Document,
    /// Anything else: only replies count in it.
    Other,
}

/// A walk through one JSON text.
#[derive(Clone, Copy)]
struct Walk<'p> {
    /// Whether the text was cut off. A requirement that names nothing may have lost what it named.
    cut: bool,
    /// Where the reply is whose document the text is.
    reply: Option<&'p Path<'p>>,
}

/// Looks for requirements in a JSON body, in which replies are marked.
pub(super) fn json(body: Value<'_>) -> Findings {
    let mut findings = Findings::default();
    let walk = Walk {
        cut: false,
        reply: None,
    };
    walk.value(body, Role::Document, &Path::ROOT, &mut findings);
    findings
}

/// Looks for GridFTP replies in the text at `path`. In their documents no replies are marked, for there are none.
pub(super) fn replies(text: &str, path: &Path<'_>, findings: &mut Findings) {
    gridftp::each_document(text, |document, cut| reply(document, cut, path, findings));
}

/// Looks for GridFTP replies in the string at `path`.
fn replies_in_string(string: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
    let mut documents = string.parts().peekable();
    if documents.peek().is_none() {
        replies(&string.text().unwrap_or_default(), path, findings);
    }
    for document in documents {
        reply(document, false, path, findings);
    }
}

/// Looks for requirements in the document of a reply. All that is in it is found where the reply is.
fn reply(document: Value<'_>, cut: bool, path: &Path<'_>, findings: &mut Findings) {
    let mut inner = Findings::default();
    let walk = Walk {
        cut,
        reply: Some(path),
    };
    walk.value(document, Role::Document, &Path::ROOT, &mut inner);
    append(&mut findings.nested, inner.into_found());
}

impl Walk<'_> {
    fn value(self, value: Value<'_>, role: Role, path: &Path<'_>, findings: &mut Findings) {
        let is_read = role == Role::Document && value.is_container();
        if !is_read && !value.may_hold_reply() {
            return;
        }
        if path.depth() > DEEPEST {
            // Not read any further, but a reply is told from its text alone, escaped or not.
            if value.may_hold_reply() {
                replies(value.raw(), path, findings);
            }
            return;
        }
        match value.kind() {
            Kind::Object if role == Role::Document => self.document(value, path, findings),
            Kind::Object => {
                let members = Object::of(value);
                for (name, member) in members.iter().flat_map(Object::members) {
                    self.value(member, Role::Other, &path.name(&name), findings);
                }
            }
            Kind::Array => {
                for (index, element) in value.elements().enumerate() {
                    self.value(element, role, &path.index(index), findings);
                }
            }
            Kind::String => replies_in_string(value, path, findings),
            _ => {}
        }
    }

    fn document(self, value: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
        let Some(object) = Object::of(value) else {
            return;
        };
        let mut inner = Findings::default();
        for (name, member) in object.spelled() {
            let is_nested = member.is_container() && name.says(is_nested);
            if !is_nested && !member.may_hold_reply() {
                continue;
            }
            let role = if is_nested {
                Role::Document
            } else {
                Role::Other
            };
            let name = name.text().unwrap_or_default();
            let path = path.name(&name);
            if name == "errors" && member.kind() == Kind::Array {
                for (index, error) in member.elements().enumerate() {
                    let mut entry = Findings::default();
                    self.value(error, role, &path.index(index), &mut entry);
                    append(&mut inner.apart, entry.into_found());
                }
            } else {
                self.value(member, role, &path, &mut inner);
            }
        }
        append(&mut findings.apart, inner.apart);
        let Some(gare) = variants::read(&object) else {
            append(&mut findings.nested, inner.nested);
            return;
        };
        // Large, so moved as little as can be.
        let mut found = Found {
            gare,
            location: self.reply.map_or_else(|| path.document(), Path::reply),
        };
        let params = &mut found.gare.authorization_parameters;
        if self.cut && params.is_empty() {
            append(&mut findings.nested, inner.nested);
            return;
        }
        for within in inner.nested {
            params.fill_from(within.gare.authorization_parameters);
        }
        // Mostly it is the only one, and kept while somebody logs in.
        if findings.nested.is_empty() {
            findings.nested.reserve_exact(1);
        }
        findings.nested.push(found);
    }
}
