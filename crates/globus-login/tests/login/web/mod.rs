//! The logins of a web service's users, on one or several replicas.

mod answers;
mod ids;
mod logins;
mod pages;
mod paths;
mod service;
mod setup;
mod states;
