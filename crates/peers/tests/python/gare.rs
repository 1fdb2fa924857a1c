//! We accept all GAREs that `globus_sdk.gare.to_gares` accepts, with the same content.
//!
//! All deliberate differences are in `peers::parity`.

use checks::corpus::rows;
use globus_gare::gare::Detection;
use peers::parity::{assert_accepted, assert_query};
use peers::{oracle, python};
use serde_json::Value;

use crate::support::generate;

const GENERATED: usize = 20_000;

#[checks::test(seconds = 600)]
fn corpus_reads_as_the_sdk_reads_it() {
    let sdk = python::script("gare_oracle.py");
    let bodies: Vec<Value> = rows().map(|row| row.body.into()).collect();
    let mut accepted = 0;
    for (body, theirs) in bodies.iter().zip(oracle::ask(sdk, &bodies)) {
        let body = body.as_str().expect("a body");
        if let Value::Array(theirs) = theirs {
            accepted += assert_accepted(
                body,
                &Detection::of(body.as_bytes()),
                &theirs,
                body.contains("GridFTP-JSON-Result") || body.contains("\"detail\""),
            );
        }
    }
    assert!(accepted >= 20, "the SDK accepts only {accepted} documents");
}

#[checks::test(seconds = 600)]
fn generated_documents_read_as_the_sdk_reads_them() {
    let sdk = python::script("gare_oracle.py");
    let bodies = generate(GENERATED, &checks::documents::body());
    let mut accepted = 0;
    let mut consents = 0;
    let mut queries = 0;
    for ((body, nested), theirs) in bodies.iter().zip(oracle::ask(sdk, &bodies_of(&bodies))) {
        let Value::Array(theirs) = theirs else {
            continue;
        };
        let detection = Detection::of(body.as_bytes());
        let count = assert_accepted(body, &detection, &theirs, *nested);
        accepted += count;
        consents += theirs
            .iter()
            .filter(|theirs| theirs["consent"] == true)
            .count();
        if let ([found], [theirs], false) = (&detection.found[..], &theirs[..], *nested)
            && count == 1
        {
            let is_compared = assert_query(body, &found.gare.authorization_parameters, theirs);
            queries += usize::from(is_compared);
        }
    }
    // Documents that the SDK rejects prove nothing.
    assert!(
        accepted >= 8000,
        "the SDK accepts only {accepted} documents"
    );
    assert!(consents >= 1000, "only {consents} consent errors");
    assert!(queries >= 3000, "only {queries} queries");
}

fn bodies_of(bodies: &[(String, bool)]) -> Vec<Value> {
    let bodies = bodies.iter().map(|(body, _)| body.as_str());
    bodies.map(Value::from).collect()
}
