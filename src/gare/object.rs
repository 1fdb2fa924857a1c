//! One JSON object: its members, of which the last of a name counts.

use std::{borrow::Cow, collections::HashMap};

use super::value::{Kind, Value};

/// The members of an object, in order; of a name given twice the last counts, as in Python and JavaScript.
pub(super) struct Object<'t> {
    value: Value<'t>,
    /// The places of the names that come again later; mostly none.
    shadowed: Vec<u32>,
}

/// The name of a member; borrowed, as most are, where it is spelled plainly.
pub(super) type Name<'t> = Cow<'t, str>;

impl<'t> Object<'t> {
    #[inline]
    pub(super) fn of(value: Value<'t>) -> Option<Self> {
        (value.kind() == Kind::Object).then(|| Self {
            value,
            shadowed: if are_surely_unique(value) {
                Vec::new()
            } else {
                shadowed(value)
            },
        })
    }

    pub(super) fn value(&self) -> Value<'t> {
        self.value
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (Name<'t>, Value<'t>)> {
        self.spelled()
            .map(|(name, value)| (name.text().unwrap_or_default(), value))
    }

    /// The members with their names as they are spelled.
    pub(super) fn spelled(&self) -> impl Iterator<Item = (Value<'t>, Value<'t>)> {
        members(self.value).filter(|(name, _)| self.shadowed.is_empty() || !self.is_shadowed(*name))
    }

    fn is_shadowed(&self, name: Value<'t>) -> bool {
        self.shadowed.binary_search(&name.place()).is_ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<Value<'t>> {
        self.spelled()
            .find(|(spelled, _)| spelled.says(|spelled| spelled == name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The value of `name`, where `null` is as good as absent.
    pub(super) fn get_some(&self, name: &str) -> Option<Value<'t>> {
        self.get(name).filter(|value| value.kind() != Kind::Null)
    }
}

fn members<'t>(object: Value<'t>) -> impl Iterator<Item = (Value<'t>, Value<'t>)> {
    let mut parts = object.parts();
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// The places of the names of `object` that come again later, sorted.
fn shadowed(object: Value<'_>) -> Vec<u32> {
    let mut last: HashMap<Name<'_>, u32> = HashMap::new();
    let mut shadowed: Vec<u32> = members(object)
        .filter_map(|(name, _)| last.insert(name.text()?, name.place()))
        .collect();
    shadowed.sort_unstable();
    shadowed
}

/// Whether length, first and last letter tell all names of `object` apart, as they mostly do.
fn are_surely_unique(object: Value<'_>) -> bool {
    let mut seen = [0_u64; 8];
    for (name, _) in members(object) {
        let inside = name.raw_bytes();
        let ends = (inside.first(), inside.last());
        let (Some(first), Some(last)) = ends else {
            return false;
        };
        let mixed = usize::from(*first) * 7 + usize::from(*last) * 61 + inside.len() * 37;
        let (word, bit) = (mixed / 64 % 8, mixed % 64);
        let Some(word) = seen.get_mut(word) else {
            return false;
        };
        if name.is_escaped() || *word & (1 << bit) != 0 {
            return false;
        }
        *word |= 1 << bit;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::repair::with_json;

    fn members_of(text: &str) -> Vec<(String, String)> {
        let members = with_json(text, |value| {
            let object = Object::of(value)?;
            let members = object.members();
            Some(
                members
                    .map(|(name, value)| (name.into_owned(), value.raw().to_owned()))
                    .collect(),
            )
        });
        members.flatten().unwrap_or_default()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[checks::test]
    fn the_last_of_a_name_counts() {
        let text = r#"{"a": 1, "b": 2, "a": {"x": [1]}, "\u0062": 3, "": 4}"#;
        let expected = [pair("a", r#"{"x": [1]}"#), pair("b", "3"), pair("", "4")];
        assert_eq!(members_of(text), expected);
        let got = with_json(text, |value| {
            Some(Object::of(value)?.get("b")?.raw().to_owned())
        });
        assert_eq!(got.flatten().as_deref(), Some("3"));
    }

    #[checks::test]
    fn the_last_of_a_name_counts_among_many() {
        let many: Vec<String> = (0..5000)
            .map(|n| format!(r#""{}": {n}"#, n % 2000))
            .collect();
        let values: Vec<String> = members_of(&format!("{{{}}}", many.join(",")))
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let expected: Vec<String> = (3000..5000).map(|n| n.to_string()).collect();
        assert_eq!(values, expected);
    }
}
