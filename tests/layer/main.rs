//! The tower layer over mock services: each poll, the exact replayed request,
//! and the response that the caller gets.

mod flights;
mod headers;
mod once;
mod polls;
mod requirements;
mod responses;
mod service;
mod settings;
mod told;
