//! Middleware that satisfies Globus Auth Requirements Errors (GAREs) and replays the request.
//!
//! A Globus service rejects a request if the user's session is too old or too weak, or if the user
//! has not given a consent. Its response, a challenge, carries a GARE: `authorization_parameters`
//! in the body of a 4xx, or JSON inside the GridFTP text of a 502. This crate detects the GARE, has
//! a [`Reauthenticator`] log the user in, and replays the request.
//!
//! ```text
//!            request                        request + credential
//!  caller ------------> layer::GareLayer ----------------------> service
//!         <------------        |   ^     <----------------------
//!           response           |   |        response, or a challenge
//!                gare::detect  |   |  credential
//!                              v   |
//!                        reauth::Session --------> Reauthenticator
//!                     one login at a time   challenge   (yours, or
//!                     for each principal                 GlobusApp)
//! ```
//!
//! - [`gare`] parses GAREs, and finds them in response bodies.
//! - [`reauth`] has sessions and credentials: one login for many requests.
//! - [`layer`] is the middleware for tower.
#![cfg_attr(
    feature = "reqwest",
    doc = "- [`reqwest`] is the middleware for `reqwest-middleware`, and a tower service over `reqwest::Client`."
)]
//!
//! Two companion crates: [`globus-login`](https://docs.rs/globus-login) logs users in at Globus
//! Auth, and [`fake-globus`](https://docs.rs/fake-globus) is a local Globus for tests.
//!
//! Start with [`layer::GareLayer`], or with a page of the [`guide`].
//!
//! # Features
//!
//! | feature | |
//! | --- | --- |
//! | `tracing` (default) | an event for every step |
//! | `follow-redirect` | the layer knows the URL of a response after tower-http's `FollowRedirect` |
//! | `reqwest` | the middleware and the service above, and `reqwest::Body` as a body that can be sent again |
//!
//! Without features the crate depends on no HTTP client, server or command line parser.
//!
//! # Platforms
//!
//! The crate has no code of its own for one platform. On `wasm32-unknown-unknown` it compiles
//! without the feature `reqwest`, and [`gare`] works; a session does not: it needs tokio's timer,
//! and that target has no clock.
//!
//! # Examples
//!
//! | `cargo run --example` | |
//! | --- | --- |
//! | `ls` | lists a directory, and logs in when the collection requires it |
//! | `explain < body.json` | reads a response body, and prints the requirements in it as JSON |
//! | `tower_stack`, `reqwest_stack` | where the layer, or the middleware, belongs among others |
//! | `hyper_client`, `reqwest_service` | the layer around the client of hyper-util, and around reqwest |
//! | `generic_client` | a library's client, generic over the service that it sends with |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod body;
pub mod gare;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod layer;
pub mod reauth;
#[cfg(feature = "reqwest")]
#[cfg_attr(docsrs, doc(cfg(feature = "reqwest")))]
pub mod reqwest;
mod runtime;

/// The attribute that each implementation of [`Reauthenticator`] needs for its `async fn`s.
pub use async_trait::async_trait;

pub use crate::layer::GareLayer;
pub use crate::reauth::{
    Challenge, Credential, Environment, GareOptions, GareOutcome, ReauthError, Reauthenticator,
    Session, SessionBuilder, Trust, reauth_fn,
};

// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
