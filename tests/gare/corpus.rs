//! Detection in every body of the corpus.
//!
//! `tests/corpus/errors.jsonl` and `errors_2.jsonl` have one body a line. `expect` is the result of
//! the Python SDK, or of a person who read the body if the SDK finds nothing or is wrong.

use checks::corpus::{self, rows};
use globus_gare::gare::{self, Found};
use serde_json::Value;

fn parameters(found: &[Found]) -> Vec<Value> {
    found
        .iter()
        .map(|found| {
            let mut params =
                serde_json::to_value(&found.gare.authorization_parameters).expect("JSON");
            for name in found.gare.authorization_parameters.extra.names() {
                params.as_object_mut().expect("an object").remove(name);
            }
            params
        })
        .collect()
}

#[checks::test]
fn corpus_yields_exactly_the_expected_requirements() {
    let mut failures = Vec::new();
    for row in rows() {
        let found = gare::detect(row.body.as_bytes());
        let params = parameters(&found);
        let right = match &row.expect {
            Value::String(some) => some == "some" && !params.is_empty(),
            expect => *expect == Value::Array(params.clone()),
        };
        if !right {
            failures.push(format!(
                "{}: expected {}, found {}",
                row.id,
                row.expect,
                Value::Array(params)
            ));
        }
        let codes: Vec<&str> = found.iter().map(|found| found.gare.code.as_str()).collect();
        if row
            .codes
            .as_ref()
            .is_some_and(|expected| *expected != codes)
        {
            failures.push(format!(
                "{}: expected codes {:?}, found {codes:?}",
                row.id, row.codes
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// `fake-globus` is published without this package: it has a copy of the first file.
#[checks::test]
fn challenges_of_fake_globus_are_those_of_the_corpus() {
    let theirs = include_str!("../../crates/fake-globus/data/challenges.jsonl");
    assert!(
        theirs == include_str!("../corpus/errors.jsonl"),
        "copy tests/corpus/errors.jsonl to crates/fake-globus/data/challenges.jsonl"
    );
}

#[checks::test]
fn detection_names_the_location() {
    let locations = |id: &str| -> Vec<String> {
        gare::detect(corpus::body(id).as_bytes())
            .iter()
            .map(|found| found.location.to_string())
            .collect()
    };
    for (id, expected) in [
        (
            "transfer-ls-530-r110-embedded-only",
            &["message (GridFTP reply)"][..],
        ),
        ("transfer-ls-530-r110-both", &["root"]),
        ("auth-errors-array-of-gares", &["errors[0]", "errors[1]"]),
        ("auth-dependent-consent-required", &["root"]),
        ("gcs-401-missing-required-scopes", &["root"]),
        ("flows-run-200-details-gare-real", &["details"]),
        ("timers-200-inactive-gare", &["inactive_reason.detail"]),
    ] {
        assert_eq!(locations(id), expected, "{id}");
    }
}

#[checks::test]
fn documents_survive_a_round_trip() {
    for row in rows() {
        for Found { gare, .. } in gare::detect(row.body.as_bytes()) {
            let text = serde_json::to_string(&gare).expect("JSON");
            let again: gare::Gare =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", row.id));
            assert_eq!(again, gare, "{}", row.id);
        }
    }
}

/// A body with one requirement gives this requirement or none, wherever it is cut off.
#[checks::test]
fn cut_body_gives_the_same_requirement_or_none() {
    let mut salvaged = 0;
    for row in rows().filter(|row| row.body.contains("GridFTP-JSON-Result")) {
        let whole = parameters(&gare::detect(row.body.as_bytes()));
        for end in 0..row.body.len() {
            let part = parameters(&gare::detect(&row.body.as_bytes()[..end]));
            for params in part {
                salvaged += 1;
                let whole = whole
                    .first()
                    .unwrap_or_else(|| panic!("{}: {params} out of nothing at {end}", row.id));
                for (name, value) in params.as_object().expect("an object") {
                    assert_eq!(Some(value), whole.get(name), "{} cut at {end}", row.id);
                }
            }
        }
    }
    assert!(
        salvaged > 1000,
        "only {salvaged} cut bodies yielded anything"
    );
}
