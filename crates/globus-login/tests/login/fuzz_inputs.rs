//! Inputs that the fuzzer found worth keeping, replayed: `fuzz/inputs/authorize_url/*`.

use checks::inputs;

#[checks::test]
fn saved_inputs_make_sound_authorize_urls() {
    inputs::replay("authorize_url", inputs::authorize_url);
}
