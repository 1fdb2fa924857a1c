//! JSON read once: where each value of a text starts and ends, in the order of the text.
//!
//! One pass checks the whole text, without recursion, so the depth of a body is never the depth of our stack; nothing
//! that is read out of it later is scanned a second time, copied, or can be malformed.

use super::{
    lex,
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
    pub(super) start: u32,
    pub(super) end: u32,
    /// What comes after it and all that is in it. While it is open: what it is in.
    pub(super) next: u32,
    pub(super) kind: Kind,
    /// Of a string: whether it is spelled with escapes.
    pub(super) escaped: bool,
    /// Of a string: whether these may spell any character.
    pub(super) unicode: bool,
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
    /// Reads the JSON value at the start of `text`, and marks in which strings a reply may be. A text of more than 4 GiB
    /// counts as none.
    pub(super) fn parse(text: &'a str, replies: Replies<'a>) -> Option<Parsed<'a>> {
        u32::try_from(text.len()).ok()?;
        let mut parser = Parser {
            bytes: text.as_bytes(),
            // A guess: most texts have fewer values, and small ones are not worth growing for.
            nodes: Vec::with_capacity(text.len() / 16 + 8),
            open: NONE,
            replies,
            surrogates: false,
        };
        let end = parser.run()?;
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

    pub(super) fn root(&self) -> Value<'_> {
        Value::at(self, 0)
    }

    pub(super) fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }
}

/// The place of no node.
const NONE: u32 = u32::MAX;

struct Parser<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
    /// The innermost object or array that has not ended.
    open: u32,
    replies: Replies<'a>,
    surrogates: bool,
}

impl Parser<'_> {
    fn run(&mut self) -> Option<usize> {
        let bytes = self.bytes;
        let mut at = 0;
        loop {
            at = lex::skip_space(bytes, at);
            at = match bytes.get(at)? {
                b'{' => {
                    self.open(Kind::Object, at);
                    let inside = lex::skip_space(bytes, at + 1);
                    if bytes.get(inside) != Some(&b'}') {
                        at = self.name(inside)?;
                        continue;
                    }
                    self.close(Kind::Object, inside)?
                }
                b'[' => {
                    self.open(Kind::Array, at);
                    let inside = lex::skip_space(bytes, at + 1);
                    if bytes.get(inside) != Some(&b']') {
                        at = inside;
                        continue;
                    }
                    self.close(Kind::Array, inside)?
                }
                b'"' => self.string(at)?,
                b't' => self.scalar(Kind::True, at, lex::literal(bytes, at, b"true")?),
                b'f' => self.scalar(Kind::False, at, lex::literal(bytes, at, b"false")?),
                b'n' => self.scalar(Kind::Null, at, lex::literal(bytes, at, b"null")?),
                _ => self.scalar(Kind::Number, at, lex::number(bytes, at)?),
            };
            // A value is over: so may be what it is in.
            loop {
                let Some(open) = self.nodes.get(self.open as usize) else {
                    return Some(at);
                };
                let kind = open.kind;
                at = lex::skip_space(bytes, at);
                at = match (bytes.get(at)?, kind) {
                    (b',', Kind::Object) => {
                        at = self.name(lex::skip_space(bytes, at + 1))?;
                        break;
                    }
                    (b',', _) => {
                        at += 1;
                        break;
                    }
                    (b'}', Kind::Object) | (b']', Kind::Array) => self.close(kind, at)?,
                    _ => return None,
                };
            }
        }
    }

    fn open(&mut self, kind: Kind, start: usize) {
        let place = self.place();
        let parent = std::mem::replace(&mut self.open, place);
        self.nodes.push(Node {
            next: parent,
            ..node(kind, start, start)
        });
    }

    fn close(&mut self, kind: Kind, at: usize) -> Option<usize> {
        let next = self.place();
        let node = self.nodes.get_mut(self.open as usize)?;
        debug_assert_eq!(node.kind, kind);
        self.open = node.next;
        node.next = next;
        node.end = offset(at + 1);
        let reply = node.reply;
        self.pass_on(reply);
        Some(at + 1)
    }

    fn name(&mut self, at: usize) -> Option<usize> {
        if self.bytes.get(at) != Some(&b'"') {
            return None;
        }
        let at = lex::skip_space(self.bytes, self.string(at)?);
        (self.bytes.get(at) == Some(&b':')).then_some(at + 1)
    }

    fn string(&mut self, start: usize) -> Option<usize> {
        let (end, escapes) = lex::string(self.bytes, start + 1)?;
        let reply = self.replies.may_be_in(start, end, escapes);
        self.surrogates |= escapes.surrogate;
        let next = self.place() + 1;
        self.nodes.push(Node {
            next,
            escaped: escapes.any,
            unicode: escapes.unicode,
            reply,
            ..node(Kind::String, start, end)
        });
        self.pass_on(reply);
        Some(end)
    }

    fn scalar(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let next = self.place() + 1;
        self.nodes.push(Node {
            next,
            ..node(kind, start, end)
        });
        end
    }

    fn pass_on(&mut self, reply: bool) {
        if reply && let Some(open) = self.nodes.get_mut(self.open as usize) {
            open.reply = true;
        }
    }

    /// Where the next node will be.
    fn place(&self) -> u32 {
        offset(self.nodes.len())
    }
}

fn node(kind: Kind, start: usize, end: usize) -> Node {
    Node {
        start: offset(start),
        end: offset(end),
        next: NONE,
        kind,
        escaped: false,
        unicode: false,
        reply: false,
    }
}

/// A place in a text that `parse` has found to be short enough, or among its nodes, each of which takes a byte or more.
fn offset(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> bool {
        Tape::parse(text, Replies::NONE)
            .is_some_and(|parsed| lex::skip_space(text.as_bytes(), parsed.end) == text.len())
    }

    /// `serde_json` is the judge; it checks no surrogates where it skips over a string.
    fn is_json(text: &str) -> bool {
        serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
    }

    #[test]
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

    #[test]
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
