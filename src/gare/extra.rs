use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{self, Object};

/// The fields of a document that this crate does not know, kept so that a document survives a round
/// trip.
///
/// Each value is kept as the JSON text that the service sent, so deep values and big numbers stay
/// exact. Two `Extra` are equal if their JSON values are equal, in any spelling. `Debug` shows the
/// names only.
///
/// Serialization works with `serde_json` only: other formats cannot hold JSON text.
///
/// ```
/// let body = br#"{"code": "X", "authorization_parameters": {}, "request_id": "abc", "attempt": 2}"#;
/// let extra = &globus_gare::gare::detect(body)[0].gare.extra;
/// assert_eq!(extra.iter().collect::<Vec<_>>(), [("attempt", "2"), ("request_id", "\"abc\"")]);
/// assert_eq!(extra.get::<String>("request_id").as_deref(), Some("abc"));
/// assert_eq!(extra.get::<String>("attempt"), None, "it is a number");
/// ```
#[derive(Clone, Default)]
pub struct Extra {
    fields: BTreeMap<String, Box<RawValue>>,
}

impl Extra {
    /// Whether there are no unknown fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The names of the fields, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The names of the fields and the JSON text of their values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), value.get()))
    }

    /// The value of the field `name` as a `T`. `None` if there is no such field, or its value is
    /// not a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        json::owned(self.fields.get(name)?.get())
    }

    /// The fields of `object` that are not known.
    pub(super) fn of(object: &Object<'_>, is_known: impl Fn(&str) -> bool) -> Self {
        let unknown = object.members().filter(|(name, _)| !is_known(name));
        Self {
            fields: unknown
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.fields.remove(name);
    }

    /// The length of the names and of the JSON text of the values, in bytes.
    pub(super) fn size(&self) -> usize {
        let sizes = self.iter().map(|(name, value)| name.len() + value.len());
        sizes.sum()
    }

    /// Writes the fields that are not known. An `Extra` made by hand may have other fields too.
    pub(super) fn serialize_unknown<S: Serializer>(
        &self,
        serializer: S,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().filter(|(name, _)| !is_known(name)))
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        // Text that a `Value` cannot hold (too deep, numbers out of range) is compared as text.
        fn read((name, text): (&str, &str)) -> (String, Result<Value, String>) {
            (name.to_owned(), json::owned(text).ok_or(text.to_owned()))
        }
        self.iter().map(read).eq(other.iter().map(read))
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_unknown(serializer, |_| false)
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::deserialize(deserializer, |object| Some(Self::of(object, |_| false)))
    }
}
