//! Partial updates of documents: a field that is absent from a request keeps its value.

use serde::{Deserialize, Deserializer};

/// Sets a field to the value that a request gives for it, if there is one.
pub(super) fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

/// Deserializes a field that may be null. `None` is left for a field that is absent.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
