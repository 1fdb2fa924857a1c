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
//!   `action_statuses`, in each other, and in a root array; GridFTP replies in every string, and in plain text.
//!
//! An empty `authorization_parameters` object is a requirement: any fresh authentication. `null` is none.
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
mod document;
mod extra;
mod gcs;
mod gridftp;
mod lex;
mod location;
mod object;
mod params;
mod params_serde;
mod parser;
mod repair;
mod reply;
mod tape;
mod trigger;
mod unescape;
mod value;
mod variants;
mod walk;

pub use self::{
    coalesce::coalesce,
    detect::{Found, detect},
    document::Gare,
    extra::Extra,
    location::Location,
    params::AuthorizationParameters,
};
