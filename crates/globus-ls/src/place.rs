//! A directory of a collection.

use globus_gare::reauth::printable;
use uuid::Uuid;

use crate::failure::Failure;

/// A directory of a collection, and a pattern for names in it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) collection: Uuid,
    pub(crate) path: Option<String>,
    /// The last part of the path, if it contains a `*`.
    pub(crate) pattern: Option<String>,
}

impl Place {
    /// Parses `COLLECTION:PATH`, or `COLLECTION` and an optional path.
    pub(crate) fn parse(collection: &str, path: Option<&str>) -> Result<Self, Failure> {
        let (id, path) = match (collection.split_once(':'), path) {
            (Some((id, path)), None) => (id, Some(path)),
            (_, path) => (collection, path),
        };
        let collection = Uuid::parse_str(id).map_err(|_| Failure::NoId(id.to_owned()))?;
        let path = path.filter(|path| !path.is_empty()).map(str::to_owned);
        Self::of(collection, path)
    }

    /// The default directory of the collection.
    pub(crate) fn default_of(collection: Uuid) -> Self {
        Self {
            collection,
            path: None,
            pattern: None,
        }
    }

    /// The path, for a person.
    pub(crate) fn shown(&self) -> String {
        let path = self.path.as_deref();
        path.map_or("the default directory".to_owned(), printable)
    }

    fn of(collection: Uuid, path: Option<String>) -> Result<Self, Failure> {
        let Some(text) = path else {
            return Ok(Self::default_of(collection));
        };
        let (directory, last) = match text.rfind('/') {
            Some(slash) => text.split_at(slash + 1),
            None => ("", text.as_str()),
        };
        if has_star(directory) {
            return Err(Failure::usage(
                "only the last part of a path may contain a *; write \\* for a name with a *",
            ));
        }
        let (path, pattern) = match has_star(last) {
            true => (directory, Some(last)),
            false => (text.as_str(), None),
        };
        if pattern.is_some_and(|pattern| pattern.contains("\\*")) {
            return Err(Failure::usage(
                "a pattern cannot match a literal *; give --filter, or the whole name",
            ));
        }
        Ok(Self {
            collection,
            path: Some(path)
                .filter(|path| !path.is_empty())
                .map(|path| path.replace("\\*", "*")),
            pattern: pattern.map(str::to_owned),
        })
    }
}

/// Whether `path` contains a `*` that is not escaped.
fn has_star(path: &str) -> bool {
    path.replace("\\*", "").contains('*')
}
