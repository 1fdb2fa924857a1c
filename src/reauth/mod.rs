//! Re-authentication: sessions, credentials, and one login for many requests.
//!
//! A challenged request goes through these steps. The first one that applies is taken:
//!
//! | the account has | the request |
//! | --- | --- |
//! | a credential newer than the one that was sent | is replayed with it |
//! | a login under way, for this origin, that covers the requirement | joins it, then is replayed |
//! | a credential that [`Reauthenticator::credential`] finds, once for each requirement | is replayed with it |
//! | another login under way | waits until it ends, then starts over |
//! | a login that succeeded, and did not satisfy this requirement | gives up: [`GaveUp::NoProgress`] |
//! | a backoff at this origin that is not over, or no logins left | gives up: [`GaveUp::BackingOff`], [`GaveUp::Budget`] |
//! | none of these | leads one login, detached, then is replayed |
//!
//! A `401` that requires nothing goes through the same steps, where the request carried no credential
//! or the session's: it requires *any credential*. [`SessionBuilder::approve`] refuses a
//! requirement, [`GareOptions::no_prompt`], [`SessionBuilder::max_logins`] and
//! [`SessionBuilder::max_replays`] end these steps earlier.
//!
//! # What an account remembers
//!
//! | | until |
//! | --- | --- |
//! | a login that failed: nobody is asked for this origin | [`SessionBuilder::backoff`], doubling; reset when a challenged request of the origin is accepted on its replay |
//! | a login that did not help: nobody is asked for this requirement, at this origin while nothing was accepted there with its credential, else at this path | the same |
//! | credentials that were rejected here: they are not sent again | the account's next login |
//! | a refresh that failed, or whose credential was accepted nowhere: look-ups may not refresh | 1 second, doubling to 30 seconds |
//! | logins that nothing was accepted with | [`SessionBuilder::login_budget`] |
//!
//! That there is no credential is not remembered: each request looks for one, and those that look at
//! the same time share one look-up.
//!
//! # Resource servers
//!
//! An origin may have several resource servers, each with tokens of its own: a specific flow has one beside
//! that of all flows. A request [names](GareOptions::resource_server) its own, or the
//! [`Reauthenticator`] [does](Reauthenticator::resource_server). What is said of an origin on this page
//! then holds for each resource server there: credentials, logins, backoffs.
//!
//! # Collections
//!
//! The servers of collections are run by the collections' owners. They are trusted where the program adds
//! them, with [`Trust::collections`] or one by one with [`Trust::collection`], and get only a credential that
//! [names their collection](Credential::for_collection), whatever a [`Reauthenticator`] returns.
//!
//! Such a server refuses a request with a redirect to Globus Auth that names its collection. That is a
//! challenge for the scope of the collection's data, if the collection is the server's own: the program
//! [named](Trust::collection) it, or [`Reauthenticator::serves_collection`] finds it so, which is believed for an hour. A client that follows
//! the redirect ends at a login page; the caller gets the status `401` with [`GaveUp::RedirectedToLogin`].
//!
//! # Parts
//!
//! A [`Session`] holds the state that all requests share. A [`Reauthenticator`] obtains a
//! [`Credential`] for a [`Challenge`]. [`Trust`] names the origins that get credentials and can
//! trigger a login. The layer puts a [`GareOutcome`] into the extensions of the response; a caller
//! sets [`GareOptions`] in the extensions of the request.
//!
//! # Events
//!
//! With the feature `tracing`, on by default, a session emits events with the target `globus_gare`.
//! Names and fields are stable. No field holds a secret, a query, or text from a service.
//!
//! | name | what | fields | when |
//! | --- | --- | --- | --- |
//! | `challenged` | INFO event | `origin` `principal` `method` `status` `requirements` `generation` | a response is a challenge |
//! | `over limit` | WARN event | `origin` `principal` `limit` | a requirement exceeds a limit, and is ignored |
//! | `only quoted` | DEBUG event | `origin` `principal` | a requirement stands in a quotation, and the program did not add its origin |
//! | `not inspected` | DEBUG event | `origin` `principal` `status` `reason` | a response that may be a challenge is not looked at: it is encoded, too long, no text, or does not come |
//! | `not trusted` | DEBUG event | | a response that may be a challenge came from an origin that is not trusted |
//! | `logging in` | INFO event | `origin` `principal` `attempt` | a login starts |
//! | `login` | INFO span | `origin` `principal` `attempt` | around a call of `Reauthenticator::reauthenticate` |
//! | `joined` | DEBUG event | `origin` `principal` | a request waits for a login that covers its requirement |
//! | `waiting` | DEBUG event | `origin` `principal` | a request waits for another login to end |
//! | `logged in` | INFO event | `origin` `principal` `generation` | a login succeeded |
//! | `login failed` | WARN event | `origin` `principal` `error` | a login failed |
//! | `login takes long` | WARN event | `origin` `principal` `hint` | a request has waited for a login for 30 seconds; once a login |
//! | `looking up` | DEBUG event | `origin` `principal` | a look-up starts |
//! | `looked up` | DEBUG event | `origin` `principal` `generation` | a look-up ended; without `generation` it found no credential |
//! | `look-up failed` | WARN event | `origin` `principal` `error` | a look-up failed |
//! | `replayed` | INFO event | `origin` `principal` `replays` `generation` | a request is replayed |
//! | `gave up` | WARN event | `origin` `principal` `reason` | a challenge goes back to the caller; `reason` is [`GaveUp::name`] |
//!
//! [`Session::stats`] has the counts.

mod account;
mod accounts;
mod at_origin;
mod backoff;
mod budget;
mod builder;
mod challenge;
mod collections;
mod credential;
mod credential_request;
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
mod rules;
mod run;
mod satisfy;
mod session;
mod stats;
mod target;
mod trust;
mod unmet;

pub use self::builder::SessionBuilder;
pub use self::challenge::Challenge;
pub use self::credential::{Credential, InvalidCredential};
pub use self::credential_request::{CredentialRequest, Why};
pub use self::describe::printable;
pub use self::environment::{Environment, InvalidEnvironment};
pub use self::error::ReauthError;
pub use self::events::Event;
pub use self::options::GareOptions;
pub use self::origin::{InvalidOrigin, Origin, ResponseUrl};
pub use self::outcome::{GareOutcome, GaveUp};
pub use self::reauthenticator::{ReauthFn, Reauthenticator, reauth_fn};
pub use self::route::RequestHead;
pub use self::session::Session;
pub use self::stats::Stats;
pub use self::target::{Principal, Target};
pub use self::trust::Trust;

pub(crate) use self::exchange::{AnswerHead, Exchange, Verdict};
#[cfg(feature = "reqwest")]
pub(crate) use self::inspect::look_at_head;
pub(crate) use self::inspect::{Look, TOO_LONG, look};
pub(crate) use self::route::{Authorization, Handled, Route, Untrusted};
