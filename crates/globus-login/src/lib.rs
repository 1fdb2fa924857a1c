//! Globus Auth logins: a [`Reauthenticator`](globus_gare::reauth::Reauthenticator) for programs,
//! jobs and web services.
//!
//! ```text
//!  a challenge
//!     |
//!     |  GlobusApp: makes an authorize URL of the requirement and the scopes, with a
//!     |             PKCE challenge and a random state
//!     v
//!  LoginPrompt: the person opens the URL, and the prompt returns a code or a redirect
//!     |
//!     |  GlobusApp: compares the state, exchanges the code with the PKCE verifier,
//!     v             commits a token for each resource server to a LoginStore
//!  the credential for the service that challenged
//! ```
//!
//! - [`GlobusApp`] runs the login and refreshes tokens.
//! - A [`LoginPrompt`] reaches the person: [`Interactive`], with a browser and a terminal, or your
//!   own.
//! - A [`LoginStore`] keeps the logins: [`MemoryStore`], [`JsonStore`] (the Python SDK's file), or
//!   your own.
//! - A web service cannot wait for a person: it begins a login in one request and ends it in
//!   another. The module `web` has the parts for an axum router. Use [`GlobusApp::begin_login`]
//!   with any other framework.
//! - A job that cannot ask anybody checks before it starts, with [`AppUser::check`], whether its
//!   login will last.
//!
//! # Features
//!
//! | | |
//! | --- | --- |
//! | `interactive` (default) | [`Interactive`]: opens a browser here, or takes a code at the terminal |
//! | `redis` | `RedisStore`: logins that several machines share |
//! | `seal` | `Sealer`: encrypts stored logins; `redis` and `web` turn it on |
//! | `sqlite` | `SqliteStore`: the SQLite token storage of the Python SDK |
//! | `web` | `web`: the logins of a web service's users |
//!
// No doc tests: the tour shows parts of examples, which `tests/login/tour.rs` runs.
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("guide/tour.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
// The guides link to the items of all features.
#![cfg_attr(
    not(all(
        feature = "interactive",
        feature = "redis",
        feature = "sqlite",
        feature = "web"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod any_bytes;
mod app;
mod approval;
mod audience;
mod auth;
mod authorization;
mod builder;
mod client_environment;
mod clock;
mod collection;
#[cfg(feature = "sqlite")]
mod compute;
mod consents;
mod copies;
mod default_scope;
mod detached;
mod elsewhere;
mod elsewhere_prompt;
mod ends_soon;
mod flow;
#[cfg(any(doc, doctest))]
pub mod guide;
mod http;
#[cfg(feature = "interactive")]
mod interactive;
mod learning;
mod lease;
mod login_request;
mod logins;
mod mfa;
#[cfg(any(feature = "interactive", feature = "web"))]
mod page;
mod pending;
mod presented;
mod prompt;
mod readiness;
mod refresh;
mod remembered;
mod scope;
mod services;
mod session;
mod settings;
mod setup_error;
mod store;
mod token_response;
mod unsaved;
mod user;
#[cfg(feature = "web")]
#[cfg_attr(docsrs, doc(cfg(feature = "web")))]
pub mod web;

pub use self::app::GlobusApp;
pub use self::builder::GlobusAppBuilder;
pub use self::elsewhere_prompt::ElsewherePrompt;
#[cfg(feature = "interactive")]
pub use self::interactive::{Interactive, Shown};
pub use self::login_request::{LoginEnd, LoginRequest};
pub use self::pending::PendingLogin;
pub use self::prompt::{LoginPrompt, LoginReply, LoginStatus, PromptFn, prompt_fn};
pub use self::readiness::{CheckFor, Readiness};
pub use self::scope::{Scope, ScopeParseError, Scopes};
pub use self::setup_error::SetupError;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::store::SqliteStore;
pub use self::store::conformance;
pub use self::store::{
    Holder, JsonStore, Learned, Leased, Login, LoginRecord, LoginStore, MemoryStore, StoreError,
    StoredToken, Tokens, UserKey, Version, Versioned, Waiting, Work,
};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use self::store::{RedisStore, RedisStoreBuilder};
#[cfg(feature = "seal")]
#[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
pub use self::store::{SealError, Sealer};
pub use self::token_response::Account;
pub use self::user::AppUser;

// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
