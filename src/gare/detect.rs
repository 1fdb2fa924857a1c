//! Finds the requirements in a response body.

use std::borrow::Cow;
use std::collections::HashSet;

use super::limits::{REQUIREMENTS, TOO_MANY_REQUIREMENTS};
use super::location::Path;
use super::walk::{self, Findings};
use super::{Gare, Location, OverLimit, prefilter};

/// A requirement, and its place in the body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The requirement.
    pub gare: Gare,
    /// Its place in the body.
    pub location: Location,
    pub(super) quoted: bool,
    /// Whether the service repeats the message of a GridFTP server in the requirement.
    pub(super) repeats: bool,
}

impl Found {
    pub(crate) fn at(gare: Gare, location: Location) -> Self {
        Self {
            gare,
            location,
            quoted: false,
            repeats: false,
        }
    }

    /// Whether a GridFTP server wrote the message, or the whole requirement.
    pub(crate) fn is_of_gridftp(&self) -> bool {
        self.repeats || matches!(self.location, Location::GridFtp(_))
    }

    /// Whether the requirement stands in a quotation: the text of an exception, a traceback, a JSON
    /// text in a string.
    ///
    /// A service that quotes a name which a stranger chose looks the same. So a
    /// [`Session`](crate::reauth::Session) acts on a quoted requirement only if the program added
    /// the origin to its [`Trust`](crate::reauth::Trust), and never if a Globus service sent it.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }
}

/// The result of inspecting a response body: the requirements, and the first document that exceeds
/// a limit.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// The requirements.
    pub found: Vec<Found>,
    /// The first document that is no requirement because it exceeds a limit.
    pub over_limit: Option<OverLimit>,
}

/// Finds the requirements in a response body.
///
/// The status and the content type do not matter. The order is that of `globus_sdk.gare.to_gares`:
/// first the entries of `errors[]`, then the root, then other nested documents in document order.
/// If a document is a requirement, a requirement nested in it (a GridFTP reply in its `message`, a
/// `details` object, ...) only fills the fields that it leaves empty. The entries of `errors[]`
/// stay separate, and so do nested requirements that would take the document over a limit.
/// Duplicates are dropped. Of more than 64, those that GridFTP texts state come after all others.
///
/// Any bytes are accepted: text that is not JSON (which may still hold GridFTP replies), invalid
/// UTF-8 and lone surrogates (read as U+FFFD), `NaN`, any depth. Time and memory are linear in the
/// length of the body. Each requirement contains one of a few words. A body without them is neither
/// parsed nor copied.
///
/// A document that exceeds a [limit](super#limits) is no requirement, and at most 64 requirements
/// are returned. [`Detection::of`] also names the first document that was left out.
///
/// ```
/// use globus_gare::gare::detect;
///
/// // Transfer passes on the reply of a GridFTP server that refuses the login.
/// let body = br#"{"code": "ExternalError.DirListingFailed.LoginFailed", "message": "Details: 530-Login incorrect.\\r\\n530-GridFTP-JSON-Result: {\"DATA_TYPE\": \"result#1.0.0\", \"detail\": {\"DATA_TYPE\": \"not_from_allowed_domain#1.0.0\", \"allowed_domains\": [\"globus.org\"]}}\\r\\n530 End.\\r\\n\n"}"#;
/// let found = detect(body);
/// assert_eq!(found[0].location.to_string(), "message (GridFTP reply)");
/// assert_eq!(found[0].gare.authorization_parameters.session_required_single_domain, ["globus.org"]);
///
/// assert!(detect(b"<html>Bad gateway</html>").is_empty());
/// ```
pub fn detect(body: &[u8]) -> Vec<Found> {
    Detection::of(body).found
}

impl Detection {
    /// Finds the requirements in `body`, as [`detect`] does, and the first document that exceeds a
    /// limit.
    ///
    /// ```
    /// use globus_gare::gare::Detection;
    ///
    /// let policies = vec!["p"; 65].join(",");
    /// let body = format!(r#"{{"authorization_parameters": {{"session_required_policies": "{policies}"}}}}"#);
    /// let Detection { found, over_limit, .. } = Detection::of(body.as_bytes());
    /// assert!(found.is_empty());
    /// assert_eq!(over_limit.map(|over| over.limit), Some("more than 64 values in a list"));
    /// ```
    pub fn of(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let may_be_json = matches!(first, Some(b'{' | b'[' | b'"'));
        let (has_documents, has_texts) = match may_be_json {
            true => prefilter::json(body),
            false => (prefilter::text(body), true),
        };
        if !has_documents {
            return Self::default();
        }
        let lossy = |_| String::from_utf8_lossy(body);
        let text = std::str::from_utf8(body).map_or_else(lossy, Cow::Borrowed);
        let json = may_be_json.then(|| walk::json(&text, has_texts)).flatten();
        let findings = json.unwrap_or_else(|| {
            let mut findings = Findings::default();
            walk::text(&text, true, &Path::Root, &mut findings);
            findings
        });
        let (found, over_limit) = findings.into_found();
        let mut detection = Self { found, over_limit };
        if detection.found.len() > 1 {
            detection.drop_repeated();
        }
        detection
    }

    /// Drops duplicates, and the requirements beyond the limit.
    fn drop_repeated(&mut self) {
        if self.found.len() > REQUIREMENTS {
            // The service's own requirements stay: strangers choose how many the others are.
            self.found.sort_by_key(|found| {
                let is_of_gridftp = matches!(found.location, Location::GridFtp(_));
                (found.quoted, is_of_gridftp)
            });
        }
        let key = |found: &Found| found.gare.authorization_parameters.requirement_key();
        let stated = self.found.iter().filter(|found| !found.quoted);
        let stated: HashSet<String> = stated.map(key).collect();
        let mut seen = HashSet::new();
        self.found.retain(|found| {
            let key = key(found);
            // A stated requirement counts, not a quotation of it.
            !(found.quoted && stated.contains(&key)) && seen.insert(key)
        });
        if let Some(next) = self.found.get(REQUIREMENTS) {
            let (location, limit) = (next.location.clone(), TOO_MANY_REQUIREMENTS);
            self.over_limit.get_or_insert(OverLimit { location, limit });
            self.found.truncate(REQUIREMENTS);
        }
    }
}
