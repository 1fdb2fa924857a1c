//! `GlobusApp` against FakeGlobus.

mod flow;
#[path = "../peers/peer.rs"]
mod peer;
mod scopes;
mod support;
mod urls;
