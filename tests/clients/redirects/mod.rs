//! Trust over real sockets: the origin that counts is the one that answered.

mod cases;
mod places;
mod through_reqwest;
mod through_tower;
mod tricks;
mod trust;

mod origins;
