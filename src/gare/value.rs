//! One value of a JSON text that was read.

use std::{borrow::Cow, ops::Range};

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
    node: &'t Node,
    at: u32,
}

impl<'t> Value<'t> {
    pub(super) fn at(tape: &'t Tape<'t>, at: u32) -> Option<Self> {
        let node = tape.node(at)?;
        Some(Self { tape, node, at })
    }

    pub(super) fn kind(self) -> Kind {
        self.node.kind
    }

    pub(super) fn is_container(self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object)
    }

    /// Whether a GridFTP reply may be in it.
    pub(super) fn may_hold_reply(self) -> bool {
        self.node.reply
    }

    /// Where it is among the values of its text.
    pub(super) fn place(self) -> u32 {
        self.at
    }

    /// Its JSON text; of a string, what is between the quotes.
    pub(super) fn raw(self) -> &'t str {
        self.tape.text().get(self.range()).unwrap_or_default()
    }

    /// The same as bytes.
    pub(super) fn raw_bytes(self) -> &'t [u8] {
        let bytes = self.tape.text().as_bytes();
        bytes.get(self.range()).unwrap_or_default()
    }

    fn range(self) -> Range<usize> {
        self.node.start as usize..self.node.end as usize
    }

    /// Whether it is in a document that is spelled in a string.
    pub(super) fn is_quoted(self) -> bool {
        self.node.quoted
    }

    /// Whether it is a string that says what `is` takes, told by its bytes.
    #[inline]
    pub(super) fn says(self, is: impl Fn(&[u8]) -> bool) -> bool {
        if self.is_escaped() {
            self.text().is_some_and(|text| is(text.as_bytes()))
        } else {
            is(self.raw_bytes())
        }
    }

    /// Whether a string is spelled with escapes.
    pub(super) fn is_escaped(self) -> bool {
        self.node.escaped
    }

    /// The names and values of an object's members in turn, or the elements of an array, or the documents of replies in a
    /// string.
    pub(super) fn parts(self) -> impl Iterator<Item = Value<'t>> {
        // A value that holds no others ends where its first part would start.
        let (mut at, end) = (self.at + 1, self.node.next);
        std::iter::from_fn(move || {
            let part = Self::at(self.tape, at).filter(|_| at < end)?;
            at = part.node.next;
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
            Kind::String if self.is_escaped() => {
                let text = unescape(self.raw());
                Some(Cow::Owned(if self.is_quoted() {
                    unescape(&text)
                } else {
                    text
                }))
            }
            Kind::String => Some(Cow::Borrowed(self.raw())),
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
            Kind::String => self.raw().is_empty(),
            Kind::Number => self.raw().parse::<f64>().is_ok_and(|number| number == 0.0),
            Kind::Array | Kind::Object => self.parts().next().is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use crate::gare::repair::with_json;

    #[checks::test]
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

    #[checks::test]
    fn what_is_spelled_plainly_is_not_copied() {
        for (text, is_copied) in [
            (r#""plain""#, false),
            (r#""""#, false),
            (r#""é""#, false),
            (r#""\u0061""#, true),
            (r#""\n""#, true),
        ] {
            let copied = with_json(text, |value| matches!(value.text(), Some(Cow::Owned(_))));
            assert_eq!(copied, Some(is_copied), "{text}");
        }
    }

    #[checks::test]
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
