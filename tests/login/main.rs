//! `GlobusApp` against FakeGlobus.

mod flow;
#[path = "../peers/oracle.rs"]
mod oracle;
#[path = "../peers/peer.rs"]
mod peer;
mod revoked;
mod scopes;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod urls;
