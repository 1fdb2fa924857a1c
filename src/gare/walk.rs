//! Looking for requirements in every document that a body holds.

use super::{
    Found, Gare, Limit, Location, OverLimit, gridftp,
    location::Path,
    object::Object,
    texts,
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

/// How deep documents and texts are looked at: as deep as our stack goes. Real documents are four levels deep.
const DEEPEST: usize = 32;

/// Requirements in the order in which they are reported.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Those of `errors[]` entries: documents of their own, whatever holds them.
    apart: Vec<Found>,
    /// Those that an enclosing document takes in where it is a requirement itself.
    nested: Vec<Found>,
    /// The first document that is beyond a limit, and so no requirement.
    over_limit: Option<OverLimit>,
}

impl Findings {
    pub(super) fn into_found(mut self) -> (Vec<Found>, Option<OverLimit>) {
        append(&mut self.apart, self.nested);
        (self.apart, self.over_limit)
    }

    /// Takes the limit that was exceeded; the others are returned, as [`into_found`](Self::into_found) does.
    fn found_of(&mut self, inner: Self) -> Vec<Found> {
        let (found, over_limit) = inner.into_found();
        self.over_limit = self.over_limit.take().or(over_limit);
        found
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
    /// Anything else: only texts count in it.
    Other,
}

/// A walk through one JSON text.
#[derive(Clone, Copy)]
struct Walk<'p> {
    /// Whether the text was cut off. A requirement that names nothing may have lost what it named.
    cut: bool,
    /// Whether the document at hand, or one that holds it, has a `code`.
    has_code: bool,
    /// Where the text is whose document this is.
    gridftp: Option<&'p Path<'p>>,
}

/// Looks for requirements in a JSON body, in which replies are marked.
pub(super) fn json(body: Value<'_>) -> Findings {
    let mut findings = Findings::default();
    let walk = Walk {
        cut: false,
        has_code: false,
        gridftp: None,
    };
    walk.value(body, Role::Document, &Path::ROOT, &mut findings);
    findings
}

/// Looks for GridFTP requirements in the text at `path`. No texts are looked for in their documents.
pub(super) fn text(text: &str, may_quote: bool, path: &Path<'_>, findings: &mut Findings) {
    gridftp::each_document(text, may_quote, |refused| {
        let mut inner = Findings::default();
        let walk = Walk {
            cut: refused.cut,
            has_code: false,
            gridftp: Some(path),
        };
        walk.value(refused.document, Role::Document, &Path::ROOT, &mut inner);
        for mut found in findings.found_of(inner) {
            if found.gare.confine_to_session() {
                found.quoted = refused.is_quoted;
                findings.nested.push(found);
            }
        }
    });
}

impl Walk<'_> {
    fn value(self, value: Value<'_>, role: Role, path: &Path<'_>, findings: &mut Findings) {
        let is_read = role == Role::Document && value.is_container();
        if !is_read && !value.may_hold_reply() || path.depth() > DEEPEST {
            return;
        }
        match value.kind() {
            Kind::Object if role == Role::Document => self.document(value, path, findings),
            Kind::Object => {
                let Some(object) = Object::of(value) else {
                    return;
                };
                let walk = self.within(&object);
                for (name, member) in object.members() {
                    walk.member(&name, member, Role::Other, &path.name(&name), findings);
                }
            }
            Kind::Array => {
                for (index, element) in value.elements().enumerate() {
                    self.value(element, role, &path.index(index), findings);
                }
            }
            _ => {}
        }
    }

    /// The walk through `object`.
    fn within(self, object: &Object<'_>) -> Self {
        Self {
            has_code: self.has_code || object.get("code").is_some(),
            ..self
        }
    }

    fn member(
        self,
        name: &str,
        member: Value<'_>,
        role: Role,
        path: &Path<'_>,
        findings: &mut Findings,
    ) {
        match member.kind() {
            _ if texts::is_input(name.as_bytes()) => {}
            Kind::String if texts::is_text(name.as_bytes()) && path.depth() <= DEEPEST => {
                text(
                    &member.text().unwrap_or_default(),
                    !self.has_code,
                    path,
                    findings,
                );
            }
            Kind::Array if name == "errors" && role == Role::Document => {
                for (index, error) in member.elements().enumerate() {
                    let mut entry = Findings::default();
                    self.value(error, role, &path.index(index), &mut entry);
                    let entry = findings.found_of(entry);
                    append(&mut findings.apart, entry);
                }
            }
            _ => self.value(member, role, path, findings),
        }
    }

    fn document(self, value: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
        let Some(object) = Object::of(value) else {
            return;
        };
        let walk = self.within(&object);
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
            walk.member(&name, member, role, &path.name(&name), &mut inner);
        }
        append(&mut findings.apart, inner.apart);
        findings.over_limit = findings.over_limit.take().or(inner.over_limit);
        let location = || self.gridftp.map_or_else(|| path.document(), Path::gridftp);
        let gare = variants::read(&object)
            .filter(|gare| !self.cut || !gare.authorization_parameters.is_empty());
        let gare = match gare.map(within_limits) {
            Some(Ok(gare)) => Some(gare),
            Some(Err(limit)) => {
                findings.over_limit.get_or_insert_with(|| OverLimit {
                    location: location(),
                    limit,
                });
                None
            }
            None => None,
        };
        let Some(gare) = gare else {
            append(&mut findings.nested, inner.nested);
            return;
        };
        // Large, so moved as little as can be.
        let mut found = Found {
            gare,
            location: location(),
            quoted: false,
        };
        for mut within in inner.nested {
            // What is only quoted is no part of a requirement that a service states itself.
            if within.quoted {
                continue;
            }
            if let Location::GridFtp(_) = within.location
                && self.gridftp.is_none()
            {
                // A message is shown in the name of whoever wrote it.
                within.gare.authorization_parameters.session_message = None;
            }
            let params = &mut found.gare.authorization_parameters;
            params.fill_from(within.gare.authorization_parameters);
        }
        // Mostly it is the only one, and kept while somebody logs in.
        if findings.nested.is_empty() {
            findings.nested.reserve_exact(1);
        }
        findings.nested.push(found);
    }
}

fn within_limits(gare: Gare) -> Result<Gare, Limit> {
    match gare.authorization_parameters.over_limit() {
        None => Ok(gare),
        Some(limit) => Err(limit),
    }
}
