//! Middleware for reqwest that satisfies GAREs and replays the request.
//!
//! [`GareMiddleware`] is for `reqwest-middleware`. [`HttpService`] makes a [`reqwest::Client`] a
//! tower service for a [`GareLayer`](crate::layer::GareLayer). Both make the same decisions, and
//! may share a [`Session`](crate::reauth::Session). The documentation of [`layer`](crate::layer)
//! says what is replayed, which responses are inspected, and what the caller gets.
//!
//! # Requests
//!
//! Set [`GareOptions`](crate::reauth::GareOptions) with
//! [`RequestBuilder::with_extension`](reqwest_middleware::RequestBuilder::with_extension).
//! A timeout of the request or the client limits each attempt.
//! [`GareOptions::max_wait`](crate::reauth::GareOptions::max_wait) limits the wait for logins.
//!
//! A streaming body, such as a multipart form, is sent once, unless
//! [`replay_streams`](GareMiddleware::replay_streams) allows the middleware to keep it.
//!
//! # Servers of collections
//!
//! A [collection's server](crate::reauth#collections) challenges a request with a redirect to a
//! login page. reqwest's default policy follows the redirect, and no login starts:
//! [`RedirectedToLogin`](crate::reauth::GaveUp::RedirectedToLogin). So build the client of a
//! `GareMiddleware` with `reqwest::Client::builder().redirect(redirects())`: see [`redirects`].
//! [`HttpService::new`] and [`HttpService::from_builder`] do this themselves.
//!
//! # Responses
//!
//! An inspected response keeps its status, version, headers, extensions, remote address, URL and
//! body. The origin of its [URL](reqwest::Response::url), after redirects, must be
//! [trusted](crate::reauth::Trust). Middleware inside that makes its own responses must set their
//! URL with [`ResponseBuilderExt::url`](reqwest::ResponseBuilderExt::url): a response without a URL
//! is not trusted.
//!
//! # Among other middleware
//!
//! The middleware that is attached first is the outermost.
//!
//! - **reqwest-retry** goes outside: attach it before `GareMiddleware`. Inside, it retries a 502
//!   that carries a GARE before the login, without effect. Give it a strategy that does not retry a
//!   response whose [`GareOutcome`](crate::reauth::GareOutcome) has
//!   [`gave_up`](crate::reauth::GareOutcome::gave_up). Otherwise it repeats such a request,
//!   although no login starts during the backoff. reqwest-retry cannot send a streaming body.
//! - **reqwest-tracing** goes on either side. Inside, each attempt has a span.
//! - **Middleware that sets `Authorization`** goes outside. Inside, it replaces the new credential
//!   with the old one.
//!
//! The example `reqwest_stack` shows the order.

mod answer;
mod body;
mod http_service;
mod kept;
mod middleware;

pub use self::http_service::{HttpService, redirects, stop_at_login};
pub use self::middleware::GareMiddleware;
