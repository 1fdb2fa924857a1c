//! Bodies on their way through the layer and the middleware: what is sent
//! again, what is read ahead, and what the caller gets in the end.

mod clients;
mod copies;
mod during_login;
mod encodings;
mod foreign;
mod matrix;
mod random;
mod replay;
mod reuse;
mod service;
mod source;
mod together;
mod wire;
