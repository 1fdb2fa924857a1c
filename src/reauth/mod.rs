//! The deciding: who logs in, when, and for whom.
//!
//! ```text
//!  a request's answer asks for something
//!        |
//!        |-- a newer credential is there ............ replay with it
//!        |-- a login that covers it is under way .... wait for it, replay
//!        |-- another login is under way ............. wait for it, replay, ask again
//!        |-- the last one failed a moment ago ....... the answer goes to the caller
//!        '-- otherwise .............................. one login, detached; then replay
//! ```
//!
//! A [`Session`] holds what all requests share; a [`Reauthenticator`] obtains a
//! [`Credential`] for a [`Challenge`]; [`Trust`] says who may ask. What came of
//! it is a [`GareOutcome`] in the extensions of the response, and what one
//! request wants otherwise is a [`GareOptions`] in the extensions of the request.
//!
//! # Events
//!
//! With the feature `tracing`, on by default, a session tells what it does under
//! the target `globus_gare`. Names and fields are stable; none of them holds a
//! secret, a query, or what a service says.
//!
//! | name | what | fields | when |
//! | --- | --- | --- | --- |
//! | `challenged` | INFO event | `origin` `identity` `method` `status` `requirements` `generation` | an answer asks for something |
//! | `over limit` | WARN event | `origin` `identity` `limit` | an answer asks for more than a login can carry, and is not acted on |
//! | `only quoted` | DEBUG event | `origin` `identity` | an answer quotes a refused login, and its origin is not one that the program added |
//! | `not trusted` | DEBUG event | | an answer that may ask for something came from an origin that is not trusted |
//! | `logging in` | INFO event | `origin` `identity` `attempt` | a login starts |
//! | `login` | INFO span | `origin` `identity` `attempt` | around all that the reauthenticator does for a login |
//! | `joined` | DEBUG event | `origin` `identity` | a request waits for a login that gives what it needs |
//! | `waiting` | DEBUG event | `origin` `identity` | a request waits for another login to be over, to ask for its own |
//! | `logged in` | INFO event | `origin` `identity` `generation` | a login succeeded |
//! | `login failed` | WARN event | `origin` `identity` `error` | a login failed |
//! | `renewing` | DEBUG event | `origin` `identity` | a credential is looked for without asking anybody |
//! | `renewed` | DEBUG event | `origin` `identity` `generation` | it is there, or there is none and so no generation |
//! | `renewal failed` | WARN event | `origin` `identity` `error` | it could not be had |
//! | `replayed` | INFO event | `origin` `identity` `replays` `generation` | a request is sent again |
//! | `gave up` | WARN event | `origin` `identity` `reason` | a refusal goes back to the caller: [`Refusal::name`] |
//!
//! [`Session::stats`] counts the same.

mod account;
mod accounts;
mod backoff;
mod builder;
mod challenge;
mod credential;
mod decide;
mod describe;
mod environment;
mod error;
mod events;
mod exchange;
mod inspect;
mod login;
mod options;
mod origin;
mod outcome;
mod reauthenticator;
mod requirement;
mod route;
mod run;
mod satisfy;
mod session;
mod stats;
mod target;
mod trust;

pub use self::builder::SessionBuilder;
pub use self::challenge::Challenge;
pub use self::credential::{Credential, InvalidCredential};
pub use self::describe::printable;
pub use self::environment::{Environment, InvalidEnvironment};
pub use self::error::ReauthError;
pub use self::options::GareOptions;
pub use self::origin::{AnsweredBy, InvalidOrigin, Origin};
pub use self::outcome::{GareOutcome, Refusal};
pub use self::reauthenticator::{ReauthFn, Reauthenticator, reauth_fn};
pub use self::session::Session;
pub use self::stats::{Refusals, Stats};
pub use self::target::{Identity, Target};
pub use self::trust::Trust;

pub(crate) use self::exchange::{AnswerHead, Exchange, Verdict};
#[cfg(feature = "reqwest")]
pub(crate) use self::inspect::head_may_ask;
pub(crate) use self::inspect::may_ask;
pub(crate) use self::route::{Authorization, RequestHead, Route, Untrusted};
