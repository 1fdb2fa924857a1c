//! Replays the saved inputs of the fuzzer, `fuzz/inputs/TARGET/*`, and every body of the corpus.

use checks::inputs;

#[checks::test]
fn detect_accepts_every_saved_input() {
    inputs::replay("detect", inputs::detect);
}

#[checks::test]
fn gridftp_accepts_every_saved_input() {
    inputs::replay("gridftp", inputs::gridftp);
}
