//! Which directory of which collection.

use globus_gare::reauth::printable;
use uuid::Uuid;

use crate::failure::Failure;

#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) collection: Uuid,
    pub(crate) path: Option<String>,
    /// What the names in it must match, where the path ended in a pattern.
    pub(crate) pattern: Option<String>,
}

impl Place {
    /// Reads `COLLECTION`, `COLLECTION:PATH`, or the two as two arguments.
    pub(crate) fn parse(collection: &str, path: Option<&str>) -> Result<Self, Failure> {
        let (id, path) = match (collection.split_once(':'), path) {
            (Some((id, path)), None) => (id, Some(path)),
            (_, path) => (collection, path),
        };
        let collection = Uuid::parse_str(id).map_err(|_| Failure::NoId(id.to_owned()))?;
        let path = path.filter(|path| !path.is_empty()).map(str::to_owned);
        Self::of(collection, path)
    }

    /// The collection's own default directory.
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
                "a * is possible in the last part of the path only; \\* is the character",
            ));
        }
        let (path, pattern) = match has_star(last) {
            true => (directory, Some(last)),
            false => (text.as_str(), None),
        };
        if pattern.is_some_and(|pattern| pattern.contains("\\*")) {
            return Err(Failure::usage(
                "Transfer's patterns cannot have * as a character: give --filter or the whole name",
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

/// Whether `*` stands in `path` for any text.
fn has_star(path: &str) -> bool {
    path.replace("\\*", "").contains('*')
}
