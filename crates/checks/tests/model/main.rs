//! The session under a model checker: the source of the library, compiled with a [`runtime`] in
//! which the checker picks the next task, the requests that are dropped, and the timeouts that
//! expire.
//!
//! A failing run prints its schedule; `shuttle::replay` runs it again.
// Only sessions are tested here: much of the compiled source is unused.
#![allow(dead_code, unexpected_cfgs, unreachable_pub, unused_imports)]

#[path = "../../../../src/gare/mod.rs"]
mod gare;
#[path = "../../../../src/reauth/mod.rs"]
mod reauth;
mod runtime;

mod logins;
mod world;
