//! Ids derived from names, which are the same in every run.

use uuid::{Uuid, uuid};

const NAMESPACE: Uuid = uuid!("2f3a5b52-7c52-4d3c-9c93-5f1f0d8f3b6e");

/// The UUIDv5 of a kind, such as `collection`, and a name.
pub(super) fn stable_id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{name}").as_bytes())
}
