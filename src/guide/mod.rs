//! Guides: longer than an item's documentation, and compiled like it.
//!
//! The tour is on the [page of the crate](crate).
//!
//! | | |
//! | --- | --- |
//! | [What is a GARE](what_is_a_gare) | what services ask for, and the bodies in which they do |
//! | [Layer order](layer_order) | what belongs outside the layer, and what inside |
#![cfg_attr(
    feature = "testing",
    doc = "| [Testing your own program with FakeGlobus](testing_with_fake_globus) | a Globus on loopback, whose clock you move |"
)]
#![cfg_attr(
    all(feature = "login", feature = "testing"),
    doc = "| [For users of the Python SDK](for_python_users) | what you know, and what it is called here |"
)]
//!
//! This module has no items, and is there in the documentation alone.

pub mod layer_order {
    #![doc = include_str!("layer_order.md")]
}

pub mod what_is_a_gare {
    #![doc = include_str!("what_is_a_gare.md")]
}

#[cfg(feature = "testing")]
pub mod testing_with_fake_globus {
    #![doc = include_str!("testing_with_fake_globus.md")]
}

#[cfg(all(feature = "login", feature = "testing"))]
pub mod for_python_users {
    #![doc = include_str!("for_python_users.md")]
}
