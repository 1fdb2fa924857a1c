//! Middleware that satisfies Globus Auth requirements errors and carries on.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod body;
pub mod gare;
pub mod layer;
#[cfg(feature = "login")]
pub mod login;
pub mod reauth;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
