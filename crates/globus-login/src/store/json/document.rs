//! The content of the file.

#[cfg(any(test, fuzzing))]
mod any_bytes;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::token_file;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::super::{Login, LoginRecord, StoredToken, Tokens};

const FORMAT: &str = "2.0";
const OLD_FORMAT: &str = "1.0";

/// The root member for records. Python writes back what it does not know.
const OURS: &str = "globus-gare";

/// The root member in which Python has its version; any text will do there.
const WRITER: &str = "globus-sdk.version";

type Raw = Box<RawValue>;

/// An object whose members keep their order, as a `dict` does in Python.
type Members = IndexMap<String, Raw>;

/// The file, with everything in it that is not ours as it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    root: Members,
    namespaces: IndexMap<String, Members>,
    ours: Ours,
}

/// What programs on this crate keep beside the tokens.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Ours {
    /// Counts the writes of these programs.
    #[serde(default)]
    writes: u64,
    /// The records, by namespace.
    #[serde(default)]
    logins: Members,
    /// Sealed logins, by the names of their users.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    sealed: Members,
}

impl Document {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let root: Members = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        let version: Option<String> = member(&root, "format_version");
        match version.as_deref() {
            Some(FORMAT) => Ok(Self {
                namespaces: member(&root, "data").ok_or(Unreadable::NoTokens)?,
                ours: member(&root, OURS).unwrap_or_default(),
                root,
            }),
            // There were no namespaces; what there was belongs to the default one.
            Some(OLD_FORMAT) => {
                let tokens = member(&root, "by_rs").ok_or(Unreadable::NoTokens)?;
                Ok(Self {
                    namespaces: IndexMap::from([("DEFAULT".to_owned(), tokens)]),
                    ..Self::default()
                })
            }
            _ => Err(Unreadable::OtherFormat),
        }
    }

    pub(super) fn text(&self) -> serde_json::Result<String> {
        let mut root = self.root.clone();
        root.insert("data".to_owned(), to_raw_value(&self.namespaces)?);
        root.insert("format_version".to_owned(), to_raw_value(FORMAT)?);
        if self.ours.writes > 0 {
            root.insert(OURS.to_owned(), to_raw_value(&self.ours)?);
        }
        if !root.contains_key(WRITER) {
            let version = concat!("globus-gare ", env!("CARGO_PKG_VERSION"));
            root.insert(WRITER.to_owned(), to_raw_value(version)?);
        }
        serde_json::to_string(&root)
    }

    /// Counts the writes of programs on this crate.
    pub(super) fn writes(&self) -> u64 {
        self.ours.writes
    }

    pub(super) fn count_write(&mut self) {
        self.ours.writes += 1;
    }

    /// What is kept in a namespace. An entry that is no token is passed over.
    pub(super) fn login(&self, namespace: &str) -> Login {
        let record = self.ours.logins.get(namespace);
        Login {
            tokens: self.tokens(namespace),
            record: record.and_then(|raw| serde_json::from_str(raw.get()).ok()),
        }
    }

    fn tokens(&self, namespace: &str) -> Tokens {
        let entries = self.namespaces.get(namespace).into_iter().flatten();
        let tokens = entries.filter_map(|(server, raw)| {
            let token: StoredToken = serde_json::from_str(raw.get()).ok()?;
            Some((server.clone(), token))
        });
        tokens.collect()
    }

    /// Writes down what is different in `login`.
    pub(super) fn set(&mut self, namespace: &str, login: &Login) -> serde_json::Result<()> {
        let before = self.tokens(namespace);
        if before != login.tokens {
            let entries = self.namespaces.entry(namespace.to_owned()).or_default();
            entries.retain(|server, _| {
                login.tokens.contains_key(server) || !before.contains_key(server)
            });
            for (server, token) in &login.tokens {
                if before.get(server) != Some(token) {
                    entries.insert(server.clone(), to_raw_value(token)?);
                }
            }
        }
        self.set_record(namespace, login.record.as_ref())
    }

    pub(super) fn sealed(&self, name: &str) -> Option<&RawValue> {
        self.ours.sealed.get(name).map(|sealed| &**sealed)
    }

    pub(super) fn set_sealed(&mut self, name: String, sealed: Raw) {
        self.ours.sealed.insert(name, sealed);
    }

    pub(super) fn remove_sealed(&mut self, name: &str) {
        self.ours.sealed.shift_remove(name);
    }

    fn set_record(
        &mut self,
        namespace: &str,
        record: Option<&LoginRecord>,
    ) -> serde_json::Result<()> {
        match record {
            Some(record) => {
                let raw = to_raw_value(record)?;
                self.ours.logins.insert(namespace.to_owned(), raw);
            }
            None => {
                self.ours.logins.shift_remove(namespace);
            }
        }
        Ok(())
    }

    /// Adds the changes that another program made to `base`, which led to `theirs`.
    pub(super) fn merge(&mut self, base: &Self, theirs: &Self) {
        let names = theirs.namespaces.keys().chain(base.namespaces.keys());
        for name in names.cloned().collect::<Vec<String>>() {
            let (old, new) = (base.namespaces.get(&name), theirs.namespaces.get(&name));
            let servers = new.into_iter().chain(old).flat_map(IndexMap::keys);
            for server in servers {
                let old = old.and_then(|entries| entries.get(server));
                let new = new.and_then(|entries| entries.get(server));
                if is_same(old, new) {
                    continue;
                }
                let entries = self.namespaces.entry(name.clone()).or_default();
                match new {
                    Some(new) => entries.insert(server.clone(), new.clone()),
                    None => entries.shift_remove(server),
                };
            }
        }
    }
}

/// Whether two entries say the same, with whatever spaces.
fn is_same(one: Option<&Raw>, other: Option<&Raw>) -> bool {
    let value = |raw: &Raw| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
    match (one, other) {
        (Some(one), Some(other)) => one.get() == other.get() || value(one) == value(other),
        (one, other) => one.is_none() == other.is_none(),
    }
}

fn member<'a, T: Deserialize<'a>>(root: &'a Members, name: &str) -> Option<T> {
    serde_json::from_str(root.get(name)?.get()).ok()
}

/// Why a file is left alone. It says nothing of its content.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It may be that Python is just writing it.
    #[error("it is no JSON object")]
    NotJson,
    #[error("its format_version is neither 2.0 nor 1.0: another or a newer program wrote it")]
    OtherFormat,
    #[error("its member for the tokens is missing or no object")]
    NoTokens,
}
