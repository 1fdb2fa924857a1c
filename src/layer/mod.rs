//! Tower middleware that satisfies GAREs and replays the request.
//!
//! One line adds it to any client: `let client = GareLayer::new(login).layer(client);`.
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
//! | to a `HEAD`; without content | returned |
//!
//! After a challenge was read to its end, its connection serves the next request.
//!
//! # Among other layers
//!
//! | layer | where | otherwise |
//! | --- | --- | --- |
//! | completing a relative URI | outside | inside, the layer sees no origin: [`NoOrigin`](crate::reauth::GaveUp::NoOrigin) |
//! | retry | outside | inside, it retries a 502 that carries a GARE before the login, without effect |
//! | layer that sets `Authorization` | outside | inside, it replaces the new credential with the old one: the outcome is [`NoProgress`](crate::reauth::GaveUp::NoProgress) |
//! | decompression | inside | outside, compressed challenges cannot be read, and go to the caller |
//! | timeout | inside, for each attempt | outside, it ends the request before a person has logged in; the login continues for the next request |
//! | concurrency limit | inside | outside, requests that wait for a login use up the limit |
//! | redirects | either | inside, the client must record the URL of the response: `FollowRedirect` of tower-http does (with the feature `follow-redirect`), `reqwest::HttpService` does, another client must insert [`ResponseUrl`](crate::reauth::ResponseUrl). Without a URL, the origin of the request counts |
//! | trace, sensitive headers | either | inside, each attempt has a span. The credential is always marked sensitive |
//! | buffer | either | a service that is not `Clone` needs one inside |
//!
//! `tests/clients/stacks` shows each symptom; the example `tower_stack` shows the order. A retry
//! outside should not retry a response whose [`GareOutcome`](crate::reauth::GareOutcome) has
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
//! that clones, and 1.1 to 1.3 times its instructions, in process: less than a microsecond. An
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
