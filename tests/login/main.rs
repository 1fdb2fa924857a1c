//! `GlobusApp` against FakeGlobus.

mod answers;
mod endpoint;
mod ends;
mod flow;
mod id_tokens;
mod layer;
#[path = "../peers/oracle.rs"]
mod oracle;
mod pages;
#[path = "../peers/peer.rs"]
mod peer;
mod processes;
mod redirected;
mod refreshes;
mod replies;
mod revoked;
mod scopes;
mod support;
mod tokens;
mod trouble;
mod two_requests;
mod urls;
mod world;
