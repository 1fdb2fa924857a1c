//! The Redis store on a real server.
#![cfg(unix)]

mod clocks;
mod outages;
mod sealed;
mod stores;
