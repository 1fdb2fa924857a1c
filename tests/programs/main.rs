//! The examples, run as their users run them.

mod explain;
mod ls;
