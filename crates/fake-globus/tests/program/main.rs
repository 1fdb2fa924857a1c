//! The program `fake-globus`, as a shell starts it.

mod configuration;
mod ends;
mod options;
mod support;
mod variables;
