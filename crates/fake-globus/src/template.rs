//! Documents made from a template, which has the other fields of the real services.

use serde::Serialize;
use serde_json::{Map, Value};

/// Parses a template of the directory `data`.
pub(super) fn read(template: &str) -> Map<String, Value> {
    serde_json::from_str(template).expect("a template is a document")
}

/// The template with `fields` replaced or added.
pub(super) fn over(template: &Map<String, Value>, fields: &impl Serialize) -> Value {
    let mut document = template.clone();
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        document.extend(fields);
    }
    Value::Object(document)
}
