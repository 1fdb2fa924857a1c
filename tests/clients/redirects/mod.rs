//! Trust over real sockets: the origin that counts is the one that answered.

mod cases;
mod through_reqwest;
mod through_tower;
mod tricks;

mod origins;
