//! Looking for requirements in every document that a body holds.

use super::{
    Found, Location, OverLimit, gridftp,
    json::{self, Kind, Object, Value},
    location::Path,
    prefilter, read, texts,
};

/// Members whose value may be an error document of its own, or a list of such.
const NESTED: [&str; 9] = [
    "detail",
    "details",
    "error",
    "errors",
    "meta",
    "inactive_reason",
    "action_statuses",
    "runs",
    "jobs",
];

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
#[derive(Clone, Copy, Default)]
struct Walk<'p> {
    /// Whether the text was cut off. A requirement that names nothing may have lost what it named.
    cut: bool,
    /// Whether there may be texts in it that hold a requirement.
    has_texts: bool,
    /// Whether the document at hand, or one that holds it, has a `code`.
    has_code: bool,
    /// Whether it is below a member `details`.
    in_details: bool,
    /// Where the text is whose document this is.
    gridftp: Option<&'p Path<'p>>,
    /// Where the `cause` is whose document this is.
    cause: Option<&'p Path<'p>>,
}

/// Looks for requirements in a JSON body; `None` where it is none.
pub(super) fn json(body: &str, has_texts: bool) -> Option<Findings> {
    let walk = Walk {
        has_texts,
        ..Walk::default()
    };
    let mut findings = Findings::default();
    let read = |value: Value<'_>| walk.value(value, Role::Document, &Path::ROOT, &mut findings);
    json::value(body, read)?;
    Some(findings)
}

/// Looks for GridFTP requirements in the text at `path`. No texts are looked for in their documents.
pub(super) fn text(text: &str, may_quote: bool, path: &Path<'_>, findings: &mut Findings) {
    gridftp::each_document(text, may_quote, |refused| {
        let mut inner = Findings::default();
        let walk = Walk {
            cut: refused.cut,
            gridftp: Some(path),
            ..Walk::default()
        };
        walk.document(refused.document, &Path::ROOT, &mut inner);
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
        if path.depth() > DEEPEST {
            return;
        }
        match value.kind() {
            Kind::Object if role == Role::Document => {
                value.object(|object| self.document(object, path, findings));
            }
            Kind::Object if self.may_have_texts(value) => {
                value.object(|object| self.members(object, role, path, findings));
            }
            Kind::Array if role == Role::Document || self.may_have_texts(value) => {
                let elements = value.elements().unwrap_or_default();
                for (index, element) in elements.into_iter().enumerate() {
                    self.value(element, role, &path.index(index), findings);
                }
            }
            _ => {}
        }
    }

    fn may_have_texts(self, value: Value<'_>) -> bool {
        self.has_texts && prefilter::texts(value.raw().as_bytes())
    }

    /// Looks into the members of `object`, which has this role.
    fn members(self, object: &Object<'_>, role: Role, path: &Path<'_>, findings: &mut Findings) {
        let walk = Self {
            has_code: self.has_code || object.get("code").is_some(),
            ..self
        };
        for (name, member) in object.members() {
            let path = path.name(name);
            if texts::is_input(name) {
                continue;
            }
            if member.kind() == Kind::String {
                walk.string(name, member, role, &path, findings);
                continue;
            }
            let role = match role {
                Role::Document if NESTED.contains(&name) => Role::Document,
                _ => Role::Other,
            };
            let walk = Self {
                in_details: walk.in_details || name == "details",
                ..walk
            };
            if name == "errors" && role == Role::Document {
                for (index, error) in member.elements().into_iter().flatten().enumerate() {
                    let mut entry = Findings::default();
                    walk.value(error, role, &path.index(index), &mut entry);
                    let entry = findings.found_of(entry);
                    append(&mut findings.apart, entry);
                }
            }
            if name != "errors" || member.kind() == Kind::Object {
                walk.value(member, role, &path, findings);
            }
        }
    }

    /// Looks into a member that is a string: it may be a text, or the error of an action provider.
    fn string(
        self,
        name: &str,
        member: Value<'_>,
        role: Role,
        path: &Path<'_>,
        findings: &mut Findings,
    ) {
        let is_cause =
            name == "cause" && role == Role::Document && self.in_details && self.cause.is_none();
        let is_text = texts::is_text(name) && self.may_have_texts(member);
        if !(is_cause || is_text) || path.depth() > DEEPEST {
            return;
        }
        let Some(string) = member.text() else { return };
        if is_cause {
            let walk = Walk {
                cause: Some(path),
                ..self
            };
            json::object(&string, |document| {
                walk.document(document, &Path::ROOT, findings);
            });
        }
        if is_text {
            text(&string, !self.has_code, path, findings);
        }
    }

    fn document(self, object: &Object<'_>, path: &Path<'_>, findings: &mut Findings) {
        let mut inner = Findings::default();
        self.members(object, Role::Document, path, &mut inner);
        append(&mut findings.apart, inner.apart);
        findings.over_limit = findings.over_limit.take().or(inner.over_limit);
        let Some(mut found) = self.requirement(object, path, findings) else {
            append(&mut findings.nested, inner.nested);
            return;
        };
        for within in inner.nested {
            found.take_in(within, self.gridftp.is_some());
        }
        // Mostly it is the only one, and kept while somebody logs in.
        if findings.nested.is_empty() {
            findings.nested.reserve_exact(1);
        }
        findings.nested.push(found);
    }

    /// Reads `object` as a requirement, without what is nested in it.
    fn requirement(
        self,
        object: &Object<'_>,
        path: &Path<'_>,
        findings: &mut Findings,
    ) -> Option<Found> {
        let gare = read::requirement(object)?;
        let params = &gare.authorization_parameters;
        if self.cut && params.is_empty() {
            return None;
        }
        let location = match (self.gridftp, self.cause) {
            (Some(text), _) => text.gridftp(),
            (None, Some(cause)) => cause.cause(),
            (None, None) => path.document(),
        };
        if let Some(limit) = params.over_limit() {
            let over_limit = OverLimit { location, limit };
            findings.over_limit.get_or_insert(over_limit);
            return None;
        }
        Some(Found {
            gare,
            location,
            quoted: false,
        })
    }
}

impl Found {
    /// Takes from what is nested in this document what is empty here.
    fn take_in(&mut self, mut within: Self, is_gridftp: bool) {
        // What is only quoted is no part of a requirement that a service states itself.
        if within.quoted {
            return;
        }
        let params = &mut within.gare.authorization_parameters;
        if !is_gridftp && matches!(within.location, Location::GridFtp(_)) {
            // A message is shown in the name of whoever wrote it.
            params.session_message = None;
        }
        let params = within.gare.authorization_parameters;
        self.gare.authorization_parameters.fill_from(params);
    }
}
