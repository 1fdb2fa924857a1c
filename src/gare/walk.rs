//! Looks for requirements in all documents of a body.

use super::json::{self, Kind, Object, Value};
use super::location::Path;
use super::{Found, Gare, Location, OverLimit, gridftp, prefilter, read, texts};

/// Members whose value may be an error document, or a list of error documents.
const NESTED: &str = "detail details error errors meta inactive_reason action_statuses runs jobs";

/// How deep documents and texts are inspected. The walk is recursive; real documents are four
/// levels deep.
const DEEPEST: usize = 32;

/// The requirements found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Requirements in the entries of `errors[]`. They stay separate from the document around them,
    /// and come first.
    apart: Vec<Found>,
    /// Other requirements. An enclosing document that is a requirement itself takes them in.
    nested: Vec<Found>,
    /// The first document that exceeds a limit.
    over_limit: Option<OverLimit>,
}

impl Findings {
    pub(super) fn into_found(mut self) -> (Vec<Found>, Option<OverLimit>) {
        drop(self.nested.splice(0..0, self.apart));
        (self.nested, self.over_limit)
    }
}

/// How a value is inspected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// As an error document, or a list of error documents.
    Document,
    /// For texts only.
    Other,
}

/// The origin of a JSON text.
#[derive(Clone, Copy, Default)]
enum Source<'p> {
    #[default]
    Body,
    /// The text at `path`. If it was cut off, a requirement without conditions may have lost them.
    GridFtp { path: &'p Path<'p>, cut: bool },
    /// The `cause` at this path.
    Cause(&'p Path<'p>),
}

/// A walk through one JSON text.
#[derive(Clone, Copy, Default)]
struct Walk<'p> {
    source: Source<'p>,
    /// Whether a text in it may hold a requirement.
    has_texts: bool,
    /// Whether a document around the current value has a `code`.
    has_code: bool,
    /// Whether the current value is a document below a member `details`.
    in_details: bool,
}

/// Looks for requirements in a JSON body; `None` if it is not JSON.
pub(super) fn json(body: &str, has_texts: bool) -> Option<Findings> {
    let mut findings = Findings::default();
    let walk = Walk {
        has_texts,
        ..Walk::default()
    };
    let read = |object: &Object<'_>| walk.document(object, &Path::Root, &mut findings);
    if json::object(body, read).is_none() {
        let (role, root) = (Role::Document, &Path::Root);
        json::value(body, |value| walk.value(value, role, root, &mut findings))?;
    }
    Some(findings)
}

/// Looks for GridFTP requirements in the text at `path`. Texts within their documents do not count.
pub(super) fn text(text: &str, may_quote: bool, path: &Path<'_>, findings: &mut Findings) {
    gridftp::each(text, may_quote, |document, cut, is_quoted| {
        let mut inner = Findings::default();
        let walk = Walk {
            source: Source::GridFtp { path, cut },
            ..Walk::default()
        };
        walk.document(document, &Path::Root, &mut inner);
        let (found, over_limit) = inner.into_found();
        findings.over_limit = findings.over_limit.take().or(over_limit);
        for mut found in found {
            if found.gare.confine_to_session() {
                found.quoted = is_quoted;
                findings.nested.push(found);
            }
        }
    });
}

