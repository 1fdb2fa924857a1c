//! Parses the text form of scopes.

use super::Scope;

/// The maximum depth of brackets. Globus Auth has no deeper scopes, and text that is not trusted
/// must not exhaust the stack.
const MAX_DEPTH: usize = 64;

/// Parses scopes separated by white space.
pub(super) fn trees(text: &str) -> Result<Vec<Scope>, ScopeParseError> {
    let mut reader = Reader { rest: text };
    let scopes = reader.list(0)?;
    match reader.rest {
        "" => Ok(scopes),
        _ => Err(ScopeParseError("a ']' has no '['")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Parses a list up to the end of the text, or to its `]`.
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
                return Err(ScopeParseError("the brackets are empty"));
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

/// An error from parsing or merging scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid scopes: {0}")]
pub struct ScopeParseError(&'static str);

impl ScopeParseError {
    pub(super) const NOT_ONE: Self = Self("the text is not exactly one scope");
    pub(super) const CYCLE: Self = Self("a scope depends on itself");
    pub(super) const TOO_LARGE: Self = Self("written out, there are too many scopes");
}
