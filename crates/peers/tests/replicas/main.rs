//! A web service of three replicas behind a balancer, with logins in a real Redis.
#![cfg(unix)]

mod costs;
mod failures;
mod users;
