//! The document: what a Globus Auth requirements error says, and where it hides.
//!
//! A Globus service that wants a fresh or stronger login answers with a Globus Auth Requirements Error (GARE): a JSON
//! object with `authorization_parameters`. Services have spelled it in many ways over the years, and some bury it in
//! the text of a GridFTP reply. [`detect`] finds it in any response body; [`Gare`] is what it says;
//! [`AuthorizationParameters::to_query`] is what to ask Globus Auth for; [`coalesce`] makes few logins of many
//! requirements.
//!
//! Everything here is pure and synchronous, knows nothing of HTTP, and takes any bytes without panicking.
//!
//! # What counts
//!
//! Each JSON object that may be an error document is read as `globus_sdk.gare.to_gare` (Python, 4.x) reads it: a proper
//! GARE, one without `code` or with comma-separated strings for lists, the `ConsentRequired` documents of Transfer and
//! of action providers, and Globus Auth's `dependent_consent_required`. What that function accepts is accepted here,
//! with the same content, except that a consent error which names no scope at all is no requirement. Beyond it:
//!
//! - every list field may be a JSON list or a comma-separated string;
//! - `required_scopes` counts in a document without `code` too;
//! - the `detail` of Globus Connect Server errors counts where there are no `authorization_parameters`:
//!   `not_from_allowed_domain`, `authentication_timeout` and `missing_required_scopes`, version 1.x;
//! - documents are looked for in `errors[]`, `detail`, `details`, `error`, `meta`, `inactive_reason` and
//!   `action_statuses`, in each other, and in a root array; GridFTP requirements in texts (below).
//!
//! An empty `authorization_parameters` object is a requirement: any fresh authentication. `null` is none.
//!
//! # A requirement comes from a diagnostic, never from a name
//!
//! A GridFTP server states a requirement in the text of a refused login, after `GridFTP-JSON-Result:`. Services also quote
//! paths, labels and inputs in texts, and a stranger chooses those: a file may be named `GridFTP-JSON-Result: {...}`. A
//! name can add lines to a text; it cannot remove the lines that the service wrote, and it cannot stand before the
//! beginning of the text. So:
//!
//! | a text is | |
//! | --- | --- |
//! | a body that is no JSON | |
//! | a string that is the member | `message` `detail` `details` `error` `error_description` `description` `cause` `reason` `exception` `nice_status_details` `server_response` `text` |
//! | but nothing below | `input` `ctx` `name` `label` `path` `source_path` `destination_path` `display_name` |
//! | and nothing deeper than | 32 levels |
//!
//! | a text holds a requirement only if | |
//! | --- | --- |
//! | nothing in it contradicts a refused login | each `---` / `Details: ` header is followed at once by `530-`; no line begins with another reply code or with `Command: `; no `GlobusError: v=1 c=` names anything but `LOGIN_DENIED` |
//! | it begins as one, after white space and tags without attributes | `Command Failed: Error (login)`, `Error validating login to endpoint `, `Error (login)`, `Login Failed`, `Login incorrect`, `Mapping collection to specified ID failed.`, `Details: 530-`, `530-` |
//! | the marker begins a line | after an optional `530-`, and after the last header where there is one |
//!
//! Line ends count in every spelling: as they are, `\r\n` with any number of backslashes, `%0D%0A`, `&#10;`, `<br>`.
//!
//! A text that only fails to begin as a refused login may quote one: an exception's text, a traceback, a JSON text in a
//! string. Where it is a body that is no JSON, or no document that holds it has a `code`, it is found as
//! [quoted](Found::is_quoted): after a quote sign comes `Command Failed: Error (login)` or `Error validating login to
//! endpoint `, then a header, then the marker. A [`Session`](crate::reauth::Session) acts on it only where the program
//! itself added the origin to its [`Trust`](crate::reauth::Trust), and never where it comes from a service of Globus.
//!
//! The author of such a text is the owner of a collection: only the `session_*` fields are taken from it.
//!
//! # Limits
//!
//! A document that exceeds a limit is no requirement: 64 values in a list, 512 bytes a value, 4 KiB a scope, 16 KiB a
//! requirement, 64 requirements a body. [`Detection::of`] tells what was left out.
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

pub use self::{
    coalesce::coalesce,
    detect::{Detection, Found, detect},
    extra::Extra,
    gare::Gare,
    limits::OverLimit,
    location::Location,
    params::AuthorizationParameters,
};
