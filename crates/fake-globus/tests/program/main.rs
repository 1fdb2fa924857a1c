//! Tests of the program `fake-globus`.

mod configuration;
mod ends;
mod options;
mod support;
mod variables;
