//! Scopes and their dependencies.
//!
//! A scope may have dependencies, in brackets: scopes that its service is granted in turn, such as
//! `transfer:all[*collection/data_access]`. An asterisk marks an *optional* scope (*atomically
//! revocable*): the user can withdraw it on its own.

mod graph;
mod parse;
mod set;

pub use self::parse::ScopeParseError;
pub use self::set::Scopes;

use std::fmt;
use std::str::FromStr;

/// The scope for all of the Transfer service.
const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// A scope and its dependencies.
///
/// ```
/// use globus_login::Scope;
///
/// let scope: Scope = "transfer:all[*one two[three]]".parse()?;
/// assert_eq!(scope.name(), "transfer:all");
/// assert!(scope.dependencies()[0].is_optional());
/// assert_eq!(scope.to_string(), "transfer:all[*one two[three]]");
/// # Ok::<(), globus_login::ScopeParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    name: String,
    optional: bool,
    dependencies: Vec<Scope>,
}

impl Scope {
    /// The scope for the data of a mapped collection through Transfer:
    /// `transfer:all[*.../data_access]`. `collection` is the collection's id.
    ///
    /// ```
    /// use globus_login::Scope;
    ///
    /// let scope = Scope::transfer_data_access("6c54cade-bde5-45c1-bdea-f4bd71dba2cc");
    /// assert_eq!(
    ///     scope.to_string(),
    ///     "urn:globus:auth:scope:transfer.api.globus.org:all\
    ///      [*https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/data_access]"
    /// );
    /// ```
    pub fn transfer_data_access(collection: impl fmt::Display) -> Self {
        let data_access = Self {
            name: format!("https://auth.globus.org/scopes/{collection}/data_access"),
            optional: true,
            dependencies: Vec::new(),
        };
        Self {
            name: TRANSFER_ALL.to_owned(),
            optional: false,
            dependencies: vec![data_access],
        }
    }

    /// The scope for all of the Transfer service:
    /// `urn:globus:auth:scope:transfer.api.globus.org:all`.
    pub fn transfer_all() -> Self {
        Self {
            name: TRANSFER_ALL.to_owned(),
            optional: false,
            dependencies: Vec::new(),
        }
    }

    /// The name of the scope, without the asterisk and the dependencies.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the user can withdraw this dependency without withdrawing the scope that it belongs
    /// to.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The scopes that the service of this scope is granted in turn.
    pub fn dependencies(&self) -> &[Scope] {
        &self.dependencies
    }
}

/// Parses exactly one scope. [`Scopes`] parses any number.
impl FromStr for Scope {
    type Err = ScopeParseError;

    fn from_str(text: &str) -> Result<Self, ScopeParseError> {
        let mut scopes = text.parse::<Scopes>()?.into_iter();
        match (scopes.next(), scopes.next()) {
            (Some(scope), None) => Ok(scope),
            _ => Err(ScopeParseError::NOT_ONE),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.optional {
            f.write_str("*")?;
        }
        f.write_str(&self.name)?;
        for (index, scope) in self.dependencies.iter().enumerate() {
            f.write_str(if index == 0 { "[" } else { " " })?;
            scope.fmt(f)?;
        }
        if self.dependencies.is_empty() {
            Ok(())
        } else {
            f.write_str("]")
        }
    }
}
