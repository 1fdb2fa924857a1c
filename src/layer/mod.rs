//! Tower middleware that satisfies GAREs and replays the request.
//!
//! One line adds it to a client that is a tower service of `http::Request` and `Clone`:
//! `let client = GareLayer::new(login).layer(client);`.
//!
//! ```text
//!  caller            GareLayer                      session                 service
//!    |                   |                             |                       |
//!    |---- request ----->|                             |                       |
//!    |                   |----------- request + current credential ----------->|
//!    |                   |<-------------- 403, 502: a challenge ---------------|
//!    |                   |- requirement, generation -->|                       |
//!    |                   |                             | one login, however    |
//!    |                   |                             | many requests wait    |
//!    |                   |<----- newer credential -----|                       |
//!    |                   |------------- the same request, again -------------->|
//!    |                   |<----------------------- 200 ------------------------|
//!    |<---- response ----|                             |                       |
//! ```
//!
//! # Whose credential
//!
//! A request without `Authorization` is sent with the session's credential. A bearer token that a
//! request presents is a principal of its own: it is sent unchanged until a login for it succeeds,
//! and then replaced by the token of that login. Any other `Authorization` is never replaced.
//!
//! If your program sets the token of its one user, call
//! [`one_person`](crate::SessionBuilder::one_person). If it has several users, name the user of
//! each request, with [`principal_by`](crate::SessionBuilder::principal_by) or
//! [`GareOptions::principal`](crate::GareOptions::principal).
//!
//! # What is replayed
//!
//! A replay has the method, URI, version, headers, extensions and body of the request, and the
//! `Authorization` of the new credential. The body must be [replayable](ReplayableBody): a body in
//! memory is, and [`ReplayBody`] makes any stream replayable. Other requests are sent once.
//!
//! # What the caller gets
//!
//! Either the response to the replay, or the service's own challenge, byte for byte with its
//! trailers. The extensions of both have a [`GareOutcome`](crate::reauth::GareOutcome); after a
//! challenge it says why the layer gave up. The error type is that of the inner service.
//!
//! # What is inspected
//!
//! Responses with a status of 400 to 499, or 502, whose content may be JSON or text and is not
//! compressed, up to [`max_inspect`](GareLayer::max_inspect) bytes and for at most
//! [`inspect_timeout`](GareLayer::inspect_timeout). Beyond either limit the response is passed on
//! unchanged.
//!
//! Two challenges need no body: a plain `401`, without a GARE, to a request that carried the
//! session's credential or none, and a redirect of a [collection's
//! server](crate::reauth#collections) to a login page.
//!
//! [`detect_in`] inspects one response in the same way, for a program that handles challenges
//! itself.
//!
//! # Clients, bodies, transports
//!
//! Each cell is a test, over HTTP/1 and over HTTP/2, that compares the response with the response
//! without the layer (`crates/checks/tests/behaviour/bodies/matrix.rs`).
//!
//! | request body | hyper-util | reqwest, as a service | reqwest-middleware |
//! | --- | --- | --- | --- |
//! | in memory | sent again | sent again | sent again |
//! | a stream, of known length | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream with trailers | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream over the limit | sent once | sent once | sent once |
//!
//! A replay sends the whole body once, whether the service read all of it, a part, or none before
//! it responded.
//!
//! | challenge | all three clients |
//! | --- | --- |
//! | of known length; in chunks; with trailers | replayed, or returned unchanged |
//! | compressed (gzip, br, zstd) | returned; replayed with a decoder inside |
//! | slower than `inspect_timeout` | returned, and continues to stream |
//! | longer than `max_inspect`, or endless | returned, and continues to stream |
//! | reset in the middle | returned, with its error in its place |
//! | a GARE in response to a `HEAD`, which has no body | returned |
//!
//! After a challenge was read to its end, its connection serves the next request.
//!
//! # Among other layers
//!
//! What must see each attempt goes inside: timeouts, concurrency limits, decompression. What must
//! see the call once goes outside: retries, and layers that complete a relative URI or set
//! `Authorization`. [Layer order](crate::guide::layer_order) lists all kinds of layers, and the
//! symptom of each in the wrong place; `tests/clients/stacks` shows the symptoms, and the example
//! `tower_stack` the order. A retry must not repeat a request whose
//! [`GareOutcome`](crate::reauth::GareOutcome) has
//! [`gave_up`](crate::reauth::GareOutcome::gave_up): another attempt logs nobody in.
//!
//! # Across tasks
//!
//! [`GareLayer`] is `Send + Sync + Clone + 'static`, and so is a [`GareService`] whose inner
//! service is. A [`GareFuture`] is `Send` if its parts are, and never `Sync`. A [`ReplayBody`] is
//! `Sync` if the body is `Send`.
//!
//! # Runtime
//!
//! Logins run as tasks of the tokio runtime that the response future is polled on. The runtime
//! needs its timer: without a runtime or a timer a login fails with an error that says so. When a
//! runtime ends before its login, the next request that is challenged leads the login again.
//!
//! # Cost
//!
//! A request that is not challenged needs fewer allocations than with tower's `Retry` and a policy
//! that clones, and 1.2 to 1.4 times its instructions, in process: less than a microsecond. An
//! ordinary error body is searched without being parsed or copied. `cargo bench` prints these costs
//! beside those of the peers; `benches/README.md` has the limits.

mod detect_in;
mod follow;
mod future;
mod kept;
#[allow(clippy::module_inception)]
mod layer;
mod run;
mod service;

pub use self::detect_in::{InspectLimits, detect_in};
pub use self::future::GareFuture;
pub use self::layer::GareLayer;
pub use self::service::GareService;

#[cfg(feature = "reqwest")]
pub(crate) use self::follow::{Client, follow, follow_first, glance, waker};
#[cfg(feature = "reqwest")]
pub(crate) use self::kept::{KeptHeaders, authorize};
pub use crate::body::{GareBody, ReplayBody, ReplayableBody};
