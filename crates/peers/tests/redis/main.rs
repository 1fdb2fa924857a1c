//! Logins in a real Redis.
#![cfg(unix)]

mod clocks;
mod outages;
mod sealed;
mod stores;
