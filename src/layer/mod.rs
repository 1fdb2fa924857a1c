//! The tower layer: [`GareLayer`] makes any HTTP client survive a session policy.
//!
//! # What is replayed
//!
//! Method, URI, version, headers, extensions and body are kept as the request
//! came, and sent again with the `Authorization` that the login gave. The body
//! has to be [replayable](ReplayableBody); a request whose body is not is sent
//! once.
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
//! either the response streams on untouched. Put a decompression layer inside
//! this one if the services compress their errors.
//!
//! # Runtime
//!
//! Logins run as tasks of the tokio runtime that the response future is polled
//! on; it needs its timer.

mod future;
#[allow(clippy::module_inception)]
mod layer;
mod service;

pub use self::future::GareFuture;
pub use self::layer::GareLayer;
pub use self::service::GareService;
pub use crate::body::{GareBody, ReplayBody, ReplayBodyError, ReplayableBody};
