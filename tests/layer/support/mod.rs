//! What the tests of the layer share.

pub(crate) mod globus;
pub(crate) mod oauth;
