//! A set of scopes as a graph of dependencies, by name, as Globus Auth sees it.

use indexmap::{IndexMap, IndexSet};

use super::{Scope, ScopeParseError};

/// The maximum number of scopes in a set when it is written out. Shared dependencies multiply
/// there: a text of 1 KiB could expand to more than memory holds.
const MAX_WRITTEN: usize = 4096;

/// The maximum length of a chain of dependencies. Globus Auth has none of that length.
const MAX_DEPTH: usize = 64;

/// The index of a scope, and whether the scope is optional.
type Edge = (usize, bool);

/// A graph with one node for each name. Names and dependencies keep the order of their first
/// appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: IndexMap<String, IndexMap<usize, bool>>,
    /// The scopes that are not dependencies of others.
    roots: IndexSet<Edge>,
}

impl Graph {
    /// Adds a tree at the root. The graph may have a cycle afterwards.
    pub(super) fn add(&mut self, tree: &Scope) -> Result<(), ScopeParseError> {
        let root = (self.node(tree), tree.optional);
        self.roots.insert(root);
        if self.nodes.len() > MAX_WRITTEN {
            return Err(ScopeParseError::TOO_LARGE);
        }
        Ok(())
    }

    fn node(&mut self, tree: &Scope) -> usize {
        let known = self.nodes.get_index_of(&tree.name);
        let node =
            known.unwrap_or_else(|| self.nodes.insert_full(tree.name.clone(), IndexMap::new()).0);
        for dependency in &tree.dependencies {
            let to = self.node(dependency);
            // Required in one place means required.
            let optional = self.nodes[node].entry(to).or_insert(true);
            *optional &= dependency.optional;
        }
        node
    }

    /// The scopes written out, each with all its dependencies.
    pub(super) fn trees(&self) -> Result<Vec<Scope>, ScopeParseError> {
        let mut left = MAX_WRITTEN;
        self.roots
            .iter()
            .map(|root| self.tree(*root, &mut Vec::new(), &mut left))
            .collect()
    }

    fn tree(
        &self,
        (node, optional): Edge,
        above: &mut Vec<usize>,
        left: &mut usize,
    ) -> Result<Scope, ScopeParseError> {
        if above.contains(&node) {
            return Err(ScopeParseError::CYCLE);
        }
        if above.len() >= MAX_DEPTH {
            return Err(ScopeParseError::TOO_LARGE);
        }
        *left = left.checked_sub(1).ok_or(ScopeParseError::TOO_LARGE)?;
        let Some((name, edges)) = self.nodes.get_index(node) else {
            return Err(ScopeParseError::NOT_ONE);
        };
        above.push(node);
        let edges = edges.iter().map(|(node, optional)| (*node, *optional));
        let dependencies = edges.map(|edge| self.tree(edge, above, left));
        let dependencies = dependencies.collect::<Result<_, _>>()?;
        above.pop();
        Ok(Scope {
            name: name.clone(),
            optional,
            dependencies,
        })
    }
}
