//! The layer among other layers: the right order, the symptoms of a wrong one, and the bounds of
//! the types.

mod base_uris;
mod boxed;
mod orders;
mod pages;
mod redirects;
mod service;
mod types;
mod waiting;
