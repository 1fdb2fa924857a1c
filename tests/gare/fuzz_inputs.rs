//! Inputs that the fuzzer found worth keeping, replayed: `fuzz/inputs/TARGET/*`. So is every body of the corpus.

use checks::inputs;

#[test]
fn detect() {
    inputs::replay("detect", inputs::detect);
}

#[test]
fn gridftp() {
    inputs::replay("gridftp", inputs::gridftp);
}
