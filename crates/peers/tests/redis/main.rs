//! Logins in a real Redis.
#![cfg(unix)]

mod outages;
mod sealed;
mod stores;
