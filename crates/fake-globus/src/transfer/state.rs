//! The state of Transfer besides tasks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access_rule::AccessRule;
use super::bookmark::Bookmark;
use super::tunnel::Tunnel;

/// Access rules, bookmarks, tunnels, and changes to the documents of collections.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TransferState {
    /// The changed fields of documents, by collection id.
    pub(super) changes: BTreeMap<Uuid, Map<String, Value>>,
    pub(super) access_rules: Vec<AccessRule>,
    pub(super) bookmarks: Vec<Bookmark>,
    pub(super) tunnels: Vec<Tunnel>,
}

impl TransferState {
    pub(super) fn change(&mut self, collection: Uuid, name: &str, value: Value) {
        let changes = self.changes.entry(collection).or_default();
        changes.insert(name.to_owned(), value);
    }
}
