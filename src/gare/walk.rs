//! Looking for requirements in every document that a body holds.

use serde_json::value::RawValue;

use super::{
    Found, gridftp,
    location::Path,
    object::{Kind, Object, for_each_element, kind, text},
    repair::with_json,
    trigger::Marks,
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

/// How deep documents are looked at. Every level reads what is below it once more, so this bounds the work; real
/// documents are four levels deep. Replies are found at any depth.
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
    pub(super) fn into_found(self) -> impl Iterator<Item = Found> {
        self.apart.into_iter().chain(self.nested)
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
struct Walk {
    /// Whether the text is a reply's document: there are no replies in it, and all that is in it is found where the reply is.
    embedded: bool,
    marks: Marks,
    /// Whether the text was cut off. A requirement that names nothing may have lost what it named.
    cut: bool,
}

/// Looks for requirements in a JSON body.
pub(super) fn json(raw: &RawValue) -> Findings {
    let mut findings = Findings::default();
    Walk {
        embedded: false,
        marks: Marks::of(raw),
        cut: false,
    }
    .value(raw, Role::Document, &Path::ROOT, &mut findings);
    findings
}

/// Looks for GridFTP replies in the text at `path`.
pub(super) fn replies(text: &str, path: &Path<'_>, findings: &mut Findings) {
    for reply in gridftp::documents(text) {
        let mut inner = Findings::default();
        with_json(&reply.json, |raw| {
            let walk = Walk {
                embedded: true,
                marks: Marks::of(raw),
                cut: reply.cut,
            };
            walk.value(raw, Role::Document, &Path::ROOT, &mut inner);
        });
        findings
            .nested
            .extend(inner.into_found().map(|found| Found {
                location: path.reply(),
                ..found
            }));
    }
}

impl Walk {
    fn value(&self, raw: &RawValue, role: Role, path: &Path<'_>, findings: &mut Findings) {
        if !self.may_hold(raw, role) {
            return;
        }
        if path.depth() > DEEPEST {
            // Not read any further, but a reply is told from its text alone, escaped or not.
            if !self.embedded {
                replies(raw.get(), path, findings);
            }
            return;
        }
        match kind(raw) {
            Kind::Object if role == Role::Document => self.document(raw, path, findings),
            Kind::Object => {
                if let Some(object) = Object::parse(raw) {
                    for (name, member) in object.members() {
                        self.value(member, Role::Other, &path.name(name), findings);
                    }
                }
            }
            Kind::Array => {
                for_each_element(raw, |index, element| {
                    self.value(element, role, &path.index(index), findings)
                });
            }
            Kind::String if !self.embedded => {
                if let Some(text) = text(raw) {
                    replies(&text, path, findings);
                }
            }
            _ => {}
        }
    }

    fn may_hold(&self, raw: &RawValue, role: Role) -> bool {
        match role {
            Role::Document if kind(raw) != Kind::String => self.marks.any_in(raw),
            _ => !self.embedded && self.marks.reply_in(raw),
        }
    }

    fn document(&self, raw: &RawValue, path: &Path<'_>, findings: &mut Findings) {
        let Some(object) = Object::parse(raw) else {
            return;
        };
        let mut inner = Findings::default();
        for (name, member) in object.members() {
            let path = path.name(name);
            let role = if NESTED.contains(&name) {
                Role::Document
            } else {
                Role::Other
            };
            if name == "errors" && kind(member) == Kind::Array {
                for_each_element(member, |index, error| {
                    let mut entry = Findings::default();
                    self.value(error, role, &path.index(index), &mut entry);
                    inner.apart.extend(entry.into_found());
                });
            } else {
                self.value(member, role, &path, &mut inner);
            }
        }
        findings.apart.append(&mut inner.apart);
        let own = variants::read(&object)
            .filter(|gare| !(self.cut && gare.authorization_parameters.is_empty()));
        match own {
            None => findings.nested.append(&mut inner.nested),
            Some(mut gare) => {
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
    }
}
