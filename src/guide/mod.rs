//! Guides: longer than an item's documentation, and compiled like it.
//!
//! | | |
//! | --- | --- |
//! | [What is a GARE](what_is_a_gare) | what services ask for, and the bodies in which they do |
//! | [Layer order](layer_order) | what belongs outside the layer, and what inside |
//! | [For operators](operators) | counters, events, and what each reason to give up means |
//!
//! A tour and a page for users of the Python SDK are in
//! [`globus-login`](https://docs.rs/globus-login); how to test your own program is in
//! [`fake-globus`](https://docs.rs/fake-globus).
//!
//! This module has no items, and is there in the documentation alone.

pub mod layer_order {
    #![doc = include_str!("layer_order.md")]
}

pub mod operators {
    #![doc = include_str!("operators.md")]
}

pub mod what_is_a_gare {
    #![doc = include_str!("what_is_a_gare.md")]
}
