//! The content of the token file.

#[cfg(any(test, fuzzing))]
mod any_bytes;

#[cfg(any(test, fuzzing))]
pub use self::any_bytes::token_file;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::super::record::OtherFormat;
use super::super::{Login, LoginRecord, StoredToken, Tokens};

const FORMAT: &str = "2.0";
const OLD_FORMAT: &str = "1.0";

/// The root member for records. Python writes unknown members back.
const OURS: &str = "globus-gare";

/// The root member for the version of the writer. Python accepts any text there.
const WRITER: &str = "globus-sdk.version";

type Raw = Box<RawValue>;

/// A JSON object that keeps the order of its members, as a `dict` does in Python.
type Members = IndexMap<String, Raw>;

/// The content of the file. Members of other programs stay as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    root: Members,
    namespaces: IndexMap<String, Members>,
    ours: Ours,
}

/// The data of programs with this crate, beside the tokens.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Ours {
    /// The number of writes by these programs.
    #[serde(default)]
    writes: u64,
    /// The records, by namespace.
    #[serde(default)]
    logins: Members,
    /// Sealed logins, by the hash of the user.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    sealed: Members,
    /// Records that were set aside.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    damaged: Members,
}

impl Document {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let root: Members = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        let version: Option<String> = member(&root, "format_version");
        match version.as_deref() {
            Some(FORMAT) => Ok(Self {
                namespaces: member(&root, "data").ok_or(Unreadable::NoTokens)?,
                ours: ours(&root)?,
                root,
            }),
            // Format 1.0 had no namespaces: its tokens belong to the default one.
            Some(OLD_FORMAT) => {
                let tokens = member(&root, "by_rs").ok_or(Unreadable::NoTokens)?;
                Ok(Self {
                    namespaces: IndexMap::from([("DEFAULT".to_owned(), tokens)]),
                    ours: ours(&root)?,
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

    /// The number of writes by programs with this crate.
    pub(super) fn writes(&self) -> u64 {
        self.ours.writes
    }

    pub(super) fn count_write(&mut self) {
        self.ours.writes += 1;
    }

    /// Whether two documents have the same data of programs with this crate.
    pub(super) fn has_same_records(&self, other: &Self) -> bool {
        let (one, other) = (&self.ours, &other.ours);
        let pairs = [
            (&one.logins, &other.logins),
            (&one.sealed, &other.sealed),
            (&one.damaged, &other.damaged),
        ];
        pairs.into_iter().all(|(one, other)| {
            let mut names = one.keys().chain(other.keys());
            names.all(|name| is_same(one.get(name), other.get(name)))
        })
    }

    /// The login in a namespace. An entry that is not a token is skipped.
    pub(super) fn login(&self, namespace: &str) -> Result<Login, OtherFormat> {
        let record = self.ours.logins.get(namespace);
        let record = record.map(|raw| LoginRecord::parse(raw.get().as_bytes()));
        Ok(Login {
            tokens: self.tokens(namespace),
            record: record.transpose()?,
        })
    }

    fn tokens(&self, namespace: &str) -> Tokens {
        let entries = self.namespaces.get(namespace).into_iter().flatten();
        let tokens = entries.filter_map(|(server, raw)| {
            let token: StoredToken = serde_json::from_str(raw.get()).ok()?;
            Some((server.clone(), token))
        });
        tokens.collect()
    }

    /// Writes the differences between the stored login and `login`.
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

    /// `name`, or a longer one if there is a login or record of this name.
    pub(super) fn free_name(&self, mut name: String) -> String {
        while self.ours.sealed.contains_key(&name) || self.ours.damaged.contains_key(&name) {
            name.push('+');
        }
        name
    }

    /// Moves the record of a namespace to those that were set aside.
    pub(super) fn set_record_aside(&mut self, namespace: &str, name: String) {
        if let Some(record) = self.ours.logins.shift_remove(namespace) {
            self.ours.damaged.insert(name, record);
        }
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

    /// Adds the changes from `base` to `theirs`, which another program made.
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

/// Whether two entries are the same JSON, apart from white space.
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

/// Our root member. Without it, no program with this crate has written the file.
fn ours(root: &Members) -> Result<Ours, Unreadable> {
    let Some(raw) = root.get(OURS) else {
        return Ok(Ours::default());
    };
    serde_json::from_str(raw.get()).map_err(|_| Unreadable::OtherRecords)
}

/// An error from reading the file. It shows nothing of the content.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// Python may be writing the file.
    #[error("the file is not a JSON object")]
    NotJson,
    #[error("format_version is neither 2.0 nor 1.0: another or a newer program wrote the file")]
    OtherFormat,
    #[error("the member for the tokens is missing or not an object")]
    NoTokens,
    #[error("the member `globus-gare` has another format: a newer program may have written it")]
    OtherRecords,
}
