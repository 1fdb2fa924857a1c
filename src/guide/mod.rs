//! Guides: longer than an item's documentation, and compiled like it.
//!
//! | | |
//! | --- | --- |
//! | [What is a GARE](what_is_a_gare) | the requirements of services, and the bodies that carry them |
//! | [Layer order](layer_order) | what belongs outside the layer, and what inside |
//! | [For operators](operators) | counters, events, and what each reason to give up means |
//!
//! A tour and a page for users of the Python SDK are in
//! [`globus-login`](https://docs.rs/globus-login); how to test your own program is in
//! [`fake-globus`](https://docs.rs/fake-globus).
//!
//! This module has no items, and exists only in the documentation.

pub mod layer_order {
    #![doc = include_str!("layer_order.md")]
}

pub mod operators {
    #![doc = include_str!("operators.md")]
}

pub mod what_is_a_gare {
    #![doc = include_str!("what_is_a_gare.md")]
}
