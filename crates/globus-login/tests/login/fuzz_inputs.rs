//! Replays the saved inputs of the fuzzer: `fuzz/inputs/authorize_url/*`.

use checks::inputs;

#[checks::test]
fn saved_inputs_make_valid_authorize_urls() {
    inputs::replay("authorize_url", inputs::authorize_url);
}
