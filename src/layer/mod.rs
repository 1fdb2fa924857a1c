//! The tower layer: [`GareLayer`] makes any HTTP client survive a session policy.
//!
//! Whatever client there is, one line adds it: `let client = GareLayer::new(login).layer(client);`.
//!
//! # What is replayed
//!
//! Method, URI, version, headers, extensions and body are kept as the request
//! came, and sent again with the `Authorization` that the login gave. The body
//! has to be [replayable](ReplayableBody): one in memory is, and [`ReplayBody`]
//! makes any stream so. A request whose body is not is sent once.
//!
//! # What the caller gets
//!
//! Either the answer to the replay, or the service's own refusal, byte for byte
//! with its trailers, with a [`GareOutcome`](crate::reauth::GareOutcome) in its
//! extensions that tells why nothing came of it. The error type stays that of
//! the inner service.
//!
//! # What is inspected
//!
//! Responses with a status of 400 to 499, or 502, whose content may be JSON or
//! text and is not compressed, up to [`max_inspect`](GareLayer::max_inspect)
//! bytes and for at most [`inspect_timeout`](GareLayer::inspect_timeout). Over
//! either the response streams on untouched.
//!
//! # Clients, bodies, transports
//!
//! Each cell is a test, over HTTP/1 and over HTTP/2, that holds what the caller
//! reads against what it reads without the layer (`tests/bodies/matrix.rs`).
//!
//! | request body | hyper-util | reqwest, as a service | reqwest-middleware |
//! | --- | --- | --- | --- |
//! | in memory | sent again | sent again | sent again |
//! | a stream, of known length | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream with trailers | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream over the limit | sent once | sent once | sent once |
//!
//! A request body is sent again, whole and once, whether the service read all of
//! it, a part, or none before it answered.
//!
//! | refusal | all three clients |
//! | --- | --- |
//! | of known length; in chunks; with trailers | followed, or given back as it came |
//! | compressed (gzip, br, zstd) | given back; followed with a decoder inside |
//! | slow, past `inspect_timeout` | given back, streaming on |
//! | longer than `max_inspect`, or endless | given back, streaming on |
//! | reset in the middle | given back, with its error where it occurred |
//! | to a `HEAD`; without content | given back |
//!
//! A connection whose refusal was read serves the next request.
//!
//! # Among other layers
//!
//! | layer | where | otherwise |
//! | --- | --- | --- |
//! | retry | outside | inside, it takes a 502 that asks for a login for a bad gateway, and tries in vain before the login |
//! | what sets `Authorization` | outside | inside, it puts the old credential over the new one: the outcome is [`NoProgress`](crate::reauth::GaveUp::NoProgress) |
//! | decompression | inside | outside, compressed refusals cannot be read, and go to the caller |
//! | timeout | inside, for each attempt | outside, it is over before a person has logged in; the login goes on for the next request |
//! | concurrency limit | inside | outside, those who wait for a login take the places of the others |
//! | redirects | either | inside, ours has to learn which URL answered: tower-http's tells with the feature `follow-redirect`, others through [`ResponseUrl`](crate::reauth::ResponseUrl); one that hides it is believed wherever it went |
//! | trace, sensitive headers | either | inside there is a span for each attempt. The credential is always marked sensitive |
//! | buffer | either | a service that is no `Clone` needs one inside |
//!
//! `tests/stacks` shows each symptom, and the example `tower_stack` all of them
//! in their places. A retry outside should leave alone a response whose
//! [`GareOutcome`](crate::reauth::GareOutcome) has a refusal: asking again logs nobody in.
//!
//! # Across tasks
//!
//! [`GareLayer`] is `Send + Sync + Clone + 'static`, and so is [`GareService`]
//! where its inner service is. [`GareFuture`] is `Send` where its parts are, and
//! not `Sync`: it holds the login that it waits for, and nobody polls a future
//! from two tasks. [`ReplayBody`] is `Sync` where the body is `Send`.
//!
//! # Runtime
//!
//! Logins run as tasks of the tokio runtime that the response future is polled
//! on; it needs its timer. Without either a login fails with an error that says so. A login whose
//! runtime ends before it is led again by the next request that is challenged.
//!
//! # Cost
//!
//! A request that is let in costs less than with tower's `Retry` and a policy that clones, in instructions and in
//! allocations, in process and over a connection. An ordinary error body is searched, and not parsed, without an
//! allocation. `cargo bench` prints both beside their peers; `benches/README.md` says what is held.

mod follow;
mod future;
mod kept;
#[allow(clippy::module_inception)]
mod layer;
mod limits;
mod service;

pub use self::future::GareFuture;
pub use self::layer::GareLayer;
pub use self::service::GareService;

#[cfg(feature = "reqwest")]
pub(crate) use self::follow::{Client, follow};
#[cfg(feature = "reqwest")]
pub(crate) use self::kept::{KeptHeaders, authorize};
#[cfg(feature = "reqwest")]
pub(crate) use self::limits::Limits;
pub use crate::body::{GareBody, ReplayBody, ReplayBodyError, ReplayableBody};
