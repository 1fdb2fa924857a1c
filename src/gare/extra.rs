//! Fields that this crate does not know.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error},
    ser::SerializeMap,
};
use serde_json::{Value, value::RawValue};

use super::{object::Object, repair::with_json, unescape::unescape};

/// The fields of a document that this crate does not know, kept so that a document survives a round trip.
///
/// Values are kept as the JSON text that they came as: neither depth nor big numbers lose anything. Two are equal
/// when they hold the same JSON values, however these are spelled. `Debug` shows the names alone.
///
/// Serialization goes through `serde_json`; other formats have no place for JSON text.
///
/// ```
/// let body = br#"{"code": "X", "authorization_parameters": {}, "request_id": "abc", "attempt": 2}"#;
/// let extra = &globus_gare::gare::detect(body)[0].gare.extra;
/// assert_eq!(extra.names().collect::<Vec<_>>(), ["attempt", "request_id"]);
/// assert_eq!(extra.get::<String>("request_id").as_deref(), Some("abc"));
/// assert_eq!(extra.get::<String>("attempt"), None, "it is a number");
/// ```
#[derive(Clone, Default)]
pub struct Extra {
    /// None where there are no unknown fields. Boxed, since mostly there are none, and shared, since nobody changes them.
    document: Option<Arc<Document>>,
}

/// The document that the fields are of. Most programs never look inside.
struct Document {
    text: Box<str>,
    /// Whether the text is the inside of a JSON string.
    is_quoted: bool,
    /// Tells the names of the fields that are kept elsewhere.
    is_known: fn(&str) -> bool,
    /// The others, once somebody has looked.
    unknown: OnceLock<Fields>,
}

type Fields = BTreeMap<String, Box<RawValue>>;

static NO_FIELDS: Fields = BTreeMap::new();

impl Extra {
    /// Whether there are no unknown fields.
    pub fn is_empty(&self) -> bool {
        self.document.is_none()
    }

    /// How many unknown fields there are.
    pub fn len(&self) -> usize {
        self.fields().len()
    }

    /// The names of the fields, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().keys().map(String::as_str)
    }

    /// The value of the field `name`, read as a `T`; `None` where there is no such field or it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.fields().get(name)?.get()).ok()
    }

    /// How long the JSON text of the fields is, about.
    pub(super) fn size(&self) -> usize {
        let fields = self.fields().iter();
        fields
            .map(|(name, value)| name.len() + value.get().len())
            .sum()
    }

    /// The fields of `object` that are not known.
    pub(super) fn of(object: &Object<'_>, is_known: fn(&str) -> bool) -> Self {
        let mut names = object.spelled().filter_map(|(name, _)| name.text());
        if names.all(|name| is_known(&name)) {
            return Self::default();
        }
        Self::within(object, is_known)
    }

    /// [`of`](Self::of) where it is known that there are some.
    pub(super) fn within(object: &Object<'_>, is_known: fn(&str) -> bool) -> Self {
        let document = Document {
            text: object.value().raw().into(),
            is_quoted: object.value().is_quoted(),
            is_known,
            unknown: OnceLock::new(),
        };
        Self {
            document: Some(Arc::new(document)),
        }
    }

    /// Drops the field `name`, which `is_known` knows as it does all that were left out before.
    pub(super) fn leave_out(&mut self, name: &str, is_known: fn(&str) -> bool) {
        if !self.fields().contains_key(name) {
            return;
        }
        let others = self.len() > 1;
        let document = self.document.take().filter(|_| others);
        self.document = document.map(|document| {
            Arc::new(Document {
                text: document.text.clone(),
                is_quoted: document.is_quoted,
                is_known,
                unknown: OnceLock::new(),
            })
        });
    }

    fn fields(&self) -> &Fields {
        let Some(document) = &self.document else {
            return &NO_FIELDS;
        };
        document.unknown.get_or_init(|| {
            let text = if document.is_quoted {
                Cow::Owned(unescape(&document.text))
            } else {
                Cow::Borrowed(&*document.text)
            };
            // It was read before: it is an object of JSON values. Of a name given twice the last counts here too.
            let mut fields: Fields = serde_json::from_str(&text).unwrap_or_default();
            fields.retain(|name, _| !(document.is_known)(name));
            fields
        })
    }

    /// Writes the fields that `taken` does not name, after what `map` already holds.
    pub(super) fn serialize_into<M: SerializeMap>(
        &self,
        map: &mut M,
        taken: impl Fn(&str) -> bool,
    ) -> Result<(), M::Error> {
        self.fields()
            .iter()
            .filter(|(name, _)| !taken(name))
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.fields(), other.fields());
        one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .all(|((name, value), (other_name, other_value))| {
                    name == other_name && same_value(value.get(), other_value.get())
                })
    }
}

fn same_value(one: &str, other: &str) -> bool {
    // Texts that a `Value` cannot hold (too deep, numbers out of range) are equal only when they are spelled alike.
    one == other
        || match (
            serde_json::from_str::<Value>(one),
            serde_json::from_str::<Value>(other),
        ) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields().keys()).finish()
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        with_json(raw.get(), |value| {
            Some(Self::of(&Object::of(value)?, |_| false))
        })
        .flatten()
        .ok_or_else(|| D::Error::custom("not an object"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn extra(text: &str) -> Extra {
        serde_json::from_str(text).unwrap()
    }

    #[checks::test]
    fn equal_as_values_not_as_text() {
        assert_eq!(
            extra(r#"{"a": [1, "\u0061"], "b": {"x": 1, "y": 2}}"#),
            extra(r#"{"b":{"y":2,"x":1},"a":[1,"a"]}"#)
        );
        assert_ne!(extra(r#"{"a": 1}"#), extra(r#"{"a": 2}"#));
        assert_ne!(extra(r#"{"a": 1}"#), extra(r#"{"b": 1}"#));
        assert_ne!(extra(r#"{"a": 1}"#), extra("{}"));
        assert_eq!(extra(r#"{"a": 1e999}"#), extra(r#"{"a": 1e999}"#));
    }

    #[checks::test]
    fn nothing_is_lost() {
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let text =
            format!(r#"{{"big":123456789012345678901234567890.10,"deep":{deep},"huge":1e999}}"#);
        assert_eq!(serde_json::to_string(&extra(&text)).unwrap(), text);
    }

    #[checks::test]
    fn debug_shows_names_alone() {
        assert_eq!(format!("{:?}", extra(r#"{"a": "value"}"#)), r#"{"a"}"#);
    }
}
