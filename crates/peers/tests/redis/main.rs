//! Logins in a real Redis.
#![cfg(unix)]

mod clocks;
mod cluster;
mod outages;
mod sealed;
mod stores;
