//! `GlobusApp` and its token stores, against FakeGlobus.

mod flow;
mod fuzz_inputs;
mod gateway;
mod layer;
mod processes;
mod revoked;
mod secrets;
mod store;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod world;
