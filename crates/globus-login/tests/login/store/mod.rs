//! Token stores by themselves.

mod file;
mod kill;
mod memory;
