//! The reqwest middleware: requests and responses, trust, and other middleware.

mod headers;
mod kept;
mod places;
mod retry;
mod service;
mod streams;
mod trusted;
