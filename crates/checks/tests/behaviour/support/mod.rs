//! What the tests of bodies and of the reqwest middleware share.

pub(crate) mod server;
