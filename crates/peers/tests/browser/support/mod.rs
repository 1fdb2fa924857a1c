//! A browser, and a server of files.

pub(crate) mod chromium;
pub(crate) mod files;
