//! Generated cases.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Generates `count` cases, the same in every run.
pub(crate) fn generate<S: Strategy>(count: usize, strategy: &S) -> Vec<S::Value> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let case = |_| strategy.new_tree(&mut runner).expect("a case").current();
    (0..count).map(case).collect()
}
