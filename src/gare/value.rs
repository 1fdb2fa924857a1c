//! One value of a JSON text that was read.

use std::borrow::Cow;

use super::{
    tape::{Node, Tape},
    unescape::unescape,
};

/// What kind of JSON value it is.
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

#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    tape: &'t Tape<'t>,
    at: u32,
}

impl<'t> Value<'t> {
    pub(super) fn at(tape: &'t Tape<'t>, at: u32) -> Self {
        Self { tape, at }
    }

    fn node(self) -> Option<&'t Node> {
        self.tape.node(self.at)
    }

    pub(super) fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    pub(super) fn is_container(self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object)
    }

    /// Whether a GridFTP reply may be in it.
    pub(super) fn may_hold_reply(self) -> bool {
        self.node().is_some_and(|node| node.reply)
    }

    /// Where it is among the values of its text.
    pub(super) fn place(self) -> u32 {
        self.at
    }

    /// Its JSON text.
    pub(super) fn raw(self) -> &'t str {
        let range = self
            .node()
            .map(|node| node.start as usize..node.end as usize);
        range
            .and_then(|range| self.tape.text().get(range))
            .unwrap_or_default()
    }

    /// What is between the quotes of a string, as it is spelled.
    pub(super) fn inside(self) -> &'t str {
        let raw = self.raw();
        raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Whether it is a string spelled as `text`, which needs no escapes.
    pub(super) fn is_spelled(self, text: &str) -> bool {
        self.node().is_some_and(|node| {
            let (start, end) = (node.start as usize + 1, (node.end as usize).wrapping_sub(1));
            // Most are told apart by their length.
            end.wrapping_sub(start) == text.len()
                && self.tape.text().as_bytes().get(start..end) == Some(text.as_bytes())
        })
    }

    /// Whether a string is spelled with escapes.
    pub(super) fn is_escaped(self) -> bool {
        self.node().is_some_and(|node| node.escaped)
    }

    /// Whether a string is spelled with `\uXXXX`.
    pub(super) fn has_unicode_escapes(self) -> bool {
        self.node().is_some_and(|node| node.unicode)
    }

    /// The names and values of an object's members in turn, or the elements of an array.
    pub(super) fn parts(self) -> impl Iterator<Item = Value<'t>> {
        // A value that holds no others ends where its first part would start.
        let end = self.node().map_or(0, |node| node.next);
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let part = Self::at(self.tape, at);
            at = part.node()?.next;
            Some(part)
        })
    }

    /// The elements of an array.
    pub(super) fn elements(self) -> impl Iterator<Item = Value<'t>> {
        let is_array = self.kind() == Kind::Array;
        self.parts().filter(move |_| is_array)
    }

    /// What a string says.
    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        match self.kind() {
            Kind::String if self.is_escaped() => Some(Cow::Owned(unescape(self.inside()))),
            Kind::String => Some(Cow::Borrowed(self.inside())),
            _ => None,
        }
    }

    pub(super) fn string(self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    pub(super) fn boolean(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A JSON list of strings.
    pub(super) fn list(self) -> Option<Vec<String>> {
        match self.kind() {
            Kind::Array => self.parts().map(Self::string).collect(),
            _ => None,
        }
    }

    /// A JSON list of strings, or one string with commas. It is split as the Python SDK splits it: spaces and empty
    /// entries stay, `to_query` drops them.
    pub(super) fn list_or_csv(self) -> Option<Vec<String>> {
        match self.kind() {
            Kind::String => Some(self.text()?.split(',').map(str::to_owned).collect()),
            _ => self.list(),
        }
    }

    /// Whether Python would take the value for false.
    pub(super) fn is_falsy(self) -> bool {
        match self.kind() {
            Kind::Null | Kind::False => true,
            Kind::True => false,
            Kind::String => self.inside().is_empty(),
            Kind::Number => self.raw().parse::<f64>().is_ok_and(|number| number == 0.0),
            Kind::Array | Kind::Object => self.parts().next().is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gare::repair::with_json;

    #[test]
    fn falsy_as_in_python() {
        for falsy in [
            "null", "false", "0", "-0", "0.0", "0e7", "\"\"", "[]", "[ ]", "{}", "{\n}",
        ] {
            assert_eq!(
                with_json(falsy, |value| value.is_falsy()),
                Some(true),
                "{falsy}"
            );
        }
        for truthy in ["true", "1", "-0.5", "\" \"", "[0]", "{\"a\":0}", "1e400"] {
            assert_eq!(
                with_json(truthy, |value| value.is_falsy()),
                Some(false),
                "{truthy}"
            );
        }
    }

    #[test]
    fn lists_and_commas() {
        for (text, items) in [
            (r#""a, b,,""#, &["a", " b", "", ""][..]),
            (r#""""#, &[""]),
            (r#"["a,b"]"#, &["a,b"]),
            (r#"["\u0061\n", ""]"#, &["a\n", ""]),
            ("[]", &[]),
        ] {
            let list = with_json(text, |value| value.list_or_csv()).flatten();
            assert_eq!(list.unwrap_or_default(), items, "{text}");
        }
        for wrong in ["1", "true", "{}", "[1]", r#"["a", null]"#, r#"[["a"]]"#] {
            assert_eq!(
                with_json(wrong, |value| value.list_or_csv()),
                Some(None),
                "{wrong}"
            );
        }
    }
}
