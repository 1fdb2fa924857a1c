//! The reqwest middleware: what it keeps of a request and a response, whom it
//! believes, and how it goes with other middleware.

mod headers;
mod kept;
mod places;
mod retry;
mod service;
mod streams;
mod trusted;
