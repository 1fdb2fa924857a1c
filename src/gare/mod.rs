//! Parse GAREs, and find them in response bodies.
//!
//! A Globus service that requires a fresh or stronger login sends a Globus Auth Requirements Error
//! (GARE): a JSON object with `authorization_parameters`. Services spell it in several ways, and
//! some put it into the text of a GridFTP reply.
//!
//! - [`detect`] finds the requirements in a response body.
//! - [`Gare`] is one requirement.
//! - [`AuthorizationParameters::to_query`] makes the query parameters of the login.
//! - [`coalesce`] merges requirements that one login can satisfy.
//!
//! This module is pure and synchronous, uses no HTTP types, and does not panic, whatever the bytes.
//!
//! # What counts as a requirement
//!
//! Each JSON object that may be an error document is read as `globus_sdk.gare.to_gare` (Python,
//! 4.x) reads it: a proper GARE, one without `code` or with comma-separated strings for lists, the
//! `ConsentRequired` documents of Transfer and of action providers, and Globus Auth's
//! `dependent_consent_required`. A document that this function accepts is accepted here, with the
//! same content; [a table](crate::guide::what_is_a_gare#where-it-differs-from-the-python-sdk) lists
//! the exceptions, such as a consent error without a scope. This module accepts more:
//!
//! - every list field may be a JSON list or a comma-separated string;
//! - `required_scopes` counts in a document without `code` too;
//! - the `detail` of a Globus Connect Server error counts if the document has no
//!   `authorization_parameters`, or none with a condition: `not_from_allowed_domain`,
//!   `authentication_timeout` and `missing_required_scopes`, version 1.x;
//! - a document may be nested in another one, as `errors[]`, `detail`, `details`, `error`, `meta`,
//!   `inactive_reason`, `action_statuses`, `runs` or `jobs`, or be an element of a root array;
//! - the `cause` of an action provider's error, a string below `details`, may be a document as
//!   JSON;
//! - a text may hold a GridFTP requirement (see below).
//!
//! An empty `authorization_parameters` object is a requirement: any fresh login satisfies it.
//! `null` is no requirement.
//!
//! # A requirement comes from a diagnostic, never from a name
//!
//! A GridFTP server states its requirement in the text with which it refuses a login, after
//! `GridFTP-JSON-Result:`. Services also quote paths, labels and inputs in texts, and a stranger
//! chooses those: a file may be named `GridFTP-JSON-Result: {...}`. A name can add lines to a text.
//! It cannot remove the lines that the service wrote, and it cannot stand before the beginning of
//! the text. These rules follow:
//!
//! | a text is | |
//! | --- | --- |
//! | a body that is not JSON | |
//! | a string that is the member | `message` `detail` `details` `error` `error_description` `description` `cause` `reason` `exception` `nice_status_details` `server_response` `text` |
//! | but nothing below | `input` `ctx` `name` `label` `path` `source_path` `destination_path` `display_name` |
//! | and nothing deeper than | 32 levels |
//!
//! | a text holds a requirement only if | |
//! | --- | --- |
//! | nothing in it contradicts a refused login | each `---` / `Details: ` header is followed at once by `530-`; no line begins with another reply code or with `Command: `; no `GlobusError: v=1 c=` names anything but `LOGIN_DENIED` |
//! | it begins as a refused login does, after white space and tags without attributes | `Command Failed: Error (login)`, `Error validating login to endpoint `, `Error (login)`, `Login Failed`, `Login incorrect`, `Mapping collection to specified ID failed.`, `Details: 530-`, `530-` |
//! | the marker begins a line | after an optional `530-`, and after the last header if the text has one |
//!
//! A line end counts in every spelling: as it is, `\r\n` with any number of backslashes, `%0D%0A`,
//! `&#10;`, `<br>`.
//!
//! A text that begins differently may quote a refused login: the text of an exception, a traceback,
//! a JSON text in a string. A quotation is a quote sign, then `Command Failed: Error (login)` or
//! `Error validating login to endpoint `, then a header, then the marker. It counts if the body is
//! not JSON, or if no document around the text has a `code`. The requirement is then
//! [quoted](Found::is_quoted): a [`Session`](crate::reauth::Session) acts on it only if the program
//! added the origin to its [`Trust`](crate::reauth::Trust), and never if a Globus service sent it.
//!
//! The owner of a collection writes such a text, so only the `session_*` fields are taken from it.
//!
//! # Limits
//!
//! A document that exceeds a limit is no requirement: 64 values in a list, 512 bytes a value, 4 KiB
//! a scope, 16 KiB for the parameters of a requirement, 64 requirements a body. [`Detection::of`]
//! names the document that was left out.
//!
//! # Example
//!
//! ```
//! use globus_gare::gare;
//!
//! let body = br#"{"code": "AuthorizationRequired",
//!     "authorization_parameters": {"session_required_single_domain": ["uchicago.edu"]}}"#;
//! let found = gare::detect(body);
//! assert_eq!(found[0].location.to_string(), "root");
//! assert_eq!(
//!     found[0].gare.authorization_parameters.to_query(),
//!     [("session_required_single_domain", "uchicago.edu".to_owned())],
//! );
//! ```

mod coalesce;
mod detect;
mod extra;
#[allow(clippy::module_inception, reason = "it holds `Gare`")]
mod gare;
mod gcs;
mod gridftp;
mod json;
mod legacy;
mod lenient;
mod limits;
mod location;
mod params;
mod prefilter;
mod read;
mod reply;
mod texts;
mod unescape;
mod walk;

pub use self::coalesce::coalesce;
pub use self::detect::{Detection, Found, detect};
pub use self::extra::Extra;
pub use self::gare::Gare;
pub use self::limits::OverLimit;
pub use self::location::Location;
pub use self::params::AuthorizationParameters;
