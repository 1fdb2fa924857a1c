//! An attacker tries every row of `SECURITY.md`, through the public API alone. One file for a table, one test for a row:
//! its name says what the attacker does not get.

mod browser;
mod services;
mod support;
mod surroundings;
mod users;
