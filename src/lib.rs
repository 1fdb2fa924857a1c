//! Middleware that satisfies Globus Auth requirements errors and carries on.
//!
//! A Globus service refuses a request when the user's session is too old, too
//! weak, or lacks a consent. The refusal is a Globus Auth Requirements Error
//! (GARE): `authorization_parameters` in the body of a 4xx, or JSON buried in
//! the GridFTP text of a 502. This crate notices it, has a
//! [`Reauthenticator`] log the user in, and sends the
//! request again.
//!
//! ```text
//!            request                        request + credential
//!  caller ------------> layer::GareLayer ----------------------> service
//!         <------------        |   ^     <----------------------
//!            answer            |   |        answer, or a refusal
//!                gare::detect  |   |  credential
//!                              v   |
//!                        reauth::Session --------> Reauthenticator
//!                     one login at a time   challenge   (yours, or
//!                     for each identity                  GlobusApp)
//! ```
//!
//! - [`gare`] is the document: what a service asks for, found in any body.
//! - [`reauth`] is the deciding: who logs in, when, and for whom.
//! - [`layer`] is the middleware for tower.
#![cfg_attr(
    feature = "reqwest",
    doc = "- [`reqwest`] is the middleware for `reqwest-middleware`."
)]
//!
//! Two companions: [`globus-login`](https://docs.rs/globus-login) is a real login at Globus Auth, and
//! [`fake-globus`](https://docs.rs/fake-globus) is a Globus to test against.
//!
//! Start with [`layer::GareLayer`], or with a page of the [`guide`].
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

/// Makes an `async fn` of an implementation of [`Reauthenticator`] fit its trait.
pub use async_trait::async_trait;

pub use crate::layer::GareLayer;
pub use crate::reauth::{
    Challenge, Credential, Environment, GareOptions, GareOutcome, ReauthError, Reauthenticator,
    Session, SessionBuilder, Trust, reauth_fn,
};

// The examples of the README are compiled like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
