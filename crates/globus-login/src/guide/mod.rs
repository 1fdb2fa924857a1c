//! Guides: longer than an item's documentation, and compiled like it.
//!
//! This module has no items, and is there in the documentation alone.

pub mod for_python_users {
    #![doc = include_str!("for_python_users.md")]
}

pub mod many_machines {
    #![doc = include_str!("many_machines.md")]
}

pub mod own_store {
    #![doc = include_str!("own_store.md")]
}
