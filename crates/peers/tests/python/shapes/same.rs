//! Compares the shapes of two JSON documents.

use serde_json::Value;

/// Members whose content a program chooses: inputs and results of flows, timers and tasks.
const GIVEN: [&str; 8] = [
    "body",
    "callback_body",
    "functions",
    "input",
    "output",
    "properties",
    "results",
    "States",
];

/// Collects the members of `theirs` that `ours` lacks or has with another type. Null equals any
/// type.
pub(super) fn differences(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                let is_id = name.len() == 36 && name.matches('-').count() == 4;
                if is_id || GIVEN.contains(&name.as_str()) {
                    continue;
                }
                let at = format!("{at}/{name}");
                match ours.get(name) {
                    Some(own) => differences(value, own, &at, found),
                    None => found.push(format!("{at} is missing")),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let Some(first) = theirs.first() {
                let at = format!("{at}/0");
                let each = ours.iter().map(|own| {
                    let mut found = Vec::new();
                    differences(first, own, &at, &mut found);
                    found
                });
                // Other tests made some of our elements: the best match counts.
                match each.min_by_key(Vec::len) {
                    Some(fewest) => found.extend(fewest),
                    // A list of documents must not be empty; a list of words may be.
                    None if first.is_object() => found.push(format!("{at} is missing")),
                    None => {}
                }
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(format!("{at} is {ours}, not as {theirs}")),
    }
}
