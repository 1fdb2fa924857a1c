//! Reads JSON. No other module calls the parser of `serde_json`.
//!
//! A [`Value`] is checked and not parsed: it may have any depth, and is cheap to skip. An
//! [`Object`] is parsed one level deep. Python accepts some JSON that `serde_json` rejects: such
//! text is mended after it failed to parse.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::lenient::mended;
use super::unescape::{Quotes, unescape};

/// A JSON value that was checked and not parsed.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Value<'a>(#[serde(borrow)] &'a RawValue);

/// The name of a member, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    String,
    Array,
    Object,
    Other,
}

/// The members of a JSON object, in order. If a name occurs twice, the last member counts, as in
/// Python and JavaScript.
pub(super) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// Calls `read` with the object that `text` is; `None` if it is not an object.
pub(super) fn object<T>(text: &str, mut read: impl FnMut(&Object<'_>) -> T) -> Option<T> {
    let is_object = text.trim_ascii_start().starts_with('{');
    let parse = |text: &str| Some(read(&serde_json::from_str(text).ok()?));
    is_object.then(|| leniently(text, parse)).flatten()
}

/// Calls `read` with the value that `text` is; `None` if it is not JSON.
pub(super) fn value<T>(text: &str, mut read: impl FnMut(Value<'_>) -> T) -> Option<T> {
    leniently(text, |text| Some(read(serde_json::from_str(text).ok()?)))
}

/// The value of `text` as a `T`; a lone surrogate is read as U+FFFD.
pub(super) fn owned<T: DeserializeOwned>(text: &str) -> Option<T> {
    leniently(text, |text| serde_json::from_str(text).ok())
}

/// Whether `name` is one of `names`, which are separated by spaces.
pub(super) fn is_among(name: &str, names: &str) -> bool {
    let mut names = names.as_bytes().split(|byte| *byte == b' ');
    names.any(|one| one == name.as_bytes())
}

/// Parses `text` as it is, then mended.
fn leniently<T>(text: &str, mut parse: impl FnMut(&str) -> Option<T>) -> Option<T> {
    parse(text).or_else(|| parse(&mended(text)?))
}

/// The object at the start of `text`, and the offset of its end.
pub(super) fn object_at_start(text: &str) -> Option<(Object<'_>, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let object = values.next()?.ok()?;
    Some((object, values.byte_offset()))
}

/// Reads an object from any deserializer of `serde_json`. Fails if `read` returns `None`.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnMut(&Object<'_>) -> Option<T>,
) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let read = object(raw.get(), read).flatten();
    read.ok_or_else(|| {
        D::Error::custom("not an object, or a known field is missing or has the wrong type")
    })
}

impl<'a> Value<'a> {
    pub(super) fn kind(self) -> Kind {
        match self.raw().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        }
    }

    /// The JSON text of the value.
    pub(super) fn raw(self) -> &'a str {
        self.0.get()
    }

    /// A copy that `serde_json` can write and read again.
    pub(super) fn to_owned(self) -> Box<RawValue> {
        let may_be_odd = memchr::memmem::find(self.raw().as_bytes(), br"\u").is_some();
        let mended = may_be_odd.then(|| mended(self.raw())).flatten();
        let mended = mended.and_then(|text| RawValue::from_string(text).ok());
        mended.unwrap_or_else(|| self.0.to_owned())
    }

    pub(super) fn object<T>(self, read: impl FnMut(&Object<'_>) -> T) -> Option<T> {
        object(self.raw(), read)
    }

    /// The elements of an array.
    pub(super) fn elements(self) -> Option<Vec<Value<'a>>> {
        serde_json::from_str(self.raw()).ok()
    }

    /// The text of a string, with U+FFFD for a lone surrogate. Borrowed if the string has no
    /// escapes.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let inside = self.raw().strip_prefix('"')?.strip_suffix('"')?;
        Some(match memchr::memchr(b'\\', inside.as_bytes()) {
            None => Cow::Borrowed(inside),
            Some(_) => Cow::Owned(unescape(inside, Quotes::End)),
        })
    }

    pub(super) fn string(self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    pub(super) fn boolean(self) -> Option<bool> {
        owned(self.raw())
    }

    /// A JSON list of strings; with `commas`, also a comma-separated string. It is split as in the
    /// Python SDK: spaces and empty entries stay until `to_query` drops them.
    pub(super) fn list(self, commas: bool) -> Option<Vec<String>> {
        if commas && let Some(text) = self.text() {
            return Some(text.split(',').map(str::to_owned).collect());
        }
        self.elements()?.into_iter().map(Value::string).collect()
    }

    /// Whether the value is falsy in Python.
    pub(super) fn is_falsy(self) -> bool {
        let is_zero = self.raw().parse::<f64>() == Ok(0.0);
        let inside = self.raw().get(1..self.raw().len() - 1).unwrap_or_default();
        match self.kind() {
            Kind::Array | Kind::Object => inside.trim().is_empty(),
            _ => is_zero || matches!(self.raw(), "null" | "false" | "\"\""),
        }
    }
}

