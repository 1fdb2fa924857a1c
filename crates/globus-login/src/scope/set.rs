use std::fmt;
use std::str::FromStr;

use super::graph::Graph;
use super::parse::trees;
use super::{Scope, ScopeParseError};

/// A set of scopes, in the order of their first appearance.
///
/// A scope that appears twice, with different dependencies, becomes one scope with both. Globus
/// Auth merges them so, and so does `globus_sdk.scopes` of the Python SDK. A dependency that is
/// optional in one place and required in another is required.
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
    /// The union of both sets.
    ///
    /// # Errors
    ///
    /// If a scope of the union would depend on itself, or the union written out would have more
    /// than 4096 scopes.
    pub fn union(&self, other: &Self) -> Result<Self, ScopeParseError> {
        Self::united([self, other])
    }

    /// The union of all sets, in time linear in the number of scopes.
    pub(crate) fn united<'a>(
        sets: impl IntoIterator<Item = &'a Self>,
    ) -> Result<Self, ScopeParseError> {
        Self::merged(sets.into_iter().flatten())
    }

    /// Whether this set has all scopes of `other`, with their dependencies.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        // The union is larger if a scope is missing here.
        self.union(other).is_ok_and(|union| union == *self)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes of the set. Their dependencies are in [`Scope::dependencies`].
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// The empty set.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    fn merged<'a>(mut trees: impl Iterator<Item = &'a Scope>) -> Result<Self, ScopeParseError> {
        let mut graph = Graph::default();
        trees.try_for_each(|tree| graph.add(tree))?;
        graph.trees().map(Self)
    }
}

/// Parses scopes separated by white space. An empty text is an empty set.
impl FromStr for Scopes {
    type Err = ScopeParseError;

    fn from_str(text: &str) -> Result<Self, ScopeParseError> {
        Self::merged(trees(text)?.iter())
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        // A parsed scope has no cycle, and one scope needs no merging.
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
