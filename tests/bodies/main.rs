//! Bodies on their way through the layer and the middleware: what is sent
//! again, what is read ahead, and what the caller gets in the end.

mod random;
mod replay;
mod source;
mod together;
