//! Random strings that nobody can guess.

use rand::distr::{Alphanumeric, SampleString};

pub(super) fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

/// Compares secrets without telling by the time it takes how much of them agrees.
pub(super) fn same(left: &str, right: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}
