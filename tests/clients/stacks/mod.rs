//! The layer among other layers: what the right order is, what the wrong one
//! looks like, and what the types promise.

mod boxed;
mod orders;
mod pages;
mod redirects;
mod service;
mod types;
mod waiting;
