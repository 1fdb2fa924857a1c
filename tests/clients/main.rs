//! The layer in the clients and stacks that programs use, over real sockets.

mod collections;
mod early_close;
mod http_service;
mod readme;
mod redirects;
mod stacks;
mod strangers;
