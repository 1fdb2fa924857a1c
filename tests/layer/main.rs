//! The tower layer and its session: over mock services, if a test controls the clock or each poll,
//! and over real sockets with `FakeGlobus`.

mod challenge_details;
mod challenges;
mod detect_in;
mod environment;
mod frames;
mod headers;
mod held;
mod inspected;
mod login_errors;
mod once;
mod one_login;
mod polls;
mod requirements;
mod responses;
mod rules;
mod session;
mod settings;
mod support;
