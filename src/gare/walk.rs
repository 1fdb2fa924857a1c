//! Looking for requirements in every document that a body holds.

use std::borrow::Cow;

use super::{
    Found, gridftp,
    location::Path,
    object::Object,
    trigger::first_marker,
    unescape::unescape,
    value::{Kind, Value},
    variants,
};

/// Members whose value may be an error document of its own, or a list of such.
const NESTED: [&str; 7] = [
    "detail",
    "details",
    "error",
    "errors",
    "meta",
    "inactive_reason",
    "action_statuses",
];

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
        if self.apart.is_empty() {
            return self.nested;
        }
        self.apart.append(&mut self.nested);
        self.apart
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
struct Walk {
    /// Whether the text was cut off. A requirement that names nothing may have lost what it named.
    cut: bool,
}

/// Looks for requirements in a JSON body, in which replies are marked.
pub(super) fn json(body: Value<'_>) -> Findings {
    let mut findings = Findings::default();
    let walk = Walk { cut: false };
    walk.value(body, Role::Document, &Path::ROOT, &mut findings);
    findings
}

/// Looks for GridFTP replies in the text at `path`. In their documents no replies are marked, for there are none, and all
/// that is in them is found where the reply is.
pub(super) fn replies(text: &str, path: &Path<'_>, findings: &mut Findings) {
    gridftp::each_document(text, |document, cut| {
        let walk = Walk { cut };
        let mut inner = Findings::default();
        walk.value(document, Role::Document, &Path::ROOT, &mut inner);
        findings
            .nested
            .extend(inner.into_found().into_iter().map(|found| Found {
                location: path.reply(),
                ..found
            }));
    });
}

/// What a string says, as far as replies matter: from its first marker on.
fn from_marker(string: Value<'_>) -> Option<Cow<'_, str>> {
    if !string.is_escaped() || string.has_unicode_escapes() {
        return string.text();
    }
    // No other escape starts with a letter of the marker or ends in one of them.
    let inside = string.inside();
    let marker = first_marker(inside)?;
    inside.get(marker..).map(|text| Cow::Owned(unescape(text)))
}

impl Walk {
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
            Kind::String => {
                if let Some(text) = from_marker(value) {
                    replies(&text, path, findings);
                }
            }
            _ => {}
        }
    }

    fn document(self, value: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
        let Some(object) = Object::of(value) else {
            return;
        };
        let mut inner = Findings::default();
        for (name, member) in object.spelled() {
            if !member.is_container() && !member.may_hold_reply() {
                continue;
            }
            let name = name.text().unwrap_or_default();
            let role = if NESTED.contains(&&*name) {
                Role::Document
            } else {
                Role::Other
            };
            let path = path.name(&name);
            if name == "errors" && member.kind() == Kind::Array {
                for (index, error) in member.elements().enumerate() {
                    let mut entry = Findings::default();
                    self.value(error, role, &path.index(index), &mut entry);
                    inner.apart.append(&mut entry.into_found());
                }
            } else {
                self.value(member, role, &path, &mut inner);
            }
        }
        findings.apart.append(&mut inner.apart);
        let Some(mut gare) = variants::read(&object) else {
            findings.nested.append(&mut inner.nested);
            return;
        };
        if self.cut && gare.authorization_parameters.is_empty() {
            findings.nested.append(&mut inner.nested);
            return;
        }
        for found in inner.nested {
            gare.authorization_parameters
                .fill_from(found.gare.authorization_parameters);
        }
        findings.nested.push(Found {
            gare,
            location: path.document(),
        });
    }
}
