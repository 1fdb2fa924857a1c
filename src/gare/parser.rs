//! Reading JSON into the nodes of a tape: one pass, without recursion but for the documents of replies.

use super::{
    lex::{self, Escapes, Stop},
    tape::Node,
    trigger::{REPLY, Replies},
    value::Kind,
};

/// The place of no node.
const NONE: u32 = u32::MAX;

pub(super) struct Parser<'a> {
    pub(super) nodes: Vec<Node>,
    /// The innermost object or array that has not ended.
    open: u32,
    replies: Replies<'a>,
    /// Whether some string holds a surrogate, perhaps a lone one.
    pub(super) surrogates: bool,
}

impl<'a> Parser<'a> {
    /// For a text of `length` bytes.
    pub(super) fn new(length: usize, replies: Replies<'a>) -> Self {
        Self {
            // A guess, so that small texts need no second allocation, and not beyond what allocators have at hand.
            nodes: Vec::with_capacity((length / 16 + 8).min(64)),
            open: NONE,
            replies,
            surrogates: false,
        }
    }

    /// Reads the value at `at`; its end.
    pub(super) fn value<const QUOTED: bool>(
        &mut self,
        bytes: &[u8],
        mut at: usize,
    ) -> Option<usize> {
        loop {
            at = skip_space::<QUOTED>(bytes, at);
            at = match bytes.get(at)? {
                b'{' => {
                    self.open::<QUOTED>(Kind::Object, at);
                    let inside = skip_space::<QUOTED>(bytes, at + 1);
                    if bytes.get(inside) != Some(&b'}') {
                        at = self.name::<QUOTED>(bytes, inside)?;
                        continue;
                    }
                    self.close(Kind::Object, inside)?
                }
                b'[' => {
                    self.open::<QUOTED>(Kind::Array, at);
                    let inside = skip_space::<QUOTED>(bytes, at + 1);
                    if bytes.get(inside) != Some(&b']') {
                        at = inside;
                        continue;
                    }
                    self.close(Kind::Array, inside)?
                }
                b'"' | b'\\' => self.string::<QUOTED>(bytes, at)?,
                b't' => self.scalar::<QUOTED>(Kind::True, at, lex::literal(bytes, at, b"true")?),
                b'f' => self.scalar::<QUOTED>(Kind::False, at, lex::literal(bytes, at, b"false")?),
                b'n' => self.scalar::<QUOTED>(Kind::Null, at, lex::literal(bytes, at, b"null")?),
                _ => self.scalar::<QUOTED>(Kind::Number, at, lex::number(bytes, at)?),
            };
            // A value is over: so may be what it is in.
            loop {
                let Some(open) = self.nodes.get(self.open as usize) else {
                    return Some(at);
                };
                let kind = open.kind;
                at = skip_space::<QUOTED>(bytes, at);
                at = match (bytes.get(at)?, kind) {
                    (b',', Kind::Object) => {
                        at = self.name::<QUOTED>(bytes, skip_space::<QUOTED>(bytes, at + 1))?;
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

    fn open<const QUOTED: bool>(&mut self, kind: Kind, start: usize) {
        let place = self.place();
        let parent = std::mem::replace(&mut self.open, place);
        self.nodes.push(Node {
            next: parent,
            ..node::<QUOTED>(kind, start, start)
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

    fn name<const QUOTED: bool>(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let at = skip_space::<QUOTED>(bytes, self.string::<QUOTED>(bytes, at)?);
        (bytes.get(at) == Some(&b':')).then_some(at + 1)
    }

    fn string<const QUOTED: bool>(&mut self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut escapes = Escapes::default();
        let quote = quote::<QUOTED>();
        let inside = start + quote.len();
        if bytes.get(start..inside)? != quote {
            return None;
        }
        let end = if QUOTED {
            lex::quoted_string(bytes, inside, &mut escapes)?
        } else {
            let marker = self.replies.next_from(inside).min(bytes.len());
            match lex::string(bytes.get(..marker)?, inside, &mut escapes)? {
                Stop::Quote(end) => end,
                Stop::End => return self.string_with_replies(bytes, inside, marker, escapes),
            }
        };
        let reply = !QUOTED && escapes.unicode && self.replies.are_sought();
        self.surrogates |= escapes.surrogate;
        self.nodes.push(Node {
            next: self.place() + 1,
            escaped: escapes.any,
            reply,
            ..node::<QUOTED>(Kind::String, inside, end - quote.len())
        });
        self.pass_on(reply);
        Some(end)
    }

    /// The end of the string that starts at `inside` and whose first marker is at `marker`. The documents of replies become
    /// its parts: all of them, or none.
    fn string_with_replies(
        &mut self,
        bytes: &[u8],
        inside: usize,
        mut marker: usize,
        mut escapes: Escapes,
    ) -> Option<usize> {
        let place = self.nodes.len();
        self.nodes.push(node::<false>(Kind::String, inside, inside));
        let parts = self.nodes.len();
        let mut all_read = true;
        while marker < bytes.len() {
            let mut at = marker + REPLY.len();
            // It ends before the next marker, if at all.
            marker = self.replies.next_from(at).min(bytes.len());
            let region = bytes.get(..marker)?;
            match self.quoted_document(region, at) {
                Some(end) => {
                    escapes.any = true;
                    at = end;
                }
                None => all_read = false,
            }
            let Stop::Quote(end) = lex::string(region, at, &mut escapes)? else {
                continue;
            };
            // A marker may be spelled with escapes.
            if escapes.unicode || !all_read {
                self.nodes.truncate(parts);
            }
            self.surrogates |= escapes.surrogate;
            let next = self.place();
            let node = self.nodes.get_mut(place)?;
            node.end = offset(end - quote::<false>().len());
            node.next = next;
            node.reply = true;
            node.escaped = escapes.any;
            self.pass_on(true);
            return Some(end);
        }
        None
    }

    /// Reads the document at `at` if it is spelled as in a string; its end.
    fn quoted_document(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let at = skip_space::<true>(bytes, at);
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        let parts = self.nodes.len();
        let open = std::mem::replace(&mut self.open, NONE);
        let end = self.value::<true>(bytes, at);
        self.open = open;
        if end.is_none() {
            self.nodes.truncate(parts);
        }
        end
    }

    fn scalar<const QUOTED: bool>(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let next = self.place() + 1;
        self.nodes.push(Node {
            next,
            ..node::<QUOTED>(kind, start, end)
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

fn node<const QUOTED: bool>(kind: Kind, start: usize, end: usize) -> Node {
    Node {
        start: offset(start),
        end: offset(end),
        next: NONE,
        kind,
        escaped: false,
        quoted: QUOTED,
        reply: false,
    }
}

/// What a string starts and ends with.
const fn quote<const QUOTED: bool>() -> &'static [u8] {
    if QUOTED { br#"\""# } else { b"\"" }
}

/// In a string there is no white space but spaces; other is spelled with escapes, which no document has outside of its
/// own strings.
fn skip_space<const QUOTED: bool>(bytes: &[u8], mut at: usize) -> usize {
    if !QUOTED {
        return lex::skip_space(bytes, at);
    }
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// A place in a text that `parse` has found to be short enough, or among its nodes, each of which takes a byte or more.
fn offset(at: usize) -> u32 {
    at as u32
}
