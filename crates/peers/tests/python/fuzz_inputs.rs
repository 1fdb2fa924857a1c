//! Compares saved inputs of the fuzzer with the Python SDK: `fuzz/inputs/sdk_parity/*`.

use checks::inputs;
use globus_gare::gare::Detection;
use peers::{oracle, parity, python};
use serde_json::Value;

#[checks::test(seconds = 600)]
fn saved_inputs_read_as_the_sdk_reads_them() {
    let sdk = python::script("gare_oracle.py");
    let inputs = inputs::saved("sdk_parity").into_iter();
    let bodies: Vec<String> = inputs
        .filter_map(|(_, input)| String::from_utf8(input).ok())
        .collect();
    let questions: Vec<Value> = bodies.iter().map(|body| body.as_str().into()).collect();
    let mut accepted = 0;
    for (body, theirs) in bodies.iter().zip(oracle::ask(sdk, &questions)) {
        println!("{body}");
        if let Value::Array(theirs) = theirs {
            let detection = Detection::of(body.as_bytes());
            accepted += parity::assert_accepted(body, &detection, &theirs, true);
        }
    }
    assert!(accepted >= 50, "the SDK accepts only {accepted} documents");
}
