//! Documents as fields over a template: what a server has to say, over what real ones say beside it.

use serde::Serialize;
use serde_json::{Map, Value};

/// Reads a template of `data`.
pub(super) fn read(template: &str) -> Map<String, Value> {
    serde_json::from_str(template).expect("a template is a document")
}

/// `fields` over `template`. What is not a document leaves the template as it is.
pub(super) fn over(template: &Map<String, Value>, fields: &impl Serialize) -> Value {
    let mut document = template.clone();
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        document.extend(fields);
    }
    Value::Object(document)
}
