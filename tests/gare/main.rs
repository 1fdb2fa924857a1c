//! Finding GAREs in response bodies.

mod corpus;
mod fuzz_inputs;
mod limits;
