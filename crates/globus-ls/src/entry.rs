//! One entry of a directory.

use serde_json::{Map, Value};

/// An entry, read from Transfer's JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Relative to the listed directory: a path, in a recursive listing.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The lower bits of the file's mode.
    pub(crate) permissions: Option<u32>,
    pub(crate) size: Option<u64>,
    /// As Transfer writes it: `2026-01-31 12:00:00+00:00`.
    pub(crate) modified: Option<String>,
    /// The whole document.
    document: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link { to: Target },
    Other,
}

/// The target of a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Directory,
    File,
    Nothing,
}

/// A member of `DATA` that is no entry.
#[derive(Debug, PartialEq)]
pub(crate) struct NoEntry;

impl Entry {
    /// Reads an entry. Only the name is required. A member of an unexpected type counts as absent.
    pub(crate) fn read(document: Value) -> Result<Self, NoEntry> {
        let Value::Object(document) = document else {
            return Err(NoEntry);
        };
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let name = text("name").filter(|name| !name.is_empty());
        Ok(Self {
            name: name.ok_or(NoEntry)?.to_owned(),
            kind: Kind::of(&document),
            permissions: text("permissions").and_then(|digits| u32::from_str_radix(digits, 8).ok()),
            size: document.get("size").and_then(Value::as_u64),
            modified: text("last_modified").map(str::to_owned),
            document,
        })
    }

    /// Puts `directory` before the name. It is empty or ends with a slash.
    pub(crate) fn below(mut self, directory: &str) -> Self {
        self.name.insert_str(0, directory);
        self
    }

    /// Whether this is a directory, not a link to one.
    pub(crate) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Whether this is a directory, or a link to one.
    pub(crate) fn leads_to_directory(&self) -> bool {
        let to = Target::Directory;
        self.is_directory() || self.kind == Kind::Link { to }
    }

    /// Transfer's document, with the name of this entry.
    pub(crate) fn into_document(mut self) -> Value {
        self.document.insert("name".to_owned(), self.name.into());
        Value::Object(self.document)
    }
}

impl Kind {
    fn of(document: &Map<String, Value>) -> Self {
        let kind = document.get("type").and_then(Value::as_str);
        let kind = kind.unwrap_or("file");
        // `type` is that of the link's target. Only the `link_*` members show that this is a link.
        let is_link = ["link_target", "link_size", "link_last_modified"]
            .iter()
            .any(|name| document.get(*name).is_some_and(|value| !value.is_null()));
        match kind {
            "invalid_symlink" => Self::Link {
                to: Target::Nothing,
            },
            _ if is_link || kind.contains("symlink") => Self::Link {
                to: match kind {
                    "dir" => Target::Directory,
                    _ => Target::File,
                },
            },
            "dir" => Self::Directory,
            "file" => Self::File,
            _ => Self::Other,
        }
    }
}
