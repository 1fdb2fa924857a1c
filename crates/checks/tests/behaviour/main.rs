//! Property tests of bodies, documents and schedules, and stacks that need heavy crates.

mod bodies;
mod gare;
mod replayed_headers;
mod reqwest;
mod scopes;
mod session;
mod support;
