//! The tower layer over mock services: each poll, the exact replayed request,
//! and the response that the caller gets.

mod challenges;
mod flights;
mod frames;
mod headers;
mod inspected;
mod once;
mod polls;
mod replayed_headers;
mod requirements;
mod responses;
mod service;
mod settings;
mod told;
