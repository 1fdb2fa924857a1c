//! The attacker is a service, or responds instead of one.

mod hosts;
mod texts;
