//! A browser.

pub(crate) mod chromium;
pub(crate) mod files;
