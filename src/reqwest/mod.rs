//! The reqwest middleware: [`GareMiddleware`] for `reqwest-middleware`.
//!
//! It decides as the tower layer does, on the same [`Session`](crate::reauth::Session):
//! one session may serve clients of both kinds. What it keeps of a request, when
//! it looks at a response, and what the caller gets, is told at [`layer`](crate::layer).
//!
//! # Requests
//!
//! A [`GareOptions`](crate::reauth::GareOptions) goes along with
//! [`RequestBuilder::with_extension`](reqwest_middleware::RequestBuilder::with_extension).
//! A timeout of the request or the client is for each attempt; a login takes as
//! long as it takes, or as [`GareOptions::max_wait`](crate::reauth::GareOptions::max_wait) says.
//!
//! A streaming body, a multipart form among them, is sent once, unless
//! [`replay_streams`](GareMiddleware::replay_streams) says up to which size it is kept.
//!
//! # Responses
//!
//! One that was looked at keeps its status, version, headers, extensions, remote
//! address, URL and body. It is the URL that [answered](reqwest::Response::url),
//! after redirects, whose origin has to be [trusted](crate::reauth::Trust).
//! Middleware inside that makes responses of its own has to tell their URL with
//! [`ResponseBuilderExt::url`](reqwest::ResponseBuilderExt::url); those without one are nobody's.
//!
//! # Among other middleware
//!
//! What is attached first is outermost.
//!
//! - **reqwest-retry outside**, so attached before ours: a 502 that carries a
//!   requirement is not transient. Attached after, it tries such a request again
//!   and again, and only then is there a login. Give it a strategy that leaves
//!   alone a response whose [`GareOutcome`](crate::reauth::GareOutcome) has a
//!   refusal, or a declined login is asked about as often as there are retries
//!   (nobody is prompted again, though). It sends no streaming body at all.
//! - **reqwest-tracing** on either side: inside, there is a span for each attempt.
//! - **What sets `Authorization`** outside: inside, it puts the old credential over the new one.
//!
//! The example `reqwest_stack` has them in their places.

mod answer;
mod body;
mod kept;
mod middleware;

pub use self::middleware::GareMiddleware;