impl Walk<'_> {
    fn value(self, value: Value<'_>, role: Role, path: &Path<'_>, findings: &mut Findings) {
        if path.depth() > DEEPEST || role == Role::Other && !self.may_have_texts(value) {
            return;
        }
        match value.kind() {
            Kind::Object => {
                value.object(|object| match role {
                    Role::Document => self.document(object, path, findings),
                    Role::Other => self.members(object, role, path, findings),
                });
            }
            Kind::Array => {
                for (index, element) in value.elements().into_iter().flatten().enumerate() {
                    self.value(element, role, &Path::Index(path, index), findings);
                }
            }
            _ => {}
        }
    }

    fn may_have_texts(self, value: Value<'_>) -> bool {
        self.has_texts && prefilter::texts(value.raw().as_bytes())
    }

    /// Looks for requirements in the members of `object`.
    fn members(self, object: &Object<'_>, role: Role, path: &Path<'_>, findings: &mut Findings) {
        if path.depth() >= DEEPEST {
            return;
        }
        let has_code = self.has_code || self.has_texts && object.get("code").is_some();
        for (name, member) in object.members() {
            let path = Path::Name(path, name);
            let mut walk = Self { has_code, ..self };
            match member.kind() {
                Kind::String => {
                    if name == "cause" && self.in_details && matches!(self.source, Source::Body) {
                        walk.cause(member, &path, findings);
                    }
                    if self.may_have_texts(member) && json::is_among(name, texts::TEXTS) {
                        let string = member.text().unwrap_or_default();
                        text(&string, !has_code, &path, findings);
                    }
                }
                Kind::Array | Kind::Object => {
                    let is_nested = role == Role::Document && json::is_among(name, NESTED);
                    walk.in_details = is_nested && (self.in_details || name == "details");
                    if is_nested && name == "errors" && member.kind() == Kind::Array {
                        walk.errors(member, &path, findings);
                    } else if is_nested {
                        walk.value(member, Role::Document, &path, findings);
                    } else if self.has_texts && !json::is_among(name, texts::INPUTS) {
                        walk.value(member, Role::Other, &path, findings);
                    }
                }
                _ => {}
            }
        }
    }

    /// Looks for requirements in the entries of `errors`. They stay separate from the document
    /// around them.
    fn errors(self, errors: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
        for (index, error) in errors.elements().into_iter().flatten().enumerate() {
            let start = findings.nested.len();
            let path = Path::Index(path, index);
            self.value(error, Role::Document, &path, findings);
            findings.apart.extend(findings.nested.drain(start..));
        }
    }

    /// Looks for a requirement in the error of an action provider: JSON in a string.
    fn cause(self, member: Value<'_>, path: &Path<'_>, findings: &mut Findings) {
        let source = Source::Cause(path);
        let walk = Walk { source, ..self };
        let string = member.text().unwrap_or_default();
        let read = |object: &Object<'_>| walk.document(object, path, findings);
        json::object(&string, read);
    }

    fn document(self, object: &Object<'_>, path: &Path<'_>, findings: &mut Findings) {
        let start = findings.nested.len();
        self.members(object, Role::Document, path, findings);
        let Some(mut gare) = self.requirement(object) else {
            return;
        };
        let location = match self.source {
            Source::Body => path.document(),
            Source::GridFtp { path, .. } => Location::GridFtp(path.written()),
            Source::Cause(path) => Location::Cause(path.written()),
        };
        let own = gare.authorization_parameters.clone();
        if let Some(limit) = own.over_limit() {
            let over_limit = OverLimit { location, limit };
            findings.over_limit.get_or_insert(over_limit);
            return;
        }
        let is_text = matches!(self.source, Source::GridFtp { .. });
        // A quoted requirement never becomes part of one that the service states.
        let mut repeats = false;
        let nested = findings.nested.iter().skip(start);
        for within in nested.filter(|within| !within.quoted) {
            let mut filling = within.gare.authorization_parameters.clone();
            let is_of_gridftp = within.is_of_gridftp() && !is_text;
            let is_of_provider = matches!(within.location, Location::Cause(_))
                && matches!(self.source, Source::Body);
            if is_of_gridftp || is_of_provider {
                // A message is shown with its author, so it is not copied from another author.
                let message = filling.session_message.take();
                let known = &gare.authorization_parameters.session_message;
                repeats |= is_of_gridftp && message.is_some() && message == *known;
            }
            gare.authorization_parameters.fill_from(filling);
        }
        if gare.authorization_parameters.over_limit().is_some() {
            // The nested requirements do not fit into this one. They stay separate.
            gare.authorization_parameters = own;
        } else {
            findings.nested.truncate(start);
        }
        let found = Found {
            repeats,
            ..Found::at(gare, location)
        };
        findings.nested.insert(start, found);
    }

    /// Reads `object` as a requirement, without its nested documents.
    fn requirement(self, object: &Object<'_>) -> Option<Gare> {
        match self.source {
            Source::GridFtp { cut, .. } => {
                let gare = read::without_extra(object)?.0;
                (!cut || !gare.authorization_parameters.is_empty()).then_some(gare)
            }
            _ => read::requirement(object),
        }
    }
}
