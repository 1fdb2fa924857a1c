//! Inputs that the fuzzer found worth keeping, replayed: `fuzz/inputs/TARGET/*`. So is every body of the corpus.

use checks::inputs;

#[checks::test]
fn detect() {
    inputs::replay("detect", inputs::detect);
}

#[checks::test]
fn gridftp() {
    inputs::replay("gridftp", inputs::gridftp);
}
