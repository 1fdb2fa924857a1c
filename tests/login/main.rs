//! `GlobusApp` against FakeGlobus.

mod answers;
mod any_bytes;
mod endpoint;
mod ends;
mod environment;
mod flow;
mod id_tokens;
mod layer;
mod loopback;
#[path = "../peers/oracle.rs"]
mod oracle;
mod pages;
#[path = "../peers/peer.rs"]
mod peer;
mod processes;
mod program;
mod redirected;
mod refreshes;
mod replies;
mod revoked;
mod scope_text;
mod scopes;
mod services;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod urls;
mod users;
mod world;
