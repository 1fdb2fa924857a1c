//! `GlobusApp` against FakeGlobus.

mod flow;
mod oracle;
#[path = "../peers/peer.rs"]
mod peer;
mod scopes;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod urls;
