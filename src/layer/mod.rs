//! Tower middleware that satisfies GAREs and replays the request.
//!
//! One line adds it to any client: `let client = GareLayer::new(login).layer(client);`.
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
//! [`detect_in`] inspects one response in the same way, for a program that handles challenges itself.
//!
//! # Clients, bodies, transports
//!
//! Each cell is a test, over HTTP/1 and over HTTP/2, that compares what the caller reads with what it
//! reads without the layer (`crates/checks/tests/behaviour/bodies/matrix.rs`).
//!
//! | request body | hyper-util | reqwest, as a service | reqwest-middleware |
//! | --- | --- | --- | --- |
//! | in memory | sent again | sent again | sent again |
//! | a stream, of known length | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream with trailers | sent again in a [`ReplayBody`] | sent again in a [`ReplayBody`] | sent again with `replay_streams` |
//! | a stream over the limit | sent once | sent once | sent once |
//!
//! A replay sends the whole body once, whether the service read all of it, a part, or none before it
//! responded.
//!
//! | challenge | all three clients |
//! | --- | --- |
//! | of known length; in chunks; with trailers | followed, or given back as it came |
//! | compressed (gzip, br, zstd) | given back; followed with a decoder inside |
//! | slow, past `inspect_timeout` | given back, streaming on |
//! | longer than `max_inspect`, or endless | given back, streaming on |
//! | reset in the middle | given back, with its error where it occurred |
//! | to a `HEAD`; without content | given back |
//!
//! A connection whose challenge was read to its end serves the next request.
//!
//! # Among other layers
//!
//! | layer | where | otherwise |
//! | --- | --- | --- |
//! | completing a relative URI | outside | inside, the layer sees no origin: [`NoOrigin`](crate::reauth::GaveUp::NoOrigin) |
//! | retry | outside | inside, it retries a 502 that carries a requirement, in vain, before the login |
//! | layer that sets `Authorization` | outside | inside, it replaces the new credential with the old one: the outcome is [`NoProgress`](crate::reauth::GaveUp::NoProgress) |
//! | decompression | inside | outside, compressed challenges cannot be read, and go to the caller |
//! | timeout | inside, for each attempt | outside, it ends before a person has logged in; the login continues for the next request |
//! | concurrency limit | inside | outside, requests that wait for a login use up the limit |
//! | redirects | either | inside, the client must record the URL of the response: tower-http's does with the feature `follow-redirect`, `reqwest::HttpService` does, others insert [`ResponseUrl`](crate::reauth::ResponseUrl). Without it, the origin of the request counts |
//! | trace, sensitive headers | either | inside there is a span for each attempt. The credential is always marked sensitive |
//! | buffer | either | a service that is not `Clone` needs one inside |
//!
//! `tests/clients/stacks` shows each symptom; the example `tower_stack` shows the order. A retry outside
//! should not retry a response whose [`GareOutcome`](crate::reauth::GareOutcome) has
//! [`gave_up`](crate::reauth::GareOutcome::gave_up): another attempt logs nobody in.
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
//! Logins run as tasks of the tokio runtime that the response future is polled on. The runtime
//! needs its timer: without a runtime or a timer a login fails with an error that says so. When a
//! runtime ends before its login, the next request that is challenged leads the login again.
//!
//! # Cost
//!
//! A request that is not challenged allocates less than with tower's `Retry` and a policy that clones, and takes more
//! instructions: 1.1 to 1.3 times as many in process, less than a microsecond in all. An ordinary error body is searched,
//! and not parsed, without an allocation. `cargo bench` prints both beside their peers; `benches/README.md` says what is
//! held.

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
pub(crate) use self::follow::{Client, follow, follow_first, glance};
#[cfg(feature = "reqwest")]
pub(crate) use self::kept::{KeptHeaders, authorize};
pub use crate::body::{GareBody, ReplayBody, ReplayBodyError, ReplayableBody};
