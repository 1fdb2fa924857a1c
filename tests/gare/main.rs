//! The `gare` module through its public functions: requirements are found, read, written and
//! merged.

mod beyond_the_sdk;
mod bounds;
mod coalescing;
mod corpus;
mod documents;
mod fuzz_inputs;
mod json;
mod limits;
mod parameters;
mod places;
mod quoted_names;
mod refused_logins;
mod replies;
mod shown;
mod spellings;
mod tables;
