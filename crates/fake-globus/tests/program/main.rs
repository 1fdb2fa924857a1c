//! The program `fake-globus`, as a shell starts it.

mod options;
mod support;
mod variables;
