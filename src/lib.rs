//! Middleware that satisfies Globus Auth requirements errors and carries on.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod gare;
pub mod layer;
#[cfg(feature = "login")]
pub mod login;
pub mod reauth;
mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
