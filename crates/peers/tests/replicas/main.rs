//! A web service as three replicas behind a balancer, with their logins in a real Redis.
#![cfg(unix)]

mod costs;
mod failures;
mod users;
