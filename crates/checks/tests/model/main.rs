//! The deciding under a model checker: the library's own source, compiled over
//! a [`runtime`] in which the checker picks who goes first, who is dropped and
//! when an alarm rings.
//!
//! A failing run prints its schedule; `shuttle::replay` runs it again.
// Only the deciding is driven here; the rest of what it offers is not used.
#![allow(dead_code, unexpected_cfgs, unreachable_pub, unused_imports)]

#[path = "../../../../src/gare/mod.rs"]
mod gare;
#[path = "../../../../src/reauth/mod.rs"]
mod reauth;
mod runtime;

mod logins;
mod world;
