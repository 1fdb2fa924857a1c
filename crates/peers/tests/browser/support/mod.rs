//! A browser.

pub(crate) mod chromium;
