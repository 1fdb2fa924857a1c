//! Bodies of requests and responses through the layer and the middleware: replayed, read ahead and
//! returned.

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
