//! An attacker tries every row of `SECURITY.md`, through the public API only. Each table has a
//! file, and each row a test.

mod browser;
mod services;
mod support;
mod surroundings;
mod users;
