//! What stands in the file.

#[cfg(any(test, fuzzing))]
mod any_bytes;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::token_file;

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{StoredToken, Tokens};
use super::ordered::Ordered;
use super::python;

const FORMAT: &str = "2.0";
const OLD_FORMAT: &str = "1.0";

/// Who wrote the file, in the member that Python has for that; any text will do there.
const WRITER: &str = concat!("globus-gare ", env!("CARGO_PKG_VERSION"));

type Raw = Box<RawValue>;

/// The file, with everything in it that is not ours as it was.
#[derive(Clone)]
pub(super) struct Document {
    root: Ordered<Raw>,
    namespaces: Ordered<Ordered<Raw>>,
}

impl Document {
    pub(super) fn empty() -> Self {
        Self {
            root: Ordered::default(),
            namespaces: Ordered::default(),
        }
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let root: Ordered<Raw> = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        let version: Option<String> = member(&root, "format_version");
        match version.as_deref() {
            Some(FORMAT) => {
                let namespaces = member(&root, "data").ok_or(Unreadable::NoTokens)?;
                Ok(Self { root, namespaces })
            }
            // There were no namespaces; what there was belongs to the default one.
            Some(OLD_FORMAT) => {
                let mut namespaces = Ordered::default();
                let tokens = member(&root, "by_rs").ok_or(Unreadable::NoTokens)?;
                namespaces.set("DEFAULT", tokens);
                Ok(Self {
                    root: Ordered::default(),
                    namespaces,
                })
            }
            _ => Err(Unreadable::OtherFormat),
        }
    }

    pub(super) fn text(&self) -> serde_json::Result<String> {
        let mut root = self.root.clone();
        root.set("data", python::to_raw(&self.namespaces)?);
        root.set("format_version", python::to_raw(&FORMAT)?);
        if root.get("globus-sdk.version").is_none() {
            root.set("globus-sdk.version", python::to_raw(&WRITER)?);
        }
        python::to_text(&root)
    }

    /// The tokens of a namespace. An entry that is no token is passed over.
    pub(super) fn tokens(&self, namespace: &str) -> Tokens {
        let entries = self
            .namespaces
            .get(namespace)
            .into_iter()
            .flat_map(Ordered::iter);
        entries
            .filter_map(|(server, raw)| {
                let token: StoredToken = serde_json::from_str(raw.get()).ok()?;
                Some((server.to_owned(), token))
            })
            .collect()
    }

    /// Writes down what is different in `after`. `false` where nothing is.
    pub(super) fn set(
        &mut self,
        namespace: &str,
        before: &Tokens,
        after: &Tokens,
    ) -> serde_json::Result<bool> {
        let mut entries = self.namespaces.get(namespace).cloned().unwrap_or_default();
        let mut changed = false;
        for server in before.keys().filter(|server| !after.contains_key(*server)) {
            entries.remove(server);
            changed = true;
        }
        for (server, token) in after {
            if before.get(server).is_none_or(|old| !old.is_kept_as(token)) {
                entries.set(server, python::to_raw(token)?);
                changed = true;
            }
        }
        if changed {
            self.namespaces.set(namespace, entries);
        }
        Ok(changed)
    }
}

fn member<'a, T: Deserialize<'a>>(root: &'a Ordered<Raw>, name: &str) -> Option<T> {
    serde_json::from_str(root.get(name)?.get()).ok()
}

/// Why a file is left alone. It says nothing of what stands in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unreadable {
    /// It may be that Python is just writing it.
    NotJson,
    OtherFormat,
    NoTokens,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "it is no JSON object",
            Self::OtherFormat => "its format_version is neither 2.0 nor 1.0",
            Self::NoTokens => "its member for the tokens is missing or no object",
        })
    }
}

impl std::error::Error for Unreadable {}
