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
        Self::united([self, other])
    }

    /// What all of them ask for, in time that grows with their number of scopes alone.
    pub(crate) fn united<'a>(
        sets: impl IntoIterator<Item = &'a Self>,
    ) -> Result<Self, ScopeParseError> {
        Self::merged(sets.into_iter().flatten())
    }

    /// Whether all of `other` is asked for, with what depends on it.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        // Whatever is in the union and not here is missing.
        self.union(other).is_ok_and(|union| union == *self)
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes that are asked for themselves, not through another.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// Nothing.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
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

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = std::vec::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
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
