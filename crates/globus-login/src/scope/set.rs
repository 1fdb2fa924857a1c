use std::fmt;
use std::str::FromStr;

use super::graph::Graph;
use super::parse::trees;
use super::{Scope, ScopeParseError};

/// A set of scopes, in the order in which they were first asked for.
///
/// The same scope asked for twice, with different dependencies, is one scope with
/// both: so Globus Auth merges them, and so does `globus_sdk.scopes` of the Python
/// SDK. Where the same dependency is optional in one place and required in
/// another, it is required.
///
/// ```
/// use globus_login::Scopes;
///
/// let held: Scopes = "openid transfer:all[*one]".parse()?;
/// let required: Scopes = "transfer:all[two]".parse()?;
/// assert_eq!(held.union(&required)?.to_string(), "openid transfer:all[*one two]");
/// # Ok::<(), globus_login::ScopeParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// What both ask for.
    ///
    /// # Errors
    ///
    /// Where, together, a scope would depend on itself, or the set would hold more
    /// than 4096 scopes written out.
    pub fn union(&self, other: &Self) -> Result<Self, ScopeParseError> {
        Self::merged(self.0.iter().chain(&other.0))
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes that are asked for themselves, not through another.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    pub(crate) fn to_vec(&self) -> Vec<Scope> {
        self.0.clone()
    }

    fn merged<'a>(mut trees: impl Iterator<Item = &'a Scope>) -> Result<Self, ScopeParseError> {
        let mut graph = Graph::default();
        trees.try_for_each(|tree| graph.add(tree))?;
        graph.trees().map(Self)
    }
}

/// White space separates; an empty text is an empty set.
impl FromStr for Scopes {
    type Err = ScopeParseError;

    fn from_str(text: &str) -> Result<Self, ScopeParseError> {
        Self::merged(trees(text)?.iter())
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        // As written here, a scope has no cycle; a set of one needs no merging.
        Self(vec![scope])
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<Scopes>() {
            Ok(scopes) => scopes.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[checks::test]
    fn scopes_are_united_with_their_dependencies() {
        for (text, united) in [
            ("a b  b c", "a b c"),
            ("  a\t\n b ", "a b"),
            ("", ""),
            ("t:all[*x *y] a t:all t:all[*x z]", "t:all[*x *y z] a"),
            ("a[b[c d] e] f", "a[b[c d] e] f"),
            ("a[*b] a[b]", "a[b]"),
            ("a[b] a[*b]", "a[b]"),
            ("a *a[b]", "a[b] *a[b]"),
            ("a[b[c]] b", "a[b[c]] b[c]"),
            ("a*b", "a *b"),
        ] {
            assert_eq!(read(text), united, "{text:?}");
        }
    }

    #[checks::test]
    fn malformed_scope_text_is_refused() {
        for text in [
            "a[b",
            "a]",
            "a[[b]]",
            "*",
            "[a]",
            "a[]",
            "a [b]",
            "a[b]c",
            "a[b][c]",
            "**a",
            "* a",
            "a[* b]",
            "a[a]",
            "a[b[a]]",
            "a[b] b[a]",
        ] {
            assert!(read(text).starts_with("error"), "{text}: {}", read(text));
        }
        assert!("a b".parse::<Scope>().is_err() && "".parse::<Scope>().is_err());
    }

    #[checks::test]
    fn scope_text_has_a_depth_and_a_count_limit() {
        assert!(read(&"a[".repeat(100_000)).contains("too deeply"));
        // Each level names the next one twice: written out, it doubles with each.
        let mut text = String::new();
        for level in 0..40 {
            text.push_str(&format!(
                "l{level}[x{level}[l{0}] y{level}[l{0}]] ",
                level + 1
            ));
        }
        assert!(read(&text).contains("too many"));
    }
}
