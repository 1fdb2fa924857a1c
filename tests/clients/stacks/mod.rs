//! The layer among other layers: what the right order is, what the wrong one
//! looks like, and what the types promise.

mod base_uris;
mod boxed;
mod orders;
mod pages;
mod promises;
mod redirects;
mod service;
mod waiting;
