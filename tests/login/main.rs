//! `GlobusApp` against FakeGlobus.

mod flow;
mod layer;
#[path = "../peers/oracle.rs"]
mod oracle;
#[path = "../peers/peer.rs"]
mod peer;
mod processes;
mod revoked;
mod scopes;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod urls;
mod world;
