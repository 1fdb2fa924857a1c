//! JSON read once: where each value of a text starts and ends, in the order of the text.
//!
//! One pass checks the whole text, without recursion, so the depth of a body is never the depth of our stack; nothing
//! that is read out of it later is scanned a second time, copied, or can be malformed.

use super::{
    parser::Parser,
    trigger::Replies,
    value::{Kind, Value},
};

/// The values of one JSON text, the root first; the name of a member stands before its value.
pub(super) struct Tape<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
pub(super) struct Node {
    /// Where it starts; a string, past the quote.
    pub(super) start: u32,
    /// Where it ends; a string, before the quote.
    pub(super) end: u32,
    /// What comes after it and all that is in it. While it is open: what it is in.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// Whether it is a string that is spelled with escapes.
    pub(super) escaped: bool,
    /// Whether it is in a document that is spelled in a string.
    pub(super) quoted: bool,
    /// Whether a GridFTP reply may be in it.
    pub(super) reply: bool,
}

/// A text that starts with JSON.
pub(super) struct Parsed<'a> {
    pub(super) tape: Tape<'a>,
    /// What comes after it.
    pub(super) end: usize,
    /// Whether some string holds a surrogate, perhaps a lone one.
    pub(super) surrogates: bool,
}

impl<'a> Tape<'a> {
    /// Reads the JSON value at the start of `text`, and marks in which strings replies may be. The documents of these are
    /// read as well, as what is in the string, unless that takes more than reading: then none is. A text of more than
    /// 4 GiB counts as none.
    pub(super) fn parse(text: &'a str, replies: Replies<'a>) -> Option<Parsed<'a>> {
        u32::try_from(text.len()).ok()?;
        let mut parser = Parser::new(text.len(), replies);
        let end = parser.value::<false>(text.as_bytes(), 0)?;
        Some(Parsed {
            surrogates: parser.surrogates,
            tape: Self {
                text,
                nodes: parser.nodes,
            },
            end,
        })
    }

    pub(super) fn text(&self) -> &str {
        self.text
    }

    pub(super) fn root(&self) -> Option<Value<'_>> {
        Value::at(self, 0)
    }

    pub(super) fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gare::{lex, trigger::REPLY};

    fn whole(text: &str) -> bool {
        Tape::parse(text, Replies::NONE)
            .is_some_and(|parsed| lex::skip_space(text.as_bytes(), parsed.end) == text.len())
    }

    /// `serde_json` is the judge; it checks no surrogates where it skips over a string.
    fn is_json(text: &str) -> bool {
        serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
    }

    /// What is read in place needs no copy.
    #[checks::test]
    fn the_document_of_a_reply_is_read_in_place() {
        for document in [
            "{}",
            r#"{\"a\": \"b\"}"#,
            r#" { \"a\" : [ \"\" , \"b\\n\\\"\", {\"c\": null} ] , \"d\":-1.5e3 } "#,
        ] {
            let text = format!(r#"{{"a": "530-{REPLY}{document}\r\n530 End.", "b": "c"}}"#);
            let parsed = Tape::parse(&text, Replies::of(text.as_bytes())).expect("JSON");
            let root = parsed.tape.root().expect("a root");
            let message = root.parts().nth(1).expect("a value");
            let documents: Vec<_> = message.parts().map(Value::raw).collect();
            assert_eq!(documents, [document.trim()]);
            let marked = root.parts().map(Value::may_hold_reply);
            assert_eq!(marked.collect::<Vec<_>>(), [false, true, false, false]);
        }
    }

    #[checks::test]
    fn replies_are_marked_where_they_may_be() {
        for (text, sought, marked) in [
            (r#""\n""#, true, false),
            (r#""\u002d""#, true, true),
            (r#""\u002d""#, false, false),
            (r#"["\u002d"]"#, true, true),
        ] {
            let replies = if sought {
                Replies::of(text.as_bytes())
            } else {
                Replies::NONE
            };
            let parsed = Tape::parse(text, replies).expect("JSON");
            let root = parsed.tape.root().expect("a root");
            assert_eq!(root.may_hold_reply(), marked, "{text}");
        }
    }

    #[checks::test]
    fn takes_what_serde_json_takes() {
        let pieces = [
            "{", "}", "[", "]", "\"a\"", ":", ",", " ", "1", "-", "0", ".5", "e3", "null", "true",
            "\"", "\\", "\n",
        ];
        // Every text of up to four pieces.
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = texts
                .iter()
                .flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts = longer.collect();
            for text in &texts {
                assert_eq!(whole(text), is_json(text), "{text:?}");
            }
        }
    }

    #[checks::test]
    fn takes_what_serde_json_takes_of_longer_texts() {
        for text in [
            r#"{"a":{"b":[1,{"c":null}]},"d":[[],{}]}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            "[1,]",
            "[1}",
            r#"{"a":1]"#,
            "[1] 2",
            r#"{"a":[}"#,
            r#"{1:2}"#,
            " [ ] ",
        ] {
            assert_eq!(whole(text), is_json(text), "{text}");
        }
    }
}
