//! Drawn schedules of requests, held against a reference of a few lines.

mod reference;
mod schedules;
