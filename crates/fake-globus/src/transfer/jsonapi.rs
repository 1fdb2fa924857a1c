//! JSON:API documents, for the second version of Transfer's API.

use serde_json::{Map, Value, json};

use crate::collection::Collection;
use crate::secret;

/// The media type of errors.
pub(super) const TYPE: &str = "application/vnd.api+json";

/// Whether a path belongs to the second version.
pub(super) fn is_for(path: &str) -> bool {
    path.starts_with("/v2/")
}

/// A document with `data`, which is a resource or a list, and with the included resources.
pub(super) fn document(data: Value, included: Option<Vec<Value>>) -> Value {
    let mut document = json!({"data": data, "meta": {"request_id": secret::random(9)}});
    if document["data"].is_array() {
        document["links"] = Value::Null;
    }
    if let (Value::Object(fields), Some(included)) = (&mut document, included) {
        fields.insert("included".to_owned(), included.into());
    }
    document
}

/// A collection as an included resource.
pub(super) fn collection(collection: &Collection) -> Value {
    json!({
        "type": "Collection",
        "id": collection.id,
        "attributes": {
            "display_name": collection.name,
            "high_assurance": collection.high_assurance,
        },
    })
}

/// An error, from the fields of an error of the first version.
pub(super) fn error(status: u16, mut fields: Map<String, Value>, request_id: &str) -> Value {
    if let Some(message) = fields.remove("message") {
        fields.insert("detail".to_owned(), message);
    }
    fields.insert("status".to_owned(), status.to_string().into());
    json!({"errors": [fields], "meta": {"request_id": request_id}})
}
