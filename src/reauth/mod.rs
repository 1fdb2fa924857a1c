//! Re-authentication: sessions, credentials, and one login for many requests.
//!
//! A session keeps an account for each principal, which is a user. A *look-up* calls
//! [`Reauthenticator::credential`], which asks nobody.
//!
//! A challenged request goes through these steps. The first one that applies counts:
//!
//! | the account has | the request |
//! | --- | --- |
//! | a credential newer than the one that was sent | is replayed with it |
//! | a login that this request waited for, and that did not satisfy the requirement | gives up: [`GaveUp::NoProgress`] |
//! | a login under way, for this origin, that covers the requirement | joins it, then is replayed |
//! | a credential that a look-up finds, once for each requirement | is replayed with it; if the look-up is not possible now, gives up: [`GaveUp::Unavailable`] |
//! | another login under way | waits until it ends, then starts over |
//! | an earlier login for this requirement, after which the service accepted no request | gives up: [`GaveUp::NoProgress`] |
//! | a backoff at this origin that is not over, or no logins left | gives up: [`GaveUp::BackingOff`], [`GaveUp::Budget`] |
//! | none of these | leads one login, detached, then is replayed |
//!
//! A plain `401`, without a GARE, goes through the same steps if the request carried no credential
//! or the session's: its requirement is *any credential*. [`SessionBuilder::approve`],
//! [`GareOptions::no_prompt`], [`SessionBuilder::max_logins`] and [`SessionBuilder::max_replays`]
//! end these steps earlier.
//!
//! # What an account remembers
//!
//! | remembered | effect | until |
//! | --- | --- | --- |
//! | a login that failed | no login starts for this origin | [`SessionBuilder::backoff`], doubling; reset when a challenged request of the origin is accepted on its replay |
//! | a login that succeeded and did not help | no login starts for this requirement: at the whole origin if no request there was accepted with the new credential, else at the path | the same |
//! | a credential that was rejected here | it is not sent again | the account's next login |
//! | a refresh that failed, or whose credential was accepted nowhere | look-ups may not refresh | 1 second, doubling to 30 seconds |
//! | a login after which no request was accepted | it counts against the budget | [`SessionBuilder::login_budget`] |
//!
//! A look-up that finds no credential is not remembered: the next request looks again. Concurrent
//! requests share one look-up.
//!
//! # Resource servers
//!
//! An origin may have several resource servers, each with tokens of its own. For example, each flow
//! has a resource server beside that of the Flows service. A request names its resource server with
//! [`GareOptions::resource_server`]; otherwise [`Reauthenticator::resource_server`] does. Each
//! resource server of an origin then has credentials, logins and backoffs of its own.
//!
//! # Collections
//!
//! The owner of a collection runs its server. Such a server is trusted only if the program adds it:
//! all of them with [`Trust::collections`], or one with [`Trust::collection`]. It gets only a
//! credential that [names its collection](Credential::for_collection), whatever a
//! [`Reauthenticator`] returns.
//!
//! Such a server challenges a request with a redirect to Globus Auth that names a collection. The
//! requirement is the scope of the collection's data. The session first verifies that the
//! collection belongs to the server: the program [said so](Trust::collection), or
//! [`Reauthenticator::serves_collection`] confirms it, for an hour at a time. If the client follows
//! the redirect, it ends at a login page, and the caller gets the status `401` with
//! [`GaveUp::RedirectedToLogin`].
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
//! With the feature `tracing`, on by default, a session emits an event for every step, with the
//! target `globus_gare`. [`SessionBuilder::on_event`] gets the same events as values, and
//! [`Session::stats`] has the counts. [For operators](crate::guide::operators) lists all events,
//! and says what each [`GaveUp`] means.

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
pub use self::events::{Event, EventKind};
pub use self::options::GareOptions;
pub use self::origin::{InvalidOrigin, Origin, ResponseUrl};
pub use self::outcome::{GareOutcome, GaveUp};
pub use self::reauthenticator::{ReauthFn, Reauthenticator, reauth_fn};
pub use self::route::RequestHead;
pub use self::session::Session;
pub use self::stats::Stats;
pub use self::target::{Principal, Target};
pub use self::trust::Trust;

#[cfg(feature = "reqwest")]
pub(crate) use self::collections::is_authorize;
pub(crate) use self::exchange::{AnswerHead, Exchange, Verdict};
#[cfg(feature = "reqwest")]
pub(crate) use self::inspect::look_at_head;
pub(crate) use self::inspect::{Look, TOO_LONG, look};
pub(crate) use self::route::{Authorization, Handled, Route, Untrusted};
