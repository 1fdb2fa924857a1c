//! One JSON object, one level deep: names decoded, values left as they are written.
//!
//! Values stay text so that nothing is lost on the way into [`Extra`](super::Extra), and because `serde_json` skips
//! over text without recursion: the depth of a body is never the depth of our stack.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// What kind of JSON value a text is; its first byte tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

pub(super) fn kind(raw: &RawValue) -> Kind {
    match raw.get().as_bytes().first() {
        Some(b'n') => Kind::Null,
        Some(b't') => Kind::True,
        Some(b'f') => Kind::False,
        Some(b'"') => Kind::String,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        _ => Kind::Number,
    }
}

/// The members of an object, in order; of a name given twice the last counts, as in Python and JavaScript.
pub(super) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    pub(super) fn parse(raw: &'a RawValue) -> Option<Self> {
        if kind(raw) != Kind::Object {
            return None;
        }
        let mut object: Self = serde_json::from_str(raw.get()).ok()?;
        object.drop_shadowed();
        Some(object)
    }

    fn drop_shadowed(&mut self) {
        // Most objects are small, and comparing every two names is faster there than hashing each.
        const FEW: usize = 16;
        if self.members.len() <= FEW {
            let mut at = 0;
            while let Some((name, _)) = self.members.get(at) {
                if self
                    .members
                    .iter()
                    .skip(at + 1)
                    .any(|(later, _)| later == name)
                {
                    self.members.remove(at);
                } else {
                    at += 1;
                }
            }
            return;
        }
        let mut names = HashSet::with_capacity(self.members.len());
        // From the back, so that the last of a name is the one that is new.
        let mut last: Vec<bool> = self
            .members
            .iter()
            .rev()
            .map(|(name, _)| names.insert(&**name))
            .collect();
        if names.len() < self.members.len() {
            self.members.retain(|_| last.pop().unwrap_or(true));
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (&**name, *value))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members()
            .find_map(|(member, value)| (member == name).then_some(value))
    }

    /// The value of `name`, where `null` is as good as absent.
    pub(super) fn get_some(&self, name: &str) -> Option<&'a RawValue> {
        self.get(name).filter(|value| kind(value) != Kind::Null)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Object { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A string that is borrowed where it holds no escapes; serde's own `Cow` never is.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// Calls `each` with every element of an array and its place, keeping none of them.
pub(super) fn for_each_element<'a>(raw: &'a RawValue, each: impl FnMut(usize, &'a RawValue)) {
    struct Elements<F>(F);
    impl<'de, F: FnMut(usize, &'de RawValue)> Visitor<'de> for Elements<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            let mut index = 0;
            while let Some(element) = seq.next_element()? {
                (self.0)(index, element);
                index += 1;
            }
            Ok(())
        }
    }
    // The text was parsed as a whole before: this cannot fail, and if it did, what was read so far would stand.
    let _ = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Elements(each));
}

pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
}

pub(super) fn string(raw: &RawValue) -> Option<String> {
    text(raw).map(Cow::into_owned)
}

pub(super) fn boolean(raw: &RawValue) -> Option<bool> {
    match kind(raw) {
        Kind::True => Some(true),
        Kind::False => Some(false),
        _ => None,
    }
}

/// A JSON list of strings.
pub(super) fn list(raw: &RawValue) -> Option<Vec<String>> {
    serde_json::from_str(raw.get()).ok()
}

/// A JSON list of strings, or one string with commas. It is split as the Python SDK splits it: spaces and empty
/// entries stay, `to_query` drops them.
pub(super) fn list_or_csv(raw: &RawValue) -> Option<Vec<String>> {
    match kind(raw) {
        Kind::String => Some(text(raw)?.split(',').map(str::to_owned).collect()),
        _ => list(raw),
    }
}

/// Whether Python would take the value for false.
pub(super) fn is_falsy(raw: &RawValue) -> bool {
    let inside = |text: &str| {
        text.get(1..text.len().saturating_sub(1))
            .is_some_and(|inner| inner.trim().is_empty())
    };
    match kind(raw) {
        Kind::Null | Kind::False => true,
        Kind::True => false,
        Kind::String => raw.get() == "\"\"",
        Kind::Number => raw.get().parse::<f64>().is_ok_and(|number| number == 0.0),
        Kind::Array | Kind::Object => inside(raw.get()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let raw = raw(r#"{"a": 1, "b": 2, "a": {"x": [1]}, "\u0062": 3}"#);
        let object = Object::parse(&raw).unwrap();
        let members: Vec<_> = object
            .members()
            .map(|(name, value)| (name, value.get()))
            .collect();
        assert_eq!(members, [("a", r#"{"x": [1]}"#), ("b", "3")]);
    }

    #[test]
    fn the_last_of_a_name_counts_among_many() {
        let many: Vec<String> = (0..50).map(|n| format!(r#""{}": {n}"#, n % 20)).collect();
        let text = format!("{{{}}}", many.join(","));
        let raw = raw(&text);
        let object = Object::parse(&raw).unwrap();
        let values: Vec<u32> = object
            .members()
            .map(|(_, value)| value.get().parse().unwrap())
            .collect();
        assert_eq!(values, (30..50).collect::<Vec<_>>());
        assert_eq!(object.get("19").unwrap().get(), "39");
    }

    #[test]
    fn falsy_as_in_python() {
        for falsy in [
            "null", "false", "0", "-0", "0.0", "0e7", "\"\"", "[]", "[ ]", "{}", "{\n}",
        ] {
            assert!(is_falsy(&raw(falsy)), "{falsy}");
        }
        for truthy in ["true", "1", "-0.5", "\" \"", "[0]", "{\"a\":0}", "1e400"] {
            assert!(!is_falsy(&raw(truthy)), "{truthy}");
        }
    }

    #[test]
    fn lists_and_commas() {
        assert_eq!(
            list_or_csv(&raw(r#""a, b,,""#)).unwrap(),
            ["a", " b", "", ""]
        );
        assert_eq!(list_or_csv(&raw(r#""""#)).unwrap(), [""]);
        assert_eq!(list_or_csv(&raw(r#"["a,b"]"#)).unwrap(), ["a,b"]);
        for wrong in ["1", "true", "{}", "[1]", r#"["a", null]"#, r#"[["a"]]"#] {
            assert_eq!(list_or_csv(&raw(wrong)), None, "{wrong}");
        }
    }
}
