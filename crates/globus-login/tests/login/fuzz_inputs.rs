//! Inputs that the fuzzer found worth keeping, replayed: `fuzz/inputs/authorize_url/*`.

use checks::inputs;

#[checks::test]
fn authorize_url() {
    inputs::replay("authorize_url", inputs::authorize_url);
}
