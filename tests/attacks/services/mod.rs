//! A service, or who speaks in its place.

mod hosts;
mod texts;
