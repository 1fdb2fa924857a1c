//! `GlobusApp` and its token stores, against FakeGlobus.

mod answers;
mod any_bytes;
mod ends;
mod environment;
mod flow;
mod fuzz_inputs;
mod gateway;
mod id_tokens;
mod layer;
mod loopback;
mod pages;
mod processes;
mod prompts;
mod redirected;
mod refreshes;
mod replies;
mod revoked;
mod scope_text;
mod secrets;
mod services;
mod store;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod users;
