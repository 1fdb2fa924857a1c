//! Finding every requirement in a response body.

use std::{borrow::Cow, collections::HashSet};

use super::{
    Gare, Location, OverLimit,
    limits::{REQUIREMENTS, TOO_MANY_REQUIREMENTS},
    location::Path,
    prefilter,
    walk::{self, Findings},
};

/// A requirement, and where in the body it was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The requirement.
    pub gare: Gare,
    /// Where it was found.
    pub location: Location,
    pub(super) quoted: bool,
    /// Whether its message is that of a GridFTP server, which the service repeats.
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

    /// Whether a GridFTP server wrote the message, or the requirement that has none.
    pub(crate) fn is_of_gridftp(&self) -> bool {
        self.repeats || matches!(self.location, Location::GridFtp(_))
    }

    /// Whether the refused login that holds it is a quotation: in an exception's text, in a traceback, in a JSON text
    /// within a string. A service that quotes a name of a stranger's choice looks the same, so a
    /// [`Session`](crate::reauth::Session) acts on one only where the program itself added the origin to its
    /// [`Trust`](crate::reauth::Trust), and never where it comes from a service of Globus.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }
}

/// What a response body holds: the requirements that [`detect`] returns, and what was left out for its size.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// The requirements.
    pub found: Vec<Found>,
    /// The first document that is no requirement because it exceeds a limit.
    pub over_limit: Option<OverLimit>,
}

/// Finds every requirement in a response body. Status and content type make no difference to it.
///
/// The order is that of `globus_sdk.gare.to_gares`: first the entries of `errors[]`, then the root, then what is nested
/// elsewhere, in document order. Where a document is a requirement, what is nested in it (a GridFTP reply in its `message`,
/// a `details` object, ...) only fills the fields that it leaves empty; the entries of `errors[]` stand for themselves.
/// What asks for the same as an earlier one is not reported again.
///
/// Takes any bytes: text that is no JSON (which may still hold GridFTP replies), invalid UTF-8 and lone surrogates (read as
/// U+FFFD), `NaN`, any depth. Time and memory are linear in the length of the body. A body that holds none of the words
/// that a requirement cannot do without, as most do, is only searched for these: nothing is parsed or allocated.
///
/// A document that asks for more than a login can carry is no requirement: more than 64 values in a list, a value of more
/// than 512 bytes, a scope of more than 4 KiB, 16 KiB in all. Of one body 64 requirements are reported. [`Detection::of`]
/// finds the same and tells what was left out.
///
/// ```
/// use globus_gare::gare::detect;
///
/// // Transfer, telling of a GridFTP server that refuses the login.
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
    /// Does what [`detect`] does, and tells what was left out for its size.
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

    /// Drops what asks for the same as another, and what is beyond the limit.
    fn drop_repeated(&mut self) {
        let key = |found: &Found| found.gare.authorization_parameters.requirement_key();
        let stated = self.found.iter().filter(|found| !found.quoted);
        let stated: HashSet<String> = stated.map(key).collect();
        let mut seen = HashSet::new();
        self.found.retain(|found| {
            let key = key(found);
            // What a service states counts, not the quotation of it.
            !(found.quoted && stated.contains(&key)) && seen.insert(key)
        });
        if let Some(next) = self.found.get(REQUIREMENTS) {
            let (location, limit) = (next.location.clone(), TOO_MANY_REQUIREMENTS);
            self.over_limit.get_or_insert(OverLimit { location, limit });
            self.found.truncate(REQUIREMENTS);
        }
    }
}