impl<'a> Object<'a> {
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.members.iter().map(|(name, value)| (&**name, *value))
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        let mut members = self.members.iter();
        let member = members.find(|(member, _)| member == name);
        member.map(|(_, value)| *value)
    }

    /// Drops the members whose name occurs again later.
    fn drop_shadowed(&mut self) {
        // Most objects have few members, and comparing these costs less than a set.
        let mut rest = &self.members[..];
        while let [(name, _), later @ ..] = rest
            && rest.len() <= 8
            && later.iter().all(|(later, _)| later != name)
        {
            rest = later;
        }
        if rest.is_empty() {
            return;
        }
        let mut later = HashSet::with_capacity(self.members.len());
        let names = self.members.iter().rev().map(|(name, _)| &**name);
        let mut counts: Vec<bool> = names.map(|name| later.insert(name)).collect();
        if counts.contains(&false) {
            self.members.retain(|_| counts.pop().unwrap_or_default());
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                // Most objects are small, and need no second allocation.
                let mut members = Vec::with_capacity(8);
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                let mut object = Object { members };
                object.drop_shadowed();
                Ok(object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn value_is_falsy_as_in_python() {
        for falsy in [
            "null", "false", "0", "-0", "0.0", "0e7", "\"\"", "[]", "[ ]", "{}", "{\n}", "NaN",
        ] {
            assert_eq!(
                value(falsy, |value| value.is_falsy()),
                Some(true),
                "{falsy}"
            );
        }
        for truthy in [
            "true",
            "1",
            "-0.5",
            "\" \"",
            "[0]",
            "{\"a\":0}",
            "1e400",
            "\"\\u0000\"",
        ] {
            assert_eq!(
                value(truthy, |value| value.is_falsy()),
                Some(false),
                "{truthy}"
            );
        }
    }

    #[checks::test]
    fn plain_strings_are_not_copied() {
        for (text, is_copied) in [
            (r#""plain""#, false),
            (r#""""#, false),
            (r#""é""#, false),
            (r#""\u0061""#, true),
            (r#""\n""#, true),
        ] {
            let copied = value(text, |value| matches!(value.text(), Some(Cow::Owned(_))));
            assert_eq!(copied, Some(is_copied), "{text}");
        }
    }

    #[checks::test]
    fn list_may_be_a_text_with_commas() {
        for (text, items) in [
            (r#""a, b,,""#, &["a", " b", "", ""][..]),
            (r#""""#, &[""]),
            (r#"["a,b"]"#, &["a,b"]),
            (r#"["\u0061\n", "\ud800"]"#, &["a\n", "\u{fffd}"]),
            ("[]", &[]),
        ] {
            let list = value(text, |value| value.list(true)).flatten();
            assert_eq!(
                list.as_deref(),
                Some(
                    &items
                        .iter()
                        .map(|item| (*item).to_owned())
                        .collect::<Vec<_>>()[..]
                ),
                "{text}"
            );
        }
        for wrong in ["1", "true", "{}", "[1]", r#"["a", null]"#, r#"[["a"]]"#] {
            assert_eq!(
                value(wrong, |value| value.list(true)),
                Some(None),
                "{wrong}"
            );
        }
    }

    #[checks::test]
    fn last_member_of_a_name_counts() {
        let members_of = |text: &str| {
            let members = object(text, |object| {
                let members = object.members();
                members
                    .map(|(name, value)| format!("{name}={}", value.raw()))
                    .collect::<Vec<_>>()
            });
            members.unwrap_or_default()
        };
        let text = r#"{"a": 1, "b": 2, "a": {"x": [1]}, "\u0062": 3, "": 4}"#;
        assert_eq!(members_of(text), [r#"a={"x": [1]}"#, "b=3", "=4"]);
        for (all, distinct) in [(9, 8), (9, 9), (8, 7), (5000, 2000)] {
            let many: Vec<_> = (0..all)
                .map(|n| format!(r#""{}": {n}"#, n % distinct))
                .collect();
            let last = (all - distinct..all).map(|n| format!("{}={n}", n % distinct));
            let members = members_of(&format!("{{{}}}", many.join(",")));
            assert_eq!(members, last.collect::<Vec<_>>());
        }
    }

    #[checks::test]
    fn other_texts_are_no_object() {
        for text in [
            "",
            "{",
            "[]",
            "1",
            "{} 2",
            "{\"a\"}",
            "{\"a\": tru}",
            "{\"a\": \"\u{1}\"}",
        ] {
            assert_eq!(object(text, |_| ()), None, "{text}");
        }
        assert_eq!(
            object(" {\"a\": NaN}", |object| object.get("a").is_some()),
            Some(true)
        );
    }
}
