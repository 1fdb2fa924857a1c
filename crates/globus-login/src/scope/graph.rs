//! The scopes of a set as Globus Auth sees them: what depends on what, by name.

use super::{Scope, ScopeParseError};

/// How many scopes a set may hold when it is written out. Shared dependencies
/// multiply there: a text of 1 KiB could stand for more than memory holds.
const MAX_WRITTEN: usize = 4096;

/// How long a chain of dependencies may be: Globus Auth knows none of that length.
const MAX_DEPTH: usize = 64;

/// A dependency on a scope that the user may (`true`) or may not withdraw alone.
type Edge = (usize, bool);

/// Each name is one node, wherever in the text it stood.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<(String, Vec<Edge>)>,
    /// What is asked for itself, in the order in which it was asked for first.
    roots: Vec<Edge>,
}

impl Graph {
    /// Adds a tree at the root. The graph may have a cycle afterwards.
    pub(super) fn add(&mut self, tree: &Scope) -> Result<(), ScopeParseError> {
        let root = (self.node(tree), tree.optional);
        if !self.roots.contains(&root) {
            self.roots.push(root);
        }
        if self.nodes.len() > MAX_WRITTEN {
            return Err(ScopeParseError::TOO_LARGE);
        }
        Ok(())
    }

    fn node(&mut self, tree: &Scope) -> usize {
        let known = self.nodes.iter().position(|(name, _)| *name == tree.name);
        let node = known.unwrap_or_else(|| {
            self.nodes.push((tree.name.clone(), Vec::new()));
            self.nodes.len() - 1
        });
        for dependency in &tree.dependencies {
            let edge = (self.node(dependency), dependency.optional);
            if let Some((_, edges)) = self.nodes.get_mut(node) {
                // Where it is required once, it is required.
                if edge.1 && edges.contains(&(edge.0, false)) {
                    continue;
                }
                match edges.iter_mut().find(|known| known.0 == edge.0) {
                    Some(known) => known.1 &= edge.1,
                    None => edges.push(edge),
                }
            }
        }
        node
    }

    /// The scopes written out, each with all that depends on it.
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
        let Some((name, edges)) = self.nodes.get(node) else {
            return Err(ScopeParseError::NOT_ONE);
        };
        above.push(node);
        let dependencies = edges.iter().map(|edge| self.tree(*edge, above, left));
        let dependencies = dependencies.collect::<Result<_, _>>()?;
        above.pop();
        Ok(Scope {
            name: name.clone(),
            optional,
            dependencies,
        })
    }
}
