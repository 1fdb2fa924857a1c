//! Globus Auth logins: a [`Reauthenticator`](crate::reauth::Reauthenticator) for real use.
//!
//! ```text
//!  a challenge
//!     |
//!     |  GlobusApp: what is asked, and the scopes held and required, become an
//!     |             authorize URL with a PKCE challenge and a random state
//!     v
//!  LoginPrompt: a person opens the URL; what comes back is a code or a redirect
//!     |
//!     |  GlobusApp: compares the state, exchanges the code with the PKCE verifier,
//!     v             keeps a token for each resource server
//!  the credential of the resource server that refused
//! ```
//!
//! [`GlobusApp`] does all that is the same everywhere; a [`LoginPrompt`] reaches
//! the person, and is the part to write yourself where a terminal or a browser
//! is not what you have.

mod app;
mod attempt;
mod builder;
mod environment;
mod exchange;
mod grants;
mod prompt;
mod resource_server;
mod scopes;
mod transport;

pub use self::app::GlobusApp;
pub use self::builder::{GlobusAppBuilder, SetupError};
pub use self::environment::service_url;
pub use self::prompt::{LoginPrompt, LoginReply, LoginRequest};
