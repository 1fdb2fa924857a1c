//! Shared support of the layer's tests.

pub(crate) mod globus;
pub(crate) mod oauth;
