//! The Redis store on a real server.
#![cfg(unix)]

mod clocks;
mod cluster;
mod outages;
mod sealed;
mod stores;
