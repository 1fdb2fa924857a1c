//! Guides: longer than an item's documentation, and compiled like it.
//!
//! This module has no items, and is there in the documentation alone.

pub mod testing {
    #![doc = include_str!("testing.md")]
}
