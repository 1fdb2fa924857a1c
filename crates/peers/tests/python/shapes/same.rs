//! Whether a document has the shape of another.

use serde_json::Value;

/// Where `ours` lacks something of `theirs`, or has another type for it. What is null on either side fits anything.
pub(super) fn differences(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
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
                // Not all of ours were made for this fixture.
                match each.min_by_key(Vec::len) {
                    Some(fewest) => found.extend(fewest),
                    None => found.push(format!("{at} is missing")),
                }
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(format!("{at} is {ours}, not as {theirs}")),
    }
}
