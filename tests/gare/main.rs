//! The `gare` module through its public functions: where requirements are found, how they are spelled, read,
//! written and merged.

mod coalescing;
mod documents;
mod json;
mod parameters;
mod places;
mod replies;
mod shown;
mod spellings;
