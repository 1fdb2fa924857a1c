//! Text into trees.

use super::Scope;

/// Deeper trees than this are refused: Globus Auth knows none, and a stranger's
/// text must not exhaust the stack.
const MAX_DEPTH: usize = 64;

/// The scopes of a text, separated by white space.
pub(super) fn trees(text: &str) -> Result<Vec<Scope>, ScopeParseError> {
    let mut reader = Reader { rest: text };
    let scopes = reader.list(0)?;
    match reader.rest {
        "" => Ok(scopes),
        _ => Err(ScopeParseError("a ']' closes nothing")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Up to the end, or to the `]` that closes the list.
    fn list(&mut self, depth: usize) -> Result<Vec<Scope>, ScopeParseError> {
        if depth > MAX_DEPTH {
            return Err(ScopeParseError("the brackets are nested too deeply"));
        }
        let mut scopes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(']') {
                return Ok(scopes);
            }
            scopes.push(self.scope(depth)?);
        }
    }

    fn scope(&mut self, depth: usize) -> Result<Scope, ScopeParseError> {
        let optional = self.skip('*');
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "[]*".contains(c))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(ScopeParseError("a scope has no name"));
        }
        self.rest = rest;
        let mut dependencies = Vec::new();
        if self.skip('[') {
            dependencies = self.list(depth + 1)?;
            if dependencies.is_empty() {
                return Err(ScopeParseError("the brackets hold nothing"));
            }
            if !self.skip(']') {
                return Err(ScopeParseError("a '[' is never closed"));
            }
            let may_follow = |c: char| c.is_whitespace() || c == ']';
            if !self.rest.is_empty() && !self.rest.starts_with(may_follow) {
                return Err(ScopeParseError(
                    "only a space or another ']' may follow a ']'",
                ));
            }
        }
        Ok(Scope {
            name: name.to_owned(),
            optional,
            dependencies,
        })
    }

    fn skip(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// A text that names no scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scopes cannot be read: {0}")]
pub struct ScopeParseError(&'static str);

impl ScopeParseError {
    pub(super) const NOT_ONE: Self = Self("this is not exactly one scope");
    pub(super) const CYCLE: Self = Self("a scope depends on itself");
    pub(super) const TOO_LARGE: Self = Self("the scopes written out are too many");
}
