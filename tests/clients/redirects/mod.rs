//! Trust over real sockets: the origin of the response counts.

mod cases;
mod places;
mod through_reqwest;
mod through_tower;
mod tricks;
mod trust;

mod origins;
